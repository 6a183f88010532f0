"""The sandbox's first page, as somebody who tries their site out meets it."""

from typing import Any

import pytest
import stripe
from playwright.sync_api import Page, expect

from billing.tests.browser import accessibility
from billing.tests.browser.plugin import Browse, Shoot
from stripe_sandbox import Sandbox
from stripe_sandbox.tests.conftest import Control

pytestmark = pytest.mark.browser


@pytest.fixture
def busy(control: Control, client: stripe.StripeClient, checkout: Any, subscribed: Any) -> stripe.Subscription:
    """Someone with an open invoice and a disputed payment, and an open checkout."""
    sub: stripe.Subscription = subscribed("pm_card_chargeCustomerFail")
    control("/disputes", {"charge": client.v1.charges.list().data[0].id})
    control("/advance", {"seconds": 32 * 86_400})
    subscribed()
    checkout()
    return sub


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words).first.click()


@pytest.mark.parametrize("look", [{"dark": True}, {"phone": True}, {}], ids=["dark", "phone", "light"])
def test_the_buttons_can_be_read_and_used_by_everyone(
    busy: Any, sandbox: Sandbox, browse: Browse, shoot: Shoot, request: pytest.FixtureRequest, look: dict[str, bool]
) -> None:
    page = browse(sandbox.url, **look)
    press(page, "Decline")
    expect(page.get_by_role("status")).to_contain_text("is declined.")
    shoot(page, f"sandbox-{next(iter(look), 'light')}")
    assert [stop["words"] for stop in accessibility.tab_stops(page) if not stop["seen"]] == []
    assert accessibility.problems(page) == []
    if "phone" in look:
        page.set_viewport_size({"width": 360, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_person_pays_declines_disputes_and_moves_the_clock_by_clicking(
    busy: Any, sandbox: Sandbox, browse: Browse
) -> None:
    page = browse(sandbox.url)
    for words, said in (
        ("Pay (alice@example.com", "is paid."),
        ("Let the card fail", "is declined"),
        ("Win", "is won."),
        ("Dispute", "disputes the payment"),
        ("Refund", "was refunded"),
        ("A day on", "The clock says"),
        ("To the next event", "the next event is"),
    ):
        press(page, words)
        expect(page.get_by_role("status")).to_contain_text(said)


def test_an_error_is_a_sentence_on_the_page(busy: Any, sandbox: Sandbox, control: Control, browse: Browse) -> None:
    page = browse(sandbox.url)
    page.get_by_role("button", name="Win").focus()
    control(f"/disputes/{next(iter(sandbox.state.table('dispute').rows))}", {"status": "lost"})
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("it is closed")

"""Checkout, as a buyer meets it in a browser."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import stripe
from playwright.sync_api import Page, expect

from billing.tests.browser import accessibility
from billing.tests.browser.plugin import Browse, Shoot

from .conftest import Pay

pytestmark = pytest.mark.browser
Start = Callable[..., stripe.checkout.Session]
BACK = re.compile(r"/return\?session=cs_test_")


def status(client: stripe.StripeClient, session: stripe.checkout.Session) -> str:
    bought = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]}).subscription
    return bought.status


def error(page: Page) -> Any:
    return page.get_by_role("alert")


@pytest.mark.parametrize("look", [{}, {"phone": True, "dark": True}], ids=["desktop", "phone in the dark"])
def test_every_step_of_checkout_can_be_read_and_used_by_everyone(
    start: Start, pay: Pay, browse: Browse, shoot: Shoot, look: dict[str, bool]
) -> None:
    page, kind = browse(start().url, **look), "phone" if look else "desktop"
    shown = {"page": accessibility.problems(page)}
    shoot(page, f"checkout-{kind}")
    pay(page, "4000000000009995", "Subscribe")
    shown["declined"] = accessibility.problems(page)
    shoot(page, f"checkout-declined-{kind}")
    pay(page, "4000002760003184", "Subscribe")
    shown["3D Secure"] = accessibility.problems(page)
    shoot(page, f"checkout-3ds-{kind}")
    assert shown == {"page": [], "declined": [], "3D Secure": []}


def test_a_card_pays_and_leads_back_to_the_shop(
    client: stripe.StripeClient, start: Start, pay: Pay, browse: Browse
) -> None:
    session = start()
    page = browse(session.url)
    pay(page, "4242424242424242", "Subscribe")
    expect(page).to_have_url(BACK)
    assert status(client, session) == "active"
    page.go_back()
    expect(page).to_have_url(BACK)


def test_a_declined_card_says_why_keeps_what_was_typed_and_lets_another_pay(
    client: stripe.StripeClient, start: Start, pay: Pay, browse: Browse
) -> None:
    session = start()
    page = browse(session.url)
    pay(page, "4000000000009995", "Subscribe")
    expect(error(page)).to_have_text("Your card has insufficient funds.")
    expect(page.get_by_label("Card number")).to_have_value("4000 0000 0000 9995")
    expect(page.get_by_label("Card number")).to_be_focused()
    pay(page, "4242424242424242", "Subscribe")
    expect(page).to_have_url(BACK)
    assert status(client, session) == "active"


def test_what_was_typed_wrong_is_named(start: Start, pay: Pay, browse: Browse) -> None:
    page = browse(start().url)
    pay(page, "4242424242424242", "Subscribe", expiry="01 / 20")
    expect(error(page)).to_have_text("Your card's expiration date is in the past.")
    pay(page, "4242424242424242", "Subscribe", cvc="12")
    expect(error(page)).to_have_text("Your card's security code has 3 digits.")
    pay(page, "4111111111111111", "Subscribe")
    expect(error(page)).to_contain_text("card number is incorrect")


def test_3d_secure_can_be_failed_and_then_passed(
    client: stripe.StripeClient, start: Start, pay: Pay, browse: Browse
) -> None:
    session = start()
    page = browse(session.url)
    pay(page, "4000002760003184", "Subscribe")
    page.get_by_role("button", name="Fail authentication").click()
    expect(error(page)).to_contain_text("failed authentication")
    pay(page, "4000002760003184", "Subscribe")
    page.get_by_role("button", name="Complete authentication").click()
    expect(page).to_have_url(BACK)
    assert status(client, session) == "active"


def test_a_buyer_who_changes_their_mind_goes_back_to_the_shop(
    client: stripe.StripeClient, start: Start, shop: str, browse: Browse
) -> None:
    session = start()
    page = browse(session.url)
    page.get_by_role("link", name="Back").click()
    expect(page).to_have_url(f"{shop}/prices")
    assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_a_trial_says_what_comes_after_it(
    client: stripe.StripeClient, start: Start, pay: Pay, browse: Browse, shoot: Shoot
) -> None:
    session = start(subscription_data={"trial_period_days": 14})
    page = browse(session.url)
    expect(page.get_by_text("14 days free")).to_be_visible()
    expect(page.get_by_text("Then $20.00 / month")).to_be_visible()
    shoot(page, "checkout-trial-desktop")
    pay(page, "4242424242424242", "Start trial")
    expect(page).to_have_url(BACK)
    assert status(client, session) == "trialing"


def test_the_keyboard_alone_is_enough(client: stripe.StripeClient, start: Start, browse: Browse) -> None:
    session = start()
    page = browse(session.url)
    stops = accessibility.tab_stops(page)
    assert [stop["words"] for stop in stops if not stop["seen"]] == []
    words = [stop["words"] for stop in stops]
    assert words[:5] == ["← Back", "Card number", "Expiry, month and year", "Security code", "Subscribe"]
    page.get_by_label("Card number").focus()
    page.keyboard.type("4000002760003184")
    page.keyboard.press("Tab")
    page.keyboard.type("1234")
    page.keyboard.press("Tab")
    page.keyboard.type("123")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Complete authentication")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(BACK)
    assert status(client, session) == "active"


def test_a_test_card_is_filled_in_by_a_click(client: stripe.StripeClient, start: Start, browse: Browse) -> None:
    session = start()
    page = browse(session.url)
    page.get_by_role("button", name="3782 8224 6310 005").click()
    expect(page.get_by_label("Card number")).to_have_value("3782 8224 6310 005")
    expect(page.get_by_label("Security code")).to_have_value("1234")
    page.keyboard.press("Enter")
    expect(page).to_have_url(BACK)


def test_without_javascript_a_buyer_pays_all_the_same(
    client: stripe.StripeClient, start: Start, pay: Pay, browse: Browse
) -> None:
    session = start()
    page = browse(session.url, javascript=False, phone=True)
    pay(page, "4000 0000 0000 0002", "Subscribe", expiry="1234")
    expect(error(page)).to_have_text("Your card was declined.")
    pay(page, "4000002760003184", "Subscribe")
    page.get_by_role("button", name="Complete authentication").click()
    expect(page).to_have_url(BACK)
    assert status(client, session) == "active"

"""The hosted invoice, as who owes it meets it in a browser; and the page of what the sandbox holds."""

from typing import Any

import pytest
import stripe
from playwright.sync_api import Page, expect

from billing.tests.browser import accessibility
from billing.tests.browser.plugin import Browse, Shoot
from stripe_sandbox.tests.conftest import Checked, Control
from stripe_sandbox.tests.test_billing_cycle import HOUR, fresh, use_card

from .conftest import Pay

pytestmark = pytest.mark.browser
LOOKS = pytest.mark.parametrize("look", [{"dark": True}, {"phone": True}], ids=["desktop in the dark", "phone"])


def kind_of(look: dict[str, bool]) -> str:
    return "phone" if "phone" in look else "desktop"


@pytest.fixture
def declined(client: stripe.StripeClient, control: Control, subscribed: Any) -> stripe.Subscription:
    """Its renewal was declined."""
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    return renewed(client, control, sub)


@pytest.fixture
def unconfirmed(client: stripe.StripeClient, control: Control, subscribed: Any) -> stripe.Subscription:
    """Its renewal waits for 3D Secure."""
    return renewed(client, control, subscribed("pm_card_authenticationRequired"))


def renewed(client: stripe.StripeClient, control: Control, sub: stripe.Subscription) -> stripe.Subscription:
    control("/advance", {"to": sub["items"]["data"][0].current_period_end + HOUR})
    return fresh(client, sub)


def paid(page: Page) -> None:
    expect(page.get_by_role("main")).to_contain_text("There is nothing to pay here: the invoice is paid.")


@LOOKS
def test_an_invoice_can_be_read_and_used_by_everyone(
    declined: Any, browse: Browse, shoot: Shoot, look: dict[str, bool]
) -> None:
    page = browse(declined.latest_invoice.hosted_invoice_url, **look)
    page.get_by_text("Use another card").click()
    shoot(page, f"invoice-open-{kind_of(look)}")
    assert accessibility.problems(page) == []
    assert [stop["words"] for stop in accessibility.tab_stops(page) if not stop["seen"]] == []


def test_another_card_pays_what_the_known_one_did_not(
    client: stripe.StripeClient, declined: Any, pay: Pay, browse: Browse, shoot: Shoot
) -> None:
    page = browse(declined.latest_invoice.hosted_invoice_url)
    page.get_by_role("button", name="Pay with the card ending in 0341").click()
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    pay(page, "4242424242424242", "Pay $20.00")
    paid(page)
    shoot(page, "invoice-paid-desktop")
    assert fresh(client, declined).status == "active"


def test_3d_secure_is_failed_and_then_passed_without_javascript(
    client: stripe.StripeClient, unconfirmed: Any, browse: Browse
) -> None:
    page = browse(unconfirmed.latest_invoice.hosted_invoice_url, javascript=False)
    expect(page.get_by_text("Your bank wants you to confirm this payment.")).to_be_visible()
    page.get_by_role("button", name="Pay with the card ending in 3184").click()
    page.get_by_role("button", name="Fail authentication").click()
    expect(page.get_by_role("alert")).to_contain_text("failed authentication")
    page.get_by_role("button", name="Pay with the card ending in 3184").click()
    page.get_by_role("button", name="Complete authentication").click()
    paid(page)
    assert fresh(client, unconfirmed).status == "active"


def test_the_pdf_opens(subscribed: Any, client: stripe.StripeClient, browse: Browse) -> None:
    page = browse(client.v1.invoices.retrieve(subscribed().latest_invoice).hosted_invoice_url)
    with page.expect_response("**/pdf") as answered:
        page.get_by_role("link", name="Download as PDF").click()
    assert (answered.value.status, answered.value.headers["content-type"]) == (200, "application/pdf")


@LOOKS
def test_what_the_sandbox_holds_can_be_read_by_everyone(
    sandbox: Checked, subscribed: Any, browse: Browse, shoot: Shoot, look: dict[str, bool]
) -> None:
    subscribed()
    page = browse(sandbox.url, **look)
    assert accessibility.problems(page) == []
    shoot(page, f"overview-{kind_of(look)}")
    page.get_by_role("link", name="customer.subscription.created").click()
    expect(page.get_by_role("heading", name="customer.subscription.created")).to_be_visible()
    assert accessibility.problems(page) == []


def test_the_page_of_events_shows_new_ones_by_itself(
    sandbox: Checked, client: stripe.StripeClient, browse: Browse
) -> None:
    page = browse(f"{sandbox.url}/events")
    client.v1.customers.create({"email": "bob@example.com"})
    expect(page.get_by_role("link", name="customer.created")).to_be_visible()

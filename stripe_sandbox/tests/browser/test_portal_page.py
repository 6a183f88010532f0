"""The customer portal, as a customer meets it in a browser."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe
from playwright.sync_api import Page, expect

from billing.tests.browser import accessibility
from billing.tests.browser.plugin import Browse, Shoot
from stripe_sandbox.tests.test_billing_cycle import fresh

from .conftest import Pay

pytestmark = pytest.mark.browser
Address = Callable[[str], str]


def unfold(page: Page, words: str) -> None:
    page.locator("summary", has_text=words).click()


def said(page: Page) -> Any:
    return page.get_by_role("status")


@pytest.mark.parametrize("look", [{"dark": True}, {"phone": True}], ids=["desktop in the dark", "phone"])
def test_the_portal_can_be_read_and_used_by_everyone(
    subscribed: Any, portal: Address, browse: Browse, shoot: Shoot, look: dict[str, bool]
) -> None:
    page, kind = browse(portal(subscribed().customer), **look), "phone" if "phone" in look else "desktop"
    shoot(page, f"portal-{kind}")
    assert [stop["words"] for stop in accessibility.tab_stops(page) if not stop["seen"]] == []
    for words in ("Update plan", "Cancel plan", "Change the card"):
        unfold(page, words)
    shoot(page, f"portal-unfolded-{kind}")
    assert accessibility.problems(page) == []


def test_a_new_card_is_used_from_now_on(
    client: stripe.StripeClient, subscribed: Any, portal: Address, pay: Pay, browse: Browse
) -> None:
    sub = subscribed()
    page = browse(portal(sub.customer))
    unfold(page, "Change the card")
    pay(page, "4000000000000002", "Use this card")
    expect(page.get_by_role("alert")).to_have_text("Your card was declined.")
    pay(page, "5555555555554444", "Use this card")
    expect(said(page)).to_have_text("Your card was changed.")
    expect(page.get_by_role("region", name="Payment method")).to_contain_text("ending in 4444")
    assert client.v1.payment_methods.retrieve(fresh(client, sub).default_payment_method).card.last4 == "4444"


def test_a_plan_is_cancelled_and_goes_on_after_all(
    client: stripe.StripeClient, subscribed: Any, portal: Address, browse: Browse
) -> None:
    sub = subscribed()
    page = browse(portal(sub.customer))
    unfold(page, "Cancel plan")
    page.get_by_label("Why do you leave?").select_option("Too expensive")
    page.get_by_role("button", name="Yes, cancel my plan").click()
    expect(said(page)).to_have_text("Your plan is cancelled.")
    expect(page.get_by_role("region", name="Pro")).to_contain_text("Your plan ends on")
    asked = fresh(client, sub)
    assert (asked.cancel_at is not None, asked.cancellation_details.feedback) == (True, "too_expensive")
    page.get_by_role("button", name="Don’t cancel my plan").click()
    expect(said(page)).to_have_text("Your plan goes on.")
    assert fresh(client, sub).cancel_at is None


def test_a_plan_is_switched_and_the_difference_is_on_an_invoice(
    client: stripe.StripeClient, subscribed: Any, portal: Address, browse: Browse
) -> None:
    sub = subscribed()
    page = browse(portal(sub.customer))
    unfold(page, "Update plan")
    page.get_by_role("radio", name="$200.00 / year").check()
    page.get_by_role("button", name="Confirm the change").click()
    expect(said(page)).to_have_text("Your plan was changed.")
    expect(page.get_by_role("region", name="Pro")).to_contain_text("$200.00 per year")
    page.get_by_role("link", name="Invoice of").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Invoice")
    assert fresh(client, sub)["items"]["data"][0].price.recurring.interval == "year"


def test_the_portal_works_without_javascript(
    client: stripe.StripeClient, subscribed: Any, portal: Address, pay: Pay, shop: str, browse: Browse
) -> None:
    sub = subscribed()
    page = browse(portal(sub.customer), javascript=False)
    unfold(page, "Change the card")
    pay(page, "4000002760003184", "Use this card")
    page.get_by_role("button", name="Complete authentication").click()
    expect(said(page)).to_have_text("Your card was changed.")
    page.get_by_label("Name").fill("Alice Liddell")
    page.get_by_role("button", name="Save").click()
    expect(said(page)).to_have_text("Saved.")
    assert client.v1.customers.retrieve(sub.customer).name == "Alice Liddell"
    page.get_by_role("link", name="Back to the site").click()
    expect(page).to_have_url(f"{shop}/account")

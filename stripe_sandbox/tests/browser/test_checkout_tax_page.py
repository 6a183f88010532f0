"""The address and the tax id at Checkout, as a buyer meets them in a browser."""

from typing import Any

import pytest
import stripe
from playwright.sync_api import Page, expect

from billing.tests.browser import accessibility
from billing.tests.browser.plugin import Browse, Shoot

from ..conftest import Control
from .conftest import Pay
from .test_checkout_page import BACK, Start, error, status

pytestmark = pytest.mark.browser


@pytest.fixture
def taxed(client: stripe.StripeClient, control: Control, start: Start, customer: stripe.Customer) -> Any:
    """A Checkout with automatic tax that collects tax ids."""
    control("/tax", {"country": "DE", "reverse_charge": "given", "tax_behavior": "exclusive"})
    saved: Any = {"customer_update": {"address": "auto", "name": "auto"}}
    return start(automatic_tax={"enabled": True}, tax_id_collection={"enabled": True}, **saved)


def fill_in(page: Page, country: str, postal_code: str) -> None:
    page.get_by_label("Country").select_option(country)
    page.get_by_label("Street and number").fill("Street 1")
    page.get_by_label("Postal code").fill(postal_code)


@pytest.mark.parametrize("look", [{}, {"phone": True, "dark": True}], ids=["desktop", "phone in the dark"])
def test_the_address_is_asked_for_by_a_page_that_everyone_can_use(
    taxed: stripe.checkout.Session, browse: Browse, shoot: Shoot, look: dict[str, bool]
) -> None:
    page, kind = browse(taxed.url, **look), "phone" if look else "desktop"
    shown = {"address": accessibility.problems(page)}
    fill_in(page, "FR", "75001")
    page.get_by_role("button", name="Update the tax").click()
    expect(page.get_by_text("VAT (20%)")).to_be_visible()
    shown["tax"] = accessibility.problems(page)
    shoot(page, f"checkout-tax-{kind}")
    assert shown == {"address": [], "tax": []}


def test_a_buyer_sees_the_tax_names_a_business_and_pays_without_it(
    client: stripe.StripeClient, taxed: stripe.checkout.Session, browse: Browse, pay: Pay
) -> None:
    page = browse(taxed.url)
    fill_in(page, "US", "1")
    page.get_by_role("button", name="Update the tax").click()
    expect(error(page)).to_contain_text("location isn't recognized")
    expect(page.get_by_label("Postal code")).to_have_value("1")
    fill_in(page, "FR", "75001")
    page.get_by_role("button", name="Update the tax").click()
    expect(page.get_by_role("row", name="Total due today $24.00")).to_be_visible()
    page.get_by_label("Tax ID (if").fill("FRAB123456789")
    page.get_by_role("button", name="Update the tax").click()
    expect(page.get_by_text("VAT (reverse charge)")).to_be_visible()
    pay(page, "4242424242424242", "Subscribe")
    expect(page).to_have_url(BACK)
    assert status(client, taxed) == "active"
    done = client.v1.checkout.sessions.retrieve(taxed.id)
    assert (done.amount_total, [row.value for row in done.customer_details.tax_ids or []]) == (2000, ["FRAB123456789"])

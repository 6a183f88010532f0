"""A Checkout that asks for much, as a buyer fills it in; a payment link; saved cards."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import stripe
from playwright.sync_api import Page, expect

from billing.tests.browser import accessibility
from billing.tests.browser.plugin import Browse, Shoot
from stripe_sandbox.tests.test_checkout_fields import NOTE, SEATS, SIZE, shipped

from .conftest import Pay

pytestmark = pytest.mark.browser
BACK = re.compile(r"/return\?session=cs_test_")
LOOKS: Any = pytest.mark.parametrize("look", [{}, {"phone": True, "dark": True}], ids=["desktop", "phone in the dark"])


@pytest.fixture
def asking(client: stripe.StripeClient, price: stripe.Price, shop: str) -> stripe.checkout.Session:
    """A Checkout of a guest that collects all there is, with seats to count and an item to add."""
    support = client.v1.products.create({"name": "Priority support"})
    rent: Any = {"interval": "month"}
    extra: Any = {"product": support.id, "currency": "usd", "unit_amount": 700, "recurring": rent}
    offered: Any = {"price": client.v1.prices.create(extra).id, "quantity": 1}
    bounds: Any = {"enabled": True, "minimum": 1, "maximum": 50}
    params: Any = {
        "mode": "subscription",
        "line_items": [{"price": price.id, "quantity": 3, "adjustable_quantity": bounds}],
        "optional_items": [offered],
        "success_url": f"{shop}/return?session={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{shop}/prices",
        "allow_promotion_codes": True,
        "custom_fields": [SEATS, SIZE, NOTE],
        "phone_number_collection": {"enabled": True},
        "name_collection": {"business": {"enabled": True, "optional": True}},
        "billing_address_collection": "required",
        "shipping_address_collection": {"allowed_countries": ["AT", "CH", "DE"]},
        "consent_collection": {"terms_of_service": "required", "promotions": "auto"},
        "custom_text": {
            "submit": {"message": "We write to you a week before each renewal."},
            "after_submit": {"message": "Questions? Write to help@example.com."},
            "shipping_address": {"message": "Your welcome box goes here."},
            "terms_of_service_acceptance": {"message": "I have read the rules of the house."},
        },
    }
    return client.v1.checkout.sessions.create(params)


def fill(page: Page) -> None:
    page.get_by_label("Email").fill("eve@example.com")
    page.get_by_label("Phone number").fill("+1 555 555 0100")
    shipping = page.get_by_role("group", name="Shipping address")
    shipping.get_by_label("Name").fill("Eve Adams")
    billing = page.get_by_role("group", name="Billing address")
    billing.get_by_label("Name").fill("Eve Adams")
    for group in (shipping, billing):
        group.get_by_label("Country").select_option("DE")
        group.get_by_label("Street and number").fill("Hauptstraße 1")
        group.get_by_label("City").fill("Berlin")
    page.get_by_label("Seats in the office").fill("12")
    page.get_by_label("Size of the shirt").select_option("Large")
    page.get_by_label("I have read the rules").check()


@LOOKS
def test_a_page_that_asks_for_much_can_be_read_and_used_by_everyone(
    asking: stripe.checkout.Session, browse: Browse, shoot: Shoot, pay: Pay, look: dict[str, bool]
) -> None:
    page, kind = browse(str(asking.url), **look), "phone" if look else "desktop"
    problems = accessibility.problems(page)
    shoot(page, f"checkout-fields-{kind}")
    fill(page)
    page.get_by_label("Seats in the office").evaluate("field => field.removeAttribute('pattern')")
    page.get_by_label("Seats in the office").fill("ten")
    pay(page, "4242424242424242", "Subscribe")
    expect(page.get_by_role("alert")).to_have_text("“Seats in the office” takes digits only.")
    expect(page.get_by_label("Phone number")).to_have_value("+1 555 555 0100")
    shoot(page, f"checkout-fields-wrong-{kind}")
    assert problems + accessibility.problems(page) == []


def test_a_buyer_counts_adds_fills_in_and_pays(
    client: stripe.StripeClient, asking: stripe.checkout.Session, browse: Browse, pay: Pay
) -> None:
    page = browse(str(asking.url))
    fill(page)
    page.get_by_label("Quantity of Pro").fill("5")
    page.get_by_role("button", name="Update", exact=True).click()
    expect(page.get_by_role("row", name="Total due today")).to_contain_text("$100.00")
    page.get_by_role("button", name="Add Priority support").click()
    expect(page.get_by_role("row", name="Total due today")).to_contain_text("$107.00")
    expect(page.get_by_label("Email")).to_have_value("eve@example.com")
    expect(page.get_by_label("I have read the rules")).to_be_checked()
    pay(page, "4000002760003184", "Subscribe")
    page.get_by_role("button", name="Complete authentication").click()
    expect(page).to_have_url(BACK)
    done = client.v1.checkout.sessions.retrieve(asking.id)
    assert (done.amount_total, done.custom_fields[0].numeric.value) == (10700, "12")
    assert (done.consent.terms_of_service, done.customer_details.phone) == ("accepted", "+15555550100")


def test_a_code_is_entered_by_the_enter_key_and_nothing_is_lost(
    client: stripe.StripeClient, asking: stripe.checkout.Session, browse: Browse
) -> None:
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "HALF"})
    page = browse(str(asking.url))
    fill(page)
    page.get_by_text("Add a promotion code").click()
    page.get_by_label("Promotion code").fill("half")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row", name="Total due today")).to_contain_text("$30.00")
    expect(page.get_by_label("Email")).to_have_value("eve@example.com")


def test_a_way_to_ship_is_chosen(
    client: stripe.StripeClient, browse: Browse, shoot: Shoot, pay: Pay, shop: str
) -> None:
    session = shipped(
        client, success_url=f"{shop}/return?session={{CHECKOUT_SESSION_ID}}", customer_email="eve@a.example"
    )
    page = browse(str(session.url))
    page.get_by_label("Over night").check()
    page.get_by_role("button", name="Update the total").click()
    expect(page.get_by_role("row", name="Total due today")).to_contain_text("$60.00")
    shoot(page, "checkout-shipping-desktop")
    page.get_by_label("Name").fill("Eve")
    page.get_by_label("Country").select_option("AT")
    page.get_by_label("Street and number").fill("Ring 1")
    pay(page, "4242424242424242", "Pay $60.00")
    expect(page).to_have_url(BACK)


def test_a_saved_card_pays_or_is_removed(
    client: stripe.StripeClient, start: Callable[..., stripe.checkout.Session], customer: stripe.Customer,
    browse: Browse, shoot: Shoot,
) -> None:  # fmt: skip
    for token in ("pm_card_mastercard", "pm_card_visa"):
        method = client.v1.payment_methods.attach(token, {"customer": customer.id})
        client.v1.payment_methods.update(method.id, {"allow_redisplay": "always"})
    session = start(saved_payment_method_options={"payment_method_remove": "enabled", "payment_method_save": "enabled"})
    page = browse(str(session.url))
    shoot(page, "checkout-saved-desktop")
    page.get_by_role("button", name="Remove the card ending in 4242").click()
    expect(page.get_by_text("ending in 4242")).to_have_count(0)
    expect(page.get_by_label("Mastercard ending in 4444")).to_be_checked()
    page.get_by_role("button", name="Subscribe").click()
    expect(page).to_have_url(BACK)


def test_a_payment_link_thanks_its_buyer_and_is_sold_out(
    client: stripe.StripeClient, browse: Browse, shoot: Shoot, pay: Pay, price: stripe.Price
) -> None:
    confirmation: Any = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "See you on Monday!"}}
    link = client.v1.payment_links.create(
        {
            "line_items": [{"price": price.id, "quantity": 1}],
            "after_completion": confirmation,
            "restrictions": {"completed_sessions": {"limit": 1}},
            "inactive_message": "All places are taken.",
        }
    )
    page = browse(f"{link.url}?prefilled_email=eve%40example.com")
    expect(page.get_by_label("Email")).to_have_value("eve@example.com")
    pay(page, "4242424242424242", "Subscribe")
    expect(page.get_by_text("See you on Monday!")).to_be_visible()
    shoot(page, "payment-link-thanks")
    page.goto(link.url)
    expect(page.get_by_text("All places are taken.")).to_be_visible()

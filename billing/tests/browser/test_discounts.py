"""A code in a link, the offer to who leaves and a pause, in a browser; the sandbox is Stripe."""

import pytest
from playwright.sync_api import expect

from billing.models import Discount, Subscription

from .test_subscriber import PHONE, follow, heading, plan, press, said, see, signed_in, site

__all__ = ["see", "signed_in", "site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def half_for_a_quarter(subscription):
    return {"percent_off": 50, "months": 3}


@pytest.fixture
def welcome(world):
    coupon = world.stripe("POST", "coupons", percent_off=50, duration="repeating", duration_in_months=3)
    world.stripe("POST", "promotion_codes", code="WELCOME", promotion={"type": "coupon", "coupon": coupon["id"]})


@pytest.fixture
def ada(world, settings):
    settings.BILLING_PAUSE_DAYS = 100
    settings.BILLING_CANCEL_OFFER = f"{__name__}.half_for_a_quarter"
    return world.subscribed()


def test_a_code_in_a_link_is_shown_and_carried_to_stripe(world, site, browse, see, welcome):
    page = browse(f"{site}/?code=welcome")
    expect(page.get_by_role("status")).to_contain_text("gives you 50% off")
    expect(page.get_by_text("$10 with WELCOME")).to_be_visible()
    see(page, "prices-code")
    follow(page, "Choose Pro")
    page.get_by_label("E-mail address").fill("ben@example.com")
    page.get_by_label("Password").fill("correct-horse-battery")
    press(page, "Sign up")
    see(page, "checkout-code")
    press(page, "Continue to payment")
    expect(page.get_by_text("$10.00").first).to_be_visible()


def test_a_code_that_is_no_good_is_said_on_a_phone_and_the_sale_goes_on(site, browse, see):
    page = browse(f"{site}/?code=NOPE", **PHONE)
    expect(page.get_by_role("status")).to_contain_text("We don't recognise this code")
    see(page, "prices-code-unknown-phone")
    expect(page.get_by_role("link", name="Choose Pro")).to_be_visible()


@pytest.mark.parametrize("look", [{}, PHONE], ids=["desktop", "phone"])
def test_who_leaves_takes_the_offer_instead(ada, signed_in, see, look):
    page = signed_in(ada.user, "/billing/cancel", **look)
    see(page, f"cancel-offer{'-phone' if look else ''}")
    press(page, "Take the offer and stay")
    said(page, "Glad you're staying.")
    expect(plan(page)).to_contain_text("50% off: saves $10.00 per month")
    see(page, f"billing-discount{'-phone' if look else ''}")
    assert Discount.objects.count() == 1


@pytest.mark.parametrize("look", [{}, PHONE], ids=["desktop", "phone"])
def test_payments_are_paused_and_resumed(world, ada, signed_in, see, look):
    page = signed_in(ada.user, "/billing/", **look)
    follow(page, "Pause payments")
    heading(page, "Pause your payments")
    see(page, f"pause{'-phone' if look else ''}")
    press(page, "Pause payments")
    said(page, "Your payments are paused.")
    expect(plan(page)).to_contain_text("Payments paused")
    see(page, f"billing-paused{'-phone' if look else ''}")
    press(page, "Resume payments")
    said(page, "Your payments are resumed.")
    assert Subscription.objects.get().collection_paused == ""

"""Add-ons are changed in a browser; the sandbox is Stripe."""

import pytest
from playwright.sync_api import expect

from billing.setup import publishing_add_ons

from .test_subscriber import PHONE, press, said, see, signed_in, site

__all__ = ["see", "signed_in", "site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("look", [{}, PHONE], ids=["desktop", "phone"])
def test_an_add_on_is_added_and_stands_on_the_account_page(world, site, signed_in, see, look):
    publishing_add_ons.publish()
    ending = "-phone" if look else ""
    ada = world.subscribed()
    page = signed_in(ada.user, "/billing/add-ons", **look)
    see(page, f"add-ons{ending}")
    page.get_by_label("How many of 500 more generations").fill("2")
    press(page, "See what it costs for 500 more generations")
    expect(page.get_by_text("$16.00 per month, on top of your plan")).to_be_visible()
    see(page, f"add-on-preview{ending}")
    press(page, "Pay $16.00 and change")
    said(page, "Your add-ons have been changed.")
    expect(page.get_by_text("2 × 500 more generations")).to_be_visible()
    see(page, f"billing-add-ons{ending}")
    assert ada.row.add_ons == {"extra": 2}

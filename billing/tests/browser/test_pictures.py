"""The pictures of the README are taken here: `PICTURES=docs/images pytest billing/tests/browser/test_pictures.py`.

Without PICTURES they go to tmp/screenshots, like all others.
"""

import os
from pathlib import Path

import pytest
from django.contrib.admin.utils import quote
from playwright.sync_api import expect

from billing import usage

from .plugin import SCREENSHOTS
from .test_axe_staff import enter
from .test_subscriber import signed_in, site

__all__ = ["enter", "signed_in", "site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FOLDER = Path(os.environ.get("PICTURES") or SCREENSHOTS)


def test_the_account_page_of_the_readme(world, signed_in):
    ada = world.subscribed()
    world.advance(days=32)
    world.deliver()
    world.refund(ada, 500)
    world.advance(days=31)
    world.deliver()
    usage.consume(ada.user, "generations", 640)
    page = signed_in(ada.user, "/billing/")
    page.set_viewport_size({"width": 1000, "height": 940})
    expect(page.get_by_text("640 of 1,000").first).to_be_visible()
    page.screenshot(path=FOLDER / "billing.png")


def test_the_customers_page_of_the_readme(world, enter):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    world.change_card(ada, "pm_card_visa")
    world.stripe("POST", f"invoices/{world.open_invoice(ada)}/pay")
    world.deliver()
    page = enter()
    page.set_viewport_size({"width": 1240, "height": 1480})
    page.goto(f"/admin/billing/customer/{quote(ada.customer)}/change/")
    expect(page.get_by_role("heading", name="Access now")).to_be_visible()
    page.screenshot(path=FOLDER / "customer.png")

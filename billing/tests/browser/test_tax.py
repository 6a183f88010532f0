"""The price page, the preview and the account page of a site that sells with tax, as people see them."""

import pytest
from playwright.sync_api import expect

from billing import testing
from billing.tests.lifecycle.test_tax import nowhere
from billing.tests.taxed import AUTOMATIC, FRENCH_ID, PARIS, bought, sell_with_tax

from .test_subscriber import PHONE, follow, heading, press, see, signed_in, site  # noqa: F401

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("behavior", "words", "sentence"),
    [("inclusive", "incl. VAT", "Prices include VAT."), ("exclusive", "plus tax", "Tax is added at checkout.")],
)
def test_the_price_page_says_whether_tax_is_in_the_price(world, site, settings, browse, see, behavior, words, sentence):  # noqa: F811
    sell_with_tax(world, settings, **{**AUTOMATIC, "behavior": behavior})
    for look, name in (({}, "desktop"), (PHONE, "phone")):
        page = browse(f"{site}/?currency=eur", **look)
        expect(page.get_by_role("listitem").filter(has_text="Pro").first).to_contain_text(words)
        expect(page.get_by_role("main")).to_contain_text(sentence)
        see(page, f"prices-{behavior}-{name}")
        switch = page.get_by_role("navigation", name="Billing interval")
        expect(switch.get_by_role("link", name="Yearly")).to_contain_text("Save")
        switch.get_by_role("link", name="Yearly").click()
        expect(page.get_by_role("listitem").filter(has_text="Pro").first).to_contain_text(words)
        see(page, f"prices-{behavior}-yearly-{name}")


def test_a_buyer_sees_tax_in_the_preview_and_in_what_they_paid(world, site, settings, signed_in, see):  # noqa: F811
    sell_with_tax(world, settings)
    ada = bought(world)
    page = signed_in(ada.user, "/billing/")
    expect(page.get_by_role("region", name="Payments").first).to_contain_text("€15.97 net + €3.03 tax")
    see(page, "billing-with-tax")
    page.goto("/billing/change?plan=team&interval=month")
    heading(page, "Change to Team")
    expect(page.get_by_role("main")).to_contain_text("Net")
    see(page, "change-with-tax")


def test_a_business_sees_the_reverse_charge_on_a_phone(world, site, settings, signed_in, see):  # noqa: F811
    sell_with_tax(world, settings)
    world.control("tax", reverse_charge="given")
    page = signed_in(bought(world, address=PARIS, tax_id=FRENCH_ID).user, "/billing/invoices", **PHONE)
    expect(page.get_by_role("main")).to_contain_text("No tax: reverse charge")
    see(page, "invoices-reverse-charge")


def test_who_owes_us_an_address_enters_it_in_the_portal(world, site, settings, signed_in, see):  # noqa: F811
    sell_with_tax(world, settings)
    world.control("tax", without_location="fail")
    ada = bought(world)
    nowhere(world, ada)
    world.advance(days=32)
    world.deliver()
    page = signed_in(ada.user, "/billing/")
    see(page, "billing-address-needed")
    press(page, "Enter your address")
    page.get_by_label("Country, two letters").fill("DE")
    page.get_by_label("Postal code").fill("10115")
    page.get_by_role("button", name="Save").first.click()
    world.deliver()
    testing.work()
    world.deliver()
    page.goto(f"{site}/billing/")
    expect(page.get_by_role("main")).not_to_contain_text("We need your address")

"""Staff agree with a company on terms, the company sees its invoice, and staff see what is owed: in the browser."""

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import expect

from billing import access

from . import accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse-battery"
PHONE = {"phone": True, "dark": True}


@pytest.fixture
def signed_in(live_server, world, settings, browse):
    """`signed_in(user, path)`: their page there, after the login page."""
    settings.SITE_URL = live_server.url
    world.control("portal")

    def enter(user, path, **look):
        page = browse(f"{live_server.url}/accounts/login/?next={path}", **look)
        page.get_by_label("E-mail address").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return page

    return enter


@pytest.fixture
def root():
    return get_user_model().objects.create_superuser("root@example.com", PASSWORD)


def fits(page):
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), page.url


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def test_terms_are_agreed_the_invoice_is_seen_and_what_is_owed_leads_to_its_rows(world, signed_in, root, shoot):
    acme = world.sign_up("acme@example.com")
    page = signed_in(root, f"/admin/billing/agreement/add/?subscriber={acme.pk}")
    page.get_by_label("Plan").select_option(label="Team")
    page.get_by_label("Agreed amount").fill("1500.00")
    page.get_by_label("Currency").select_option("usd")
    page.get_by_label("Days until due").fill("-1")
    page.get_by_label("Purchase order number").fill("4711")
    page.get_by_label("Reason").fill("Agreed on the phone with their buyer")
    press(page, "Draft an agreement")
    expect(page.get_by_text("An invoice is due in 1 to 365 days.")).to_be_visible()
    page.get_by_label("Days until due").fill("10")
    fits(page)
    shoot(page, "admin-agreement-form")
    press(page, "Draft an agreement")
    expect(page.locator(".messagelist")).to_contain_text("Nothing has happened at Stripe yet")
    fits(page)
    shoot(page, "admin-agreement-draft")
    page.get_by_role("link", name="Send", exact=True).click()
    expect(page.get_by_text("an invoice of $1,500.00, before tax, due in 10 days")).to_be_visible()
    page.get_by_label("Reason").fill("Their order came")
    press(page, "Send the agreement")
    expect(page.locator(".messagelist")).to_contain_text("Sent. Stripe has sent the first invoice.")
    shoot(page, "admin-agreement-started")
    assert access.has_access(acme, plan="team")
    world.deliver()

    for name, look in {"desktop": {}, "phone": PHONE}.items():
        theirs = signed_in(acme, "/billing/", **look)
        expect(theirs.get_by_role("heading", name="You have an invoice of $1,500.00 to pay by")).to_be_visible()
        expect(theirs.get_by_role("link", name="Pay the invoice")).to_be_visible()
        expect(theirs.get_by_role("link", name="PDF").first).to_be_visible()
        fits(theirs)
        shoot(theirs, f"site-invoice-due-{name}")
        assert (name, accessibility.problems(theirs)) == (name, [])

    world.advance(days=12)
    world.deliver()
    page.goto("/admin/billing/dashboard/")
    section = page.locator("section[aria-labelledby=receivables]")
    expect(section).to_contain_text("$1,500.00")
    section.scroll_into_view_if_needed()
    fits(page)
    shoot(page, "admin-receivables")
    section.get_by_role("link", name="0–30 days").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    expect(page.get_by_text("acme@example.com").first).to_be_visible()

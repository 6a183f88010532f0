"""A subscriber's life on the site's pages, in a browser: sign up, pay, change, leave; the sandbox is Stripe."""

import copy
import re
from urllib.parse import quote, urlsplit

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import expect

from billing import testing
from billing.lifecycle import checkout
from billing.models import Customer, Subscription

from . import accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse-battery"
DECLINED, NEEDS_BANK = "4000000000009995", "4000002760003184"
PHONE = {"phone": True, "dark": True, "javascript": False}


@pytest.fixture
def site(live_server, world, settings):
    """The site's address. Stripe leads back to it, and its forms may lead to this Stripe."""
    settings.SITE_URL = live_server.url
    name = "SECURE_CSP" if django_settings.HAS_CSP else "CONTENT_SECURITY_POLICY"
    policy = copy.deepcopy(getattr(django_settings, name))
    policy.get("DIRECTIVES", policy)["form-action"].append("{0.scheme}://{0.netloc}".format(urlsplit(world.url)))
    setattr(settings, name, policy)
    world.control("portal")
    return live_server.url


@pytest.fixture
def see(shoot):
    """Keeps the page as it looks, and holds that everyone can use it."""

    def look(page, name):
        shoot(page, f"site-{name}")
        assert (name, accessibility.problems(page)) == (name, [])

    return look


@pytest.fixture
def signed_in(site, browse):
    """`signed_in(user, path, **look)`: their page there, after the login page."""

    def enter(user, path, **look):
        page = browse(f"{site}/accounts/login/?next={quote(path)}", **look)
        page.get_by_label("E-mail address").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return page

    return enter


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def follow(page, name):
    page.get_by_role("link", name=name, exact=True).first.click()


def heading(page, words):
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def said(page, words):
    expect(page.get_by_role("status")).to_contain_text(words)


def pay(page, number):
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12 / 34")
    page.get_by_label("Security code").fill("123")
    press(page, "Subscribe")


def plan(page):
    return page.get_by_role("region", name="Plan")


def test_a_visitor_signs_up_pays_changes_their_mind_in_every_way_and_leaves(world, site, browse, see):
    page = browse(site)
    see(page, "prices")
    sign_up_and_pay(page, see)
    change_up_and_down(page, world, see)
    cancel_and_resume(page, see)
    portal_and_invoices(page, world, see)
    delete_the_account(page, see)
    testing.work()
    assert Customer.objects.get().deleted_at is not None
    assert Subscription.objects.get().status == "canceled"


def sign_up_and_pay(page, see):
    follow(page, "Choose Pro")
    see(page, "sign-up")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign up")
    heading(page, "Pro")
    see(page, "checkout")
    press(page, "Continue to payment")
    pay(page, DECLINED)
    expect(page.get_by_role("alert")).to_have_text("Your card has insufficient funds.")
    pay(page, NEEDS_BANK)
    press(page, "Complete authentication")
    heading(page, "Welcome to Pro")
    see(page, "return-paid")
    follow(page, "See your plan")
    expect(plan(page)).to_contain_text("Active")


def change_up_and_down(page, world, see):
    """The card asks for 3D Secure each time: the upgrade waits for it, and the page says so."""
    follow(page, "Change plan")
    see(page, "change")
    follow(page, "Preview the change to Team")
    heading(page, "Change to Team")
    see(page, "change-up")
    press(page, "Pay $40.00 and change")
    expect(page.get_by_text("Your bank wants you to confirm this payment.")).to_be_visible()
    invoice = page.url
    page.goto("/billing/")
    see(page, "billing-confirm")
    follow(page, "Confirm the payment")
    expect(page).to_have_url(invoice)
    page.get_by_role("button", name="Pay with the card ending in 3184").click()
    press(page, "Complete authentication")
    expect(page.get_by_role("main")).to_contain_text("the invoice is paid")
    world.deliver()
    page.goto("/billing/")
    expect(plan(page)).to_contain_text("Team")
    see(page, "billing")
    follow(page, "Change plan")
    follow(page, "Preview the change to Pro")
    see(page, "change-down")
    press(page, "Confirm the change")
    expect(page.get_by_role("heading", name="Your plan changes to Pro on")).to_be_visible()
    see(page, "billing-downgrade")
    press(page, "Keep Team")
    said(page, "The change is cancelled.")


def cancel_and_resume(page, see):
    follow(page, "Cancel")
    see(page, "cancel")
    press(page, "Cancel the subscription")
    expect(page.get_by_role("heading", name="Your subscription is cancelled")).to_be_visible()
    see(page, "billing-cancelled")
    press(page, "Resume the subscription")
    said(page, "continues as before")


def portal_and_invoices(page, world, see):
    press(page, "Card and address")
    expect(page).to_have_url(re.compile(f"^{world.url}/p/"))
    page.get_by_role("link", name="Back").first.click()
    expect(plan(page)).to_contain_text("Team")
    follow(page, "All invoices")
    expect(page.get_by_role("row")).to_have_count(3)
    see(page, "invoices")
    follow(page, "Back to your account page")


def delete_the_account(page, see):
    follow(page, "Delete your account")
    page.get_by_label("Your password").fill("not my password")
    press(page, "Delete my account")
    expect(page.get_by_role("alert")).to_have_text("This is not your password. Nothing was deleted.")
    see(page, "delete")
    page.get_by_label("Your password").fill(PASSWORD)
    press(page, "Delete my account")
    heading(page, "Your account is being deleted")
    see(page, "deleted")
    page.goto("/billing/")
    heading(page, "Welcome back")
    see(page, "login")


def test_the_way_in_can_be_gone_on_a_phone_in_the_dark_without_javascript(site, browse, see):
    page = browse(site, **PHONE)
    see(page, "prices-phone")
    sign_up_and_pay(page, lambda page, name: see(page, f"{name}-phone"))
    see(page, "billing-phone")


def test_a_plan_is_changed_and_left_on_a_phone_in_the_dark_without_javascript(world, signed_in, see):
    ada = world.subscribed()
    page = signed_in(ada.user, "/billing/change", **PHONE)
    see(page, "change-phone")
    follow(page, "Preview the change to Team")
    see(page, "change-up-phone")
    press(page, "Pay $40.00 and change")
    said(page, "Your plan has been changed.")
    follow(page, "Cancel")
    see(page, "cancel-phone")
    page.get_by_role("radio", name="Now").check()
    press(page, "Cancel the subscription")
    said(page, "Nothing more will be charged for it.")
    world.deliver()
    page.goto("/billing/")
    see(page, "billing-ended-phone")
    page.goto("/billing/invoices")
    see(page, "invoices-phone")
    page.goto("/accounts/delete/")
    see(page, "delete-phone")
    assert not ada.access.has_access


def test_coming_back_says_what_happens_next_however_the_payment_went(world, signed_in, see):
    ada = world.sign_up()
    attempt = checkout.start(ada, "pro", "month")
    page = signed_in(ada, f"/billing/return?session_id={attempt.session_id}")
    heading(page, "The payment is not finished")
    see(page, "return-open")
    world.control(f"checkout/{attempt.session_id}/complete", outcome="processing")
    page.goto(f"/billing/return?session_id={attempt.session_id}")
    heading(page, "Your payment is being processed")
    see(page, "return-processing")
    world.control(f"checkout/{attempt.session_id}/complete", outcome="declined")
    world.advance(hours=24)  # an unpaid subscription is given up after 23 hours
    heading(page, "The payment did not go through")  # the page looks again by itself
    see(page, "return-failed")
    follow(page, "See the plans")
    attempt = checkout.start(ada, "pro", "month")
    world.advance(hours=25)
    page.goto(f"/billing/return?session_id={attempt.session_id}")
    heading(page, "This checkout has expired")
    see(page, "return-expired")


def test_a_payment_that_failed_is_told_with_what_to_do_about_it(world, signed_in, see):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    page = signed_in(ada.user, "/billing/change?plan=team&interval=month")
    press(page, "Pay $40.00 and change")
    heading(page, "The payment was declined")
    see(page, "declined")
    world.advance(days=32)
    world.deliver()
    page.goto("/billing/")
    see(page, "billing-overdue")
    world.advance(days=4)
    world.deliver()
    page = signed_in(ada.user, "/billing/", **PHONE)
    see(page, "billing-overdue-phone")
    follow(page, "Pay now")
    expect(page).to_have_url(re.compile(f"^{world.url}/i/"))

"""Tokens and the confirmation of an address as a person meets them, on a phone and at a desk."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.core import mail
from playwright.sync_api import expect

from accounts import confirmation, tokens
from billing.tests.browser import accessibility

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
User = get_user_model()
PASSWORD = "correct-horse-battery"
SMALL = {"width": 390, "height": 844}


@pytest.fixture
def site(live_server, settings):
    settings.SITE_URL = live_server.url
    settings.ACCOUNTS_CONFIRM_EMAIL = True
    settings.BILLING_EMAIL_IS_CONFIRMED = "accounts.confirmation.is_confirmed"
    return live_server.url


@pytest.fixture
def see(shoot):
    def look(page, name):
        page.set_viewport_size(SMALL)
        shoot(page, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
        assert accessibility.problems(page) == []

    return look


def log_in(page, path):
    page.goto(path)
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()


def test_a_new_subscriber_confirms_their_address_from_the_mail(site, browse, see):
    page = browse(f"{site}/accounts/signup/")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_text("Confirm your e-mail address")).to_be_visible()
    see(page, "confirm-banner")
    page.get_by_role("link", name="No e-mail?").click()
    see(page, "confirm-again")
    page.get_by_role("button", name="Send the e-mail again").click()
    expect(page.get_by_text("We sent you an e-mail")).to_be_visible()
    [link] = re.findall(r"http://\S+/accounts/confirm/\S+", mail.outbox[-1].body)
    page.goto(link)
    see(page, "confirm-button")
    page.get_by_role("button", name="Yes, this is my address").click()
    expect(page.get_by_text("Thank you. Your address is confirmed.")).to_be_visible()
    expect(page.get_by_text("Confirm your e-mail address")).to_have_count(0)
    assert User.objects.get().has_confirmed_email


def test_a_link_of_another_account_says_what_to_do(site, browse, see):
    User.objects.create_user("ada@example.com", PASSWORD)
    ben = User.objects.create_user("ben@example.com", PASSWORD)
    page = browse(f"{site}/")
    log_in(page, confirmation.link(ben))
    expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work here")
    see(page, "confirm-other-account")
    assert not User.objects.get(email="ben@example.com").has_confirmed_email


def test_a_token_is_made_seen_once_and_revoked(site, browse, see):
    confirmation.confirm(User.objects.create_user("ada@example.com", PASSWORD))
    page = browse(f"{site}/")
    log_in(page, f"{site}/accounts/tokens/")
    see(page, "tokens-none")
    page.get_by_label("Name").fill("nightly export to the warehouse in Rotterdam")
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Create a token").click()
    expect(page.get_by_text("Copy it now")).to_be_visible()
    value = page.locator("#new-token").inner_text()
    assert tokens.find(value)
    see(page, "tokens-made")
    page.goto(f"{site}/accounts/tokens/")
    assert value not in page.content()
    page.get_by_role("button", name="Revoke nightly export").click()
    expect(page.get_by_text("It no longer works")).to_be_visible()
    expect(page.get_by_text("You have no tokens.")).to_be_visible()
    assert not User.objects.get().api_tokens.current().exists()

"""A trial without a card, from the price page to its end, and Checkout on a page of the site, in a browser."""

import re

import pytest
from playwright.sync_api import expect

from billing.lifecycle import checkout
from billing.models import Plan

from .test_subscriber import PASSWORD, PHONE, follow, heading, plan, press, said, see, signed_in, site

__all__ = ["see", "signed_in", "site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def sign_up_on_trial(page, button):
    """Sign up for Team, and begin its trial at Checkout without typing a card."""
    follow(page, "Choose Team")
    page.get_by_label("E-mail address").fill("eve@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign up")
    heading(page, "Team")
    press(page, "Continue")
    page.get_by_role("button", name=button).click()
    heading(page, "Welcome to Team")


def banner(page, words):
    expect(page.get_by_role("main")).to_contain_text(words)


def test_a_trial_without_a_card_is_paused_at_its_end_and_taken_up_by_adding_one(world, site, browse, see, settings):
    settings.BILLING_ADD_CARD = "checkout"
    Plan.objects.filter(slug="team").update(trial_without_card="pause")
    page = browse(site)
    banner(page, "14-day free trial, no card needed")
    see(page, "prices-trial")
    sign_up_on_trial(page, re.compile("trial|Subscribe"))
    world.deliver()
    follow(page, "See your plan")
    expect(plan(page)).to_contain_text("Trial")
    banner(page, "Team is paused when the trial ends on")
    see(page, "billing-trial-without-card")
    page.goto("/")
    expect(page.get_by_text("free trial")).to_have_count(0)
    world.advance(days=15)
    world.deliver()
    page.goto("/billing/")
    banner(page, "Your subscription is paused")
    see(page, "billing-trial-paused")
    press(page, "Add a card")
    page.get_by_label("Card number").fill("4242424242424242")
    page.get_by_label("Expiry").fill("12 / 34")
    page.get_by_label("Security code").fill("123")
    page.get_by_role("button", name=re.compile("Save|Set up")).click()
    said(page, "Your card is saved")
    press(page, "Resume")
    expect(plan(page)).to_contain_text("Active")
    see(page, "billing-trial-taken-up")


def test_on_a_phone_the_end_of_a_trial_without_a_card_is_told_too(world, site, browse, see):
    Plan.objects.filter(slug="team").update(trial_without_card="cancel")
    page = browse(site, **PHONE)
    sign_up_on_trial(page, re.compile("trial|Subscribe"))
    world.deliver()
    follow(page, "See your plan")
    banner(page, "Team ends with the trial on")
    see(page, "billing-trial-without-card-phone")
    world.advance(days=15)
    world.deliver()
    page.goto("/billing/")
    banner(page, "Your subscription has ended")
    see(page, "billing-trial-over-phone")


def test_checkout_on_a_page_of_the_site_is_paid_there_and_leads_on(world, signed_in, see, settings):
    settings.BILLING_CHECKOUT_EMBEDDED, settings.STRIPE_PUBLISHABLE_KEY = True, "pk_test_1"
    ada = world.sign_up()
    page = signed_in(ada, "/billing/checkout?plan=pro&interval=month")
    press(page, "Continue to payment")
    expect(page).to_have_url(re.compile("/billing/pay"))
    frame = page.frame_locator("iframe")
    frame.get_by_label("Card number").fill("4242424242424242")
    see(page, "pay-embedded")
    frame.get_by_label("Expiry").fill("12 / 34")
    frame.get_by_label("Security code").fill("123")
    frame.get_by_role("button", name="Subscribe").click()
    heading(page, "Welcome to Pro")


def test_without_javascript_the_page_says_what_it_needs(world, signed_in, see, settings):
    settings.BILLING_CHECKOUT_EMBEDDED, settings.STRIPE_PUBLISHABLE_KEY = True, "pk_test_1"
    ada = world.sign_up()
    attempt = checkout.start(ada, "pro", "month")
    page = signed_in(ada, f"/billing/pay?session_id={attempt.session_id}", **PHONE)
    banner(page, "It needs JavaScript")
    see(page, "pay-embedded-phone")

"""Absolute addresses of a site that is mounted below a path, in web requests and in the worker."""

import pytest
from django.urls import clear_script_prefix, reverse, set_script_prefix

from billing import site, testing
from billing.lifecycle import invoice_links, portal
from billing.models import CheckoutAttempt
from billing.setup import account


@pytest.fixture(params=["worker", "web", "forced"])
def shop(request, settings):
    """A site below /shop: in a web request `reverse` knows the path, in the worker it does not."""
    if request.param == "forced":
        settings.FORCE_SCRIPT_NAME, settings.SITE_URL = "/shop", "https://example.com"
    else:
        settings.SITE_URL = "https://example.com/shop"
    if request.param != "worker":
        set_script_prefix("/shop/")
    yield "https://example.com/shop"
    clear_script_prefix()


def test_every_address_has_the_path_once(shop):
    assert site.absolute(reverse("billing:return")) == f"{shop}/billing/return"
    assert site.absolute(reverse("billing:prices")) == f"{shop}/"
    assert account.webhook_url() == f"{shop}/api/v1/webhooks/stripe"
    assert site.absolute(invoice_links.page_of("in_1")).startswith(f"{shop}/billing/pay/in_1.")


def test_a_path_that_only_begins_alike_stays_whole(settings):
    settings.SITE_URL = "https://example.com"
    set_script_prefix("/s/")
    try:
        assert site.absolute("/shop/") == "https://example.com/shop/"
    finally:
        clear_script_prefix()


@pytest.mark.django_db
def test_a_buyer_comes_back_once_below_the_path(world, shop):
    ada = world.subscribed()
    session = world.stripe("GET", f"checkout/sessions/{CheckoutAttempt.objects.get().session_id}")
    assert session["success_url"].startswith(f"{shop}/billing/return?session_id=")
    world.control("portal")
    portal.open_portal(ada.user)
    (opened,) = [e for e in world.events() if e["type"] == "billing_portal.session.created"]
    assert opened["data"]["object"]["return_url"] == f"{shop}/billing/"


@pytest.mark.django_db
def test_people_are_sent_to_the_pages_of_a_front_end(world, settings):
    app = "https://app.example.com"
    settings.BILLING_PAGES = {"return": f"{app}/?page=paid", "account": f"{app}/me"}
    ada = world.subscribed()
    session = world.stripe("GET", f"checkout/sessions/{CheckoutAttempt.objects.get().session_id}")
    assert session["success_url"] == f"{app}/?page=paid&session_id={{CHECKOUT_SESSION_ID}}"
    assert session["cancel_url"] == site.absolute(site.path_of("prices"))
    world.control("portal")
    portal.open_portal(ada.user)
    (opened,) = [e for e in world.events() if e["type"] == "billing_portal.session.created"]
    assert opened["data"]["object"]["return_url"] == f"{app}/me"


@pytest.mark.django_db
def test_the_test_kit_reaches_the_door_below_a_path_and_behind_the_redirect_to_https(shop, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert testing.post(b"{}").status_code == 400

"""Checkout on a page of the site: its own buyer sees it, Stripe is let in by the page's policy, and by no other's."""

import pytest
from django.conf import settings as django_settings

from billing.lifecycle import checkout, embedded
from billing.pages import policies

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def site(settings):
    settings.BILLING_CHECKOUT_EMBEDDED, settings.STRIPE_PUBLISHABLE_KEY = True, "pk_test_1"


@pytest.fixture
def ada(world):
    return world.sign_up()


def test_the_session_is_embedded_and_its_address_is_ours(world, ada, site, settings):
    attempt = checkout.start(ada, "pro", "month")
    session = world.stripe("GET", f"checkout/sessions/{attempt.session_id}")
    assert (session["ui_mode"], session["url"]) == ("embedded_page", None)
    assert session["return_url"] == f"{settings.SITE_URL}/billing/return?session_id={{CHECKOUT_SESSION_ID}}"
    assert attempt.url == f"{settings.SITE_URL}/billing/pay?session_id={attempt.session_id}"


def test_the_api_answers_with_that_address(world, ada, site, client):
    client.force_login(ada)
    asked = {"plan": "pro", "interval": "month"}
    answer = client.post("/api/v1/subscriptions/checkout", asked, content_type="application/json")
    assert answer.status_code == 201
    assert "/billing/pay?session_id=cs_" in answer.json()["url"]


def test_the_page_shows_it_and_lets_stripe_in(world, ada, site, client):
    attempt = checkout.start(ada, "pro", "month")
    client.force_login(ada)
    page = client.get(f"/billing/pay?session_id={attempt.session_id}")
    assert f"{attempt.session_id}_secret_" in page.content.decode()
    assert f'src="{django_settings.STRIPE_API_BASE}/stripe.js"' in page.content.decode()
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))
    origin = django_settings.STRIPE_API_BASE
    assert policy["script-src"] == policy["frame-src"] == policy["connect-src"] == f"'self' {origin}"
    assert policy["frame-ancestors"] == "'none'"
    assert origin not in client.get("/billing/").headers["Content-Security-Policy"].partition("script-src")[2]


def test_a_stranger_sees_nothing_of_it(world, ada, site, client):
    attempt = checkout.start(ada, "pro", "month")
    client.force_login(world.sign_up("mallory@example.com"))
    assert client.get(f"/billing/pay?session_id={attempt.session_id}").status_code == 404
    assert client.get("/billing/pay").status_code == 404
    client.logout()
    assert client.get(f"/billing/pay?session_id={attempt.session_id}").status_code == 302


def test_one_that_is_paid_leads_to_the_return_page(world, ada, site, client):
    attempt = checkout.start(ada, "pro", "month")
    world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
    client.force_login(ada)
    answer = client.get(f"/billing/pay?session_id={attempt.session_id}")
    assert answer.headers["Location"] == f"/billing/return?session_id={attempt.session_id}"
    assert "Welcome to Pro" in client.get(answer.headers["Location"]).content.decode()


def test_during_an_outage_it_says_so(world, ada, site, client):
    attempt = checkout.start(ada, "pro", "month")
    client.force_login(ada)
    with world.down():
        assert client.get(f"/billing/pay?session_id={attempt.session_id}").status_code == 503


def test_at_stripe_the_script_is_that_of_the_pinned_version(settings):
    settings.STRIPE_API_BASE = ""
    assert embedded.script() == "https://js.stripe.com/dahlia/stripe.js"
    assert "https://js.stripe.com" in policies._stripes("script-src")


def test_a_site_without_a_policy_sends_none(settings):
    settings.SECURE_CSP, settings.CONTENT_SECURITY_POLICY = None, None
    from django.http import HttpResponse

    assert policies.SENT not in policies.allowing_stripe(HttpResponse()).headers

"""A project may have a front page of its own: billing then lives under a prefix, and Stripe and buyers are led
there."""

import pytest
from django.urls import include, path

from billing import testing
from billing.lifecycle import portal
from billing.models import CheckoutAttempt
from billing.setup import account

urlpatterns = [path("pay/", include("billing.urls"))]

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(settings, world):
    settings.ROOT_URLCONF = __name__
    return settings.SITE_URL


def test_buyers_come_back_to_it_and_webhooks_arrive(world, site):
    ada = world.subscribed()
    session = world.stripe("GET", f"checkout/sessions/{CheckoutAttempt.objects.get().session_id}")
    assert session["success_url"] == f"{site}/pay/billing/return?session_id={{CHECKOUT_SESSION_ID}}"
    assert session["cancel_url"] == f"{site}/pay/"
    assert ada.access.has_access


def test_the_portal_leads_back_to_it(world, site):
    ada = world.subscribed()
    world.control("portal")
    portal.open_portal(ada.user)
    (opened,) = [e for e in world.events() if e["type"] == "billing_portal.session.created"]
    assert opened["data"]["object"]["return_url"] == f"{site}/pay/billing/"


def test_the_endpoint_at_stripe_is_there(site):
    assert account.webhook_url() == f"{site}/pay/api/v1/webhooks/stripe"
    assert testing.post(b"{}").status_code == 400

"""Stripe's portal speaks the language of the page that leads to it."""

from io import StringIO

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world, client):
    call_command("setup_stripe", "--yes", stdout=StringIO())
    ada = world.subscribed()
    client.force_login(ada.user)
    return ada


def portal_at(world, url):
    """Return the session at Stripe that an address leads to."""
    return world.sandbox.state.get("billing_portal.session", url.rpartition("/")[2], "id")


@pytest.mark.parametrize(
    ("speaks", "locale"), [("de-AT,de;q=0.9", "de"), ("pt-BR", "pt-BR"), ("tlh", None), ("", None)]
)
def test_the_page_and_the_api_open_it_in_the_readers_language(world, ada, client, speaks, locale):
    headers = {"accept-language": speaks}
    page = client.post("/billing/portal", headers=headers)
    assert portal_at(world, page.headers["Location"])["locale"] == locale
    api = APIClient()
    api.force_authenticate(ada.user)
    url = api.post("/api/v1/subscriptions/portal", headers=headers).json()["url"]
    session = portal_at(world, url)
    assert (session["locale"], session["customer"]) == (locale, ada.customer)


def test_the_language_that_was_chosen_here_comes_before_the_browsers(world, ada, client):
    ada.user.language = "fr"
    ada.user.save()
    page = client.post("/billing/portal", headers={"accept-language": "de"})
    assert portal_at(world, page.headers["Location"])["locale"] == "fr"

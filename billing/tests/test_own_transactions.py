"""A host project runs each request in a transaction: our views have their own, and Stripe is called in none."""

import pytest
from django.db import connection
from django.urls import URLResolver, get_resolver

from billing import site
from billing.stripe_client.http_client import HttpClient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def each_request_is_one(monkeypatch):
    """Each request of a test is one transaction, and each call to Stripe inside of any is noted."""
    inside, send = [], HttpClient.send

    def watched(client, method, url, request, post_data=None):
        inside.extend([f"{method} {url}"] * connection.in_atomic_block)
        return send(client, method, url, request, post_data)

    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    monkeypatch.setattr(HttpClient, "send", watched)
    return inside


def addresses(patterns, names=()):
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from addresses(each.url_patterns, (*names, each.namespace))
        else:
            yield names, each


def test_every_address_of_ours_opens_no_transaction_of_the_request():
    everything = list(addresses(get_resolver().url_patterns))
    ours = [each for names, each in everything if "billing" in names]
    in_admin = [
        each for _, each in everything if (each.name or "").startswith(("billing_customer_", "billing_stripeevent"))
    ]
    assert len(ours) > 20
    assert len(in_admin) > 10
    marked = [each for each in (*ours, *in_admin) if "default" in getattr(each.callback, "_non_atomic_requests", ())]
    assert len(marked) == len(ours) + len(in_admin)


def test_pages_api_and_door_do_as_ever_and_call_stripe_in_no_transaction(world, client, each_request_is_one):
    ada = world.subscribed()
    client.force_login(ada.user)
    wanted = {"plan": "team", "interval": "month"}
    assert client.get(site.path_of("change"), wanted).status_code == 200
    assert client.post(site.path_of("change"), wanted).status_code == 302
    assert client.post(site.path_of("cancel"), {"when": "period_end"}).status_code == 302
    assert client.post("/api/v1/subscriptions/resume").status_code == 200
    world.deliver()
    assert (ada.access.plan.slug, ada.access.reason) == ("team", "active")
    assert each_request_is_one == []

"""Health is answered by any Host, over http too, and to nobody more than before."""

import pytest
from django.http import HttpResponse
from django.urls import include, path

pytestmark = pytest.mark.django_db

BY_ADDRESS = {"Host": "10.1.2.3:8000"}

urlpatterns = [path("pay/", include("billing.urls")), path("their/healthz", HttpResponse)]


@pytest.fixture(autouse=True)
def production(settings):
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["www.example.com"], True


@pytest.mark.parametrize("name", ["healthz", "readyz", "metrics"])
def test_it_is_answered_by_the_address_of_the_instance(client, name):
    assert client.get(f"/{name}", headers=BY_ADDRESS).status_code == 200


@pytest.mark.parametrize(("address", "status"), [("/", 400), ("/api/v1/plans", 400), ("/nothing/healthz", 400)])
def test_nothing_else_is(client, address, status):
    assert client.get(address, headers=BY_ADDRESS, secure=True).status_code == status


def test_metrics_still_ask_for_their_token(client, settings):
    settings.BILLING_MONITORING_TOKEN = "secret"
    assert client.get("/metrics", headers=BY_ADDRESS).status_code == 401
    assert client.get("/metrics", headers={**BY_ADDRESS, "Authorization": "Bearer secret"}).status_code == 200


def test_it_follows_where_the_addresses_are_included(client, settings):
    settings.ROOT_URLCONF = __name__
    assert client.get("/pay/healthz", headers=BY_ADDRESS).status_code == 200
    assert client.get("/their/healthz", headers=BY_ADDRESS, secure=True).status_code == 400

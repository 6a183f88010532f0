"""Alive, and able to work."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from billing import health
from billing.models import StripeEvent

pytestmark = pytest.mark.django_db


def waiting_event(age, **changes):
    fields = {"id": "evt_1", "type": "invoice.paid", "created": 1, "livemode": False, "lane": "cus_1", "payload": {}}
    return StripeEvent.objects.create(**{**fields, "received_at": timezone.now() - age, **changes})


def test_alive_asks_nothing_of_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").json() == {"status": "ok"}


def test_ready_with_nothing_waiting(client):
    assert client.get("/readyz").json() == {"status": "ready", "oldest_waiting_seconds": None}


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

    monkeypatch.setattr(health, "oldest_waiting", away)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "The database does not answer.")

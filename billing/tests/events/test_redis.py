"""A real Redis carries queue and cache (REDIS_URL); whatever it loses is found again."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.models import OrmQ

from billing import lanes, testing
from billing.events import sweep, worker
from billing.models import Lane, Payment, StripeEvent
from billing.queues import background
from billing.stripe_client import budget, circuit, shared_state
from billing.testing import assert_all_processed
from billing.tests.processes import running, until
from billing.tests.redis_server import Redis, needs_redis

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgres_only,
    needs_redis,
]


@pytest.fixture
def redis_server(tmp_path, settings, monkeypatch):
    """This process, as REDIS_URL would have set it up; others are told by their environment."""
    server = Redis(tmp_path)
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": server.url,
            "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2},
        }
    }
    monkeypatch.setattr(Conf, "ORM", None)
    monkeypatch.setattr(Conf, "REDIS", server.url)
    monkeypatch.setattr(Conf, "CLUSTER_NAME", "billing")
    yield server
    cache.close()
    server.stop()


def test_an_event_is_carried_to_a_worker_process(redis_server, world):
    ada = world.subscribe()
    with running("-m", "django", "qcluster", REDIS_URL=redis_server.url):
        world.deliver(work=False)
        until(lambda: not StripeEvent.objects.waiting().exists(), what="every event processed")
    assert not OrmQ.objects.exists()
    assert ada.access.reason == "active"


def test_a_worker_killed_at_work_loses_its_task_and_the_sweep_finds_its_lane(redis_server, world):
    ada = world.subscribe()
    world.control("faults", api={"latency_ms": 4000})
    with running("-m", "django", "qcluster", REDIS_URL=redis_server.url) as doomed:
        world.deliver(work=False)
        until(lambda: Lane.objects.exclude(token=None).exists(), what="a hold")
        doomed.kill()
    # A killed worker's pusher still waits at Redis for some milliseconds, and would be handed the sweep's task too:
    # lost as the first was, and found by the sweep of the next minute.
    until(redis_server.hands_out_to_nobody, what="the end of the killed worker's connections")
    world.control("faults")
    assert get_broker().queue_size() == 0, "Redis has handed the task out and keeps none"
    later = timezone.now() - timedelta(minutes=5)
    Lane.objects.filter(pk=ada.customer).update(woken_at=later, leased_until=later)
    sweep.sweep()
    with running("-m", "django", "qcluster", REDIS_URL=redis_server.url):
        until(lambda: not StripeEvent.objects.waiting().exists(), what="every event processed")
    assert_all_processed()
    assert Payment.objects.count() == 1
    assert ada.access.reason == "active"


def test_a_redis_that_is_away_loses_no_event_at_the_door(redis_server, world):
    redis_server.stop()
    event = testing.event("customer.updated", {"id": "cus_1", "object": "customer"})
    assert testing.deliver(event).json() == {"status": "received"}
    until(background.is_idle, what="that it was given up")
    redis_server.start()
    Lane.objects.update(woken_at=timezone.now() - timedelta(minutes=1))
    sweep.sweep()
    assert get_broker().queue_size() == 1
    assert worker.drain("cus_1") == "drained"


def test_the_budget_is_counted_exactly(redis_server, settings):
    settings.BILLING_STRIPE_RATE = 2  # windows with five calls
    granted = []
    threads = [threading.Thread(target=lambda: granted.append(budget.granted(2, is_patient=False))) for _ in range(6)]
    with time_machine.travel(timezone.now(), tick=False):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(granted) == 5


def test_an_open_circuit_is_known_to_other_processes(redis_server, monkeypatch):
    circuit.failed(5)
    shared_state.reset()
    assert not circuit.lets_through()


def test_without_redis_each_process_counts_alone_and_nothing_fails(redis_server, settings):
    settings.BILLING_STRIPE_RATE = 80
    redis_server.stop()
    assert budget.take(1, is_patient=False)
    circuit.failed(1)
    circuit.succeeded()
    assert circuit.lets_through()


def test_the_queue_is_told_after_the_commit_and_not_at_all_after_a_rollback(redis_server):
    with transaction.atomic():
        lanes.wake("cus_1")
        assert get_broker().queue_size() == 0
        transaction.set_rollback(True)
    assert get_broker().queue_size() == 0
    with transaction.atomic():
        lanes.wake("cus_1")
    assert get_broker().queue_size() == 1

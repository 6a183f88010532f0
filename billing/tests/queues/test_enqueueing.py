"""A real Redis, by RQ, as a broker that is there, away, or hanging."""

import time

import pytest
from django.db import transaction

from billing import lanes, queues, testing
from billing.events import schedule
from billing.models import ScheduledTask, StripeEvent
from billing.queues import background, enqueueing
from billing.tests.processes import until
from billing.tests.redis_server import needs_redis

pytest.importorskip("rq", reason="no RQ here: pip install rq")
pytestmark = [pytest.mark.django_db(transaction=True), needs_redis]
DRAIN = lanes.claims.DRAIN


@pytest.fixture(autouse=True)
def broker(project, redis_server):
    project.follow("RQ", redis_server.url)
    return redis_server


def test_a_task_is_enqueued_after_the_commit_and_not_at_all_after_a_rollback():
    with transaction.atomic():
        queues.enqueue(DRAIN, "cus_1")
        assert queues.waiting() == 0
    assert queues.waiting() == 1
    with transaction.atomic():
        queues.enqueue(DRAIN, "cus_2")
        transaction.set_rollback(True)
    assert queues.waiting() == 1


def test_the_door_leaves_a_broker_that_hangs_to_a_thread(broker, world):
    testing.deliver(testing.event("customer.updated"))  # what is slow the first time
    until(background.is_idle)
    broker.hang()
    begun = time.monotonic()
    for number in range(3):
        said = testing.deliver(testing.event("customer.updated", {"id": f"cus_{number}", "object": "customer"}))
        assert said.json() == {"status": "received"}
    assert not background.is_idle(), "the thread still waits"
    assert time.monotonic() - begun < 4, "RQ's connection waits 5 s"
    assert StripeEvent.objects.count() == 4
    broker.stop()
    until(background.is_idle)


def test_a_broker_that_was_away_is_not_waited_for_again_until_it_answers(broker, monkeypatch):
    away = []
    broker.stop()
    queues.enqueue(DRAIN, "cus_1", if_away=lambda: away.append("cus_1"))
    broker.start()
    queues.enqueue(DRAIN, "cus_2", if_away=lambda: away.append("cus_2"))
    assert away == ["cus_1", "cus_2"]
    assert queues.waiting() == 0, "and it has answered"
    queues.enqueue(DRAIN, "cus_3", if_away=lambda: away.append("cus_3"))
    assert (away, queues.waiting()) == (["cus_1", "cus_2"], 1)


def test_it_is_asked_again_by_itself_after_some_seconds(broker, monkeypatch):
    monkeypatch.setattr(enqueueing, "LEFT_ALONE_SECONDS", 0)
    broker.stop()
    queues.enqueue(DRAIN, "cus_1")
    broker.start()
    queues.enqueue(DRAIN, "cus_2")
    assert queues.waiting() == 1


def test_more_tasks_than_a_slow_broker_can_take_are_left_to_the_sweep(broker, monkeypatch):
    monkeypatch.setattr(background, "_sends", type(background._sends)(1))
    monkeypatch.setattr(background, "_thread", None)
    broker.hang()
    with queues.in_background():
        for number in range(9):
            queues.enqueue(DRAIN, f"cus_{number}")
    assert background._sends.unfinished_tasks <= 2
    broker.stop()
    until(background.is_idle)


def test_a_scheduled_task_that_the_broker_did_not_take_is_due_at_once(broker):
    assert schedule.enqueue_due() == len(queues.declared_schedules()) == queues.waiting()
    assert schedule.enqueue_due() == 0
    ScheduledTask.objects.update(given_at=None)
    broker.stop()
    schedule.enqueue_due()
    assert not ScheduledTask.objects.exclude(given_at=None).exists()
    broker.start()
    queues.reset()
    assert schedule.enqueue_due() == queues.waiting() == len(queues.declared_schedules())

"""The process of a team that has no queue, in this process."""

import threading
from datetime import timedelta

import pytest
import time_machine
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from billing import lanes, queues
from billing.events import polling, worker
from billing.models import Lane, ScheduledTask, StripeEvent
from billing.tests.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def process(settings):
    settings.BILLING_QUEUE = "none"
    return polling.Worker(threading.Event())


def test_what_waits_is_applied_and_mailed_and_nothing_is_on_a_queue(process, world, mailoutbox):
    ada = world.subscribe()
    world.deliver(work=False)
    while process.work():
        pass
    assert ada.access.reason == "active"
    assert {*apps.get_model("billing_mail", "Mail").objects.values_list("status", flat=True)} <= {"sent", "skipped"}
    assert mailoutbox


def test_a_lane_that_fails_rests_and_holds_up_nobody(process, world, monkeypatch):
    ada, bob = world.subscribe(), world.subscribe(email="bob@example.com")
    world.deliver(work=False)
    tried = []

    def drain(key):
        tried.append(key)
        if key == ada.customer:
            raise ZeroDivisionError
        return worker.drain(key)

    monkeypatch.setattr(polling.queues, "run", lambda task, key: drain(key) if task == lanes.claims.DRAIN else None)
    monkeypatch.setattr("notifications.outbox.waiting", lambda most: [])
    while process.work():
        pass
    assert (tried.count(ada.customer), bob.access.reason) == (1, "active")
    assert len(process._resting) == 1
    with time_machine.travel(timezone.now(), tick=False):
        monkeypatch.setattr(polling.time, "monotonic", lambda: 1e12)
        process._wake_rested()
    assert process._resting == {}, "what it remembers does not grow"


def test_the_schedule_is_kept_and_two_processes_run_each_task_once(process, monkeypatch):
    ran = []
    monkeypatch.setattr(polling.queues, "run", ran.append)
    another = polling.Worker(threading.Event())
    assert process.keep_schedule() + another.keep_schedule() == len(queues.declared_schedules())
    assert sorted(ran) == sorted(queues.declared_schedules())
    a_minute_ago = timezone.now() - timedelta(seconds=59)
    ScheduledTask.objects.update(given_at=a_minute_ago)
    ran.clear()
    another.keep_schedule()
    assert sorted(ran) == sorted(task for task, minutes in queues.declared_schedules().items() if minutes == 1)


def test_told_to_end_it_takes_no_further_task_of_the_schedule(process, monkeypatch):
    monkeypatch.setattr(polling.queues, "run", lambda task: process.stop.set())
    assert process.keep_schedule() == 1
    assert ScheduledTask.objects.exclude(given_at=None).count() == 1


def test_it_keeps_no_queries_while_debug_is_on_and_outlives_a_database_that_is_away(process, settings, monkeypatch):
    settings.DEBUG = True
    monkeypatch.setattr(polling, "AWAY_SECONDS", 0.01)
    passes = []

    def work():
        passes.append(len(connection.queries))
        if len(passes) == 2:
            raise polling.DatabaseProblem
        if len(passes) == 5:
            process.stop.set()
        Lane.objects.count()
        return 0

    process._repeat(work, 0.01)
    assert len(passes) == 5
    assert max(passes) <= 1


@pytest.mark.postgres_only
def test_it_runs_until_it_is_told_to_end(process, world):
    world.subscribe()
    thread = threading.Thread(target=process.run)
    thread.start()
    world.deliver(work=False)
    until(lambda: not StripeEvent.objects.waiting().exists())
    process.stop.set()
    thread.join(15)
    assert not thread.is_alive()


def test_to_keep_only_the_schedule_without_a_queue_is_refused_since_nobody_would_run_it(process):
    with pytest.raises(CommandError, match="--schedule-only"):
        call_command("billing_worker", "--schedule-only")

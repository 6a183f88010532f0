"""The queue for real: qcluster processes on PostgreSQL, killed while they work."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from billing.conf import conf
from billing.events import sweep
from billing.models import Lane, Payment, StripeEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres_only]


class Cluster:
    """A `qcluster` process on the test's database and Stripe."""

    def __init__(self):
        database = connection.settings_dict
        socket_folder = database["OPTIONS"].get("host") or database["HOST"]
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.tests.queue_settings",
            "DATABASE_URL": f"postgres://{database['USER']}@/{database['NAME']}?host={socket_folder}",
            "STRIPE_API_BASE": conf.api_base,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "django", "qcluster"],
            env=environment,
            cwd=settings.BASE_DIR,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self):
        """`kill -9` to the cluster and all its workers."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start_cluster():
    running = []

    def start():
        running.append(Cluster())
        return running[-1]

    yield start
    for cluster in running:
        if cluster.process.poll() is None:
            cluster.kill()


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    pytest.fail(f"not within {seconds} seconds: {list(StripeEvent.objects.values_list('type', 'status'))}")


def all_processed():
    return not StripeEvent.objects.filter(status__in=["received", "failed"]).exists()


def test_a_worker_process_applies_what_the_door_stored(world, start_cluster):
    ada = world.subscribe()
    start_cluster()
    world.deliver(work=False)
    until(all_processed)
    assert ada.access.reason == "active"
    assert Payment.objects.count() == 1
    until(lambda: not Lane.objects.exclude(token=None).exists())


def test_workers_killed_while_they_work_lose_nothing_and_repeat_nothing(world, start_cluster):
    subscribers = [world.subscribe(email=f"person{number}@example.com") for number in range(4)]
    events = world.events()
    world.control("faults", api={"latency_ms": 700})
    doomed = start_cluster()
    world.deliver(events + events, work=False)
    until(lambda: Lane.objects.exclude(token=None).exists())
    doomed.kill()
    world.control("faults")
    assert not all_processed(), "it was killed at work"
    start_cluster()
    Lane.objects.update(woken_at=timezone.now() - timedelta(minutes=1))
    time.sleep(conf.lease.total_seconds() if conf.lease < timedelta(seconds=5) else 2.5)
    sweep.sweep()
    until(all_processed)
    assert Payment.objects.count() == len(subscribers)
    assert {subscriber.access.reason for subscriber in subscribers} == {"active"}
    until(lambda: not Lane.objects.exclude(token=None).exists())

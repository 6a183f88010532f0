"""No queue: `manage.py billing_worker` for real, as docs/queues.md starts it."""

import os
import signal

import pytest

from billing.models import Lane, Payment, StripeEvent
from billing.tests.processes import until

from . import story

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres_only]


@pytest.fixture
def alone(project):
    project.follow("No queue")
    return project


def test_without_a_queue_a_purchase_is_applied_once_whatever_happens(world, alone):
    story.tell(world, alone, "billing_worker", "billing_worker")


def test_told_to_end_it_ends_after_the_present_lane_and_another_beside_it_does_the_rest(world, alone):
    for name in ("ada", "bob", "eve"):
        world.subscribe(email=f"{name}@example.com")
    world.control("faults", api={"latency_ms": 1500})
    world.deliver(work=False)
    told, _ = alone.start("billing_worker"), alone.start("billing_worker")
    until(lambda: Lane.objects.exclude(token=None).count() == 2, what="two workers at work")
    until(lambda: os.pread(told.output.fileno(), 100, 0), what="a worker that hears signals")
    told.process.send_signal(signal.SIGTERM)
    assert told.process.wait(30) == 0
    world.control("faults")
    until(lambda: not StripeEvent.objects.waiting().exists(), what="every event processed")
    assert Payment.objects.count() == 3
    assert not StripeEvent.objects.filter(attempts__gt=1).exists(), "no lane was dropped half-way"

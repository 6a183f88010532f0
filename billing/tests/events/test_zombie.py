"""A worker that was paused past its lease wakes up in a world that went on without it."""

import signal

import pytest
from django.utils import timezone

from billing.events import worker
from billing.models import Lane, Payment, StripeEvent
from billing.testing import assert_all_processed
from billing.tests.processes import running, until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres_only]


def test_the_commit_of_a_worker_paused_past_its_lease_is_refused(world):
    """Both have fetched and are about to write; only the heir's work may stand, once."""
    ada = world.subscribe()
    world.deliver(work=False)
    lane = Lane.objects.filter(pk=ada.customer)
    world.control("faults", api={"latency_ms": 4000})
    drain = f"import django; django.setup(); from billing.events import worker; print(worker.drain({ada.customer!r}))"
    with running("-c", drain) as zombie:
        until(lambda: lane.exclude(token=None).exists(), what="the zombie's hold")
        token = lane.get().token
        zombie.signal(signal.SIGSTOP)
        world.control("faults")
        until(lambda: lane.get().leased_until < timezone.now(), what="the end of the lease")
        assert worker.drain(ada.customer) == "drained"
        assert_all_processed()
        before = list(StripeEvent.objects.order_by("pk").values_list("attempts", "processed_at"))
        zombie.signal(signal.SIGCONT)
        said = zombie.said()
    assert said.split()[-1] == "lost"
    assert lane.get().token != token
    assert list(StripeEvent.objects.order_by("pk").values_list("attempts", "processed_at")) == before
    assert Payment.objects.count() == 1
    assert ada.access.reason == "active"


def test_a_queue_worker_paused_past_its_lease_costs_nothing(world):
    """The same with whole clusters: one is stopped at work, another finishes, the first goes on."""
    ada = world.subscribe()
    world.control("faults", api={"latency_ms": 2500})
    with running("-m", "django", "qcluster") as paused:
        world.deliver(work=False)
        until(lambda: Lane.objects.exclude(token=None).exists(), what="a hold")
        paused.signal(signal.SIGSTOP)
        world.control("faults")
        until(lambda: not Lane.objects.filter(leased_until__gt=timezone.now()).exists(), what="the end of the lease")
        for lane in Lane.objects.values_list("pk", flat=True):
            worker.drain(lane)
        assert_all_processed()
        paused.signal(signal.SIGCONT)
        until(lambda: not Lane.objects.exclude(token=None).exists(), what="every lane asleep")
    assert Payment.objects.count() == 1
    assert ada.access.reason == "active"

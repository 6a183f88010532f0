"""A real worker applies a purchase once: killed with -9 in the middle, its broker away and back, events doubled."""

import time
from datetime import timedelta

from django.apps import apps
from django.utils import timezone

from billing.models import Lane, Payment, ScheduledTask, StripeEvent
from billing.monitoring import workers
from billing.queues import background
from billing.setup.doctor import examine
from billing.testing import assert_all_processed
from billing.tests.processes import until


def tell(world, project, worker, scheduler, broker=None):
    """`worker` and `scheduler` are names in the page's commands."""
    mails = apps.get_model("billing_mail", "Mail").objects
    ada = world.subscribe()
    events = world.events()
    world.control("faults", api={"latency_ms": 4000})
    project.start(worker)
    world.deliver(events, work=False)
    until(lambda: Lane.objects.exclude(token=None).exists(), what="a worker at work")
    project.kill()
    world.control("faults")
    assert StripeEvent.objects.waiting().exists(), "it was killed in the middle"

    if broker:
        broker.hang()
    bob = world.subscribe(email="bob@example.com")
    begun = time.monotonic()
    world.deliver([*events, *world.events()], work=False)
    assert time.monotonic() - begun < 10, "the door waits for no broker"
    if broker:
        broker.stop()
        until(background.is_idle, what="that the tasks were given up")
        broker.start()

    long_ago = timezone.now() - timedelta(minutes=5)
    Lane.objects.update(woken_at=long_ago, leased_until=long_ago)
    project.start(worker, scheduler)
    until(lambda: not StripeEvent.objects.waiting().exists(), what="every event processed")
    until(lambda: not mails.filter(status__in=["queued", "sending"]).exists(), what="every mail sent")
    assert_all_processed()
    assert (Payment.objects.count(), ada.access.reason, bob.access.reason) == (2, "active", "active")
    assert set(StripeEvent.objects.filter(pk=events[0]["id"]).values_list("deliveries", flat=True)) == {2}
    sent = mails.exclude(status="skipped").order_by("customer", "kind")
    assert {*sent.values_list("status", "attempts")} == {("sent", 1)}
    assert [mail.kind for mail in sent].count("welcome") == 2
    until(workers.last_seen, what="a task of the schedule that has run")
    assert ScheduledTask.objects.get(pk="billing.events.sweep.sweep").given_at is not None
    [finding] = [found for found in examine() if found.name == "queue"]
    assert finding.level == "ok", finding.text

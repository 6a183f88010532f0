"""The sweep runs each minute and picks up what a crash, an outage or the time left behind."""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from billing import cause, lanes, queues, subscriptions
from billing.lifecycle import deletion
from billing.models import Lane, StripeEvent, StripeWrite
from billing.subscriptions import comps

log = logging.getLogger(__name__)

LEFT_BEHIND = timedelta(seconds=30)
MOST_QUEUED = 100


def sweep() -> str:
    """Wake lanes whose task was lost or whose events and writes are due, and announce graces and comps that ended."""
    forgotten = _requeue_forgotten()
    due = _wake_due()
    graces = sum(
        _announce_lapse("grace", customer, subscriptions.announce_access)
        for customer in subscriptions.customers_past_grace()
    )
    given = sum(_announce_lapse("comp", customer, comps.end_lapsed) for customer in comps.customers_past_comp())
    return f"{forgotten} lanes requeued, {due} woken, {graces} graces and {given} comps ended"


def _requeue_forgotten() -> int:
    """Queue a drain for each lane that waits and that no worker holds: its task has died or was lost.

    A task may also still be queued behind many others. A second task is harmless then, but a long queue is not made
    longer.
    """
    now = timezone.now()
    is_free = Q(token=None) | Q(leased_until__lt=now)
    Lane.objects.filter(arrived=F("drained"), leased_until__lt=now).update(token=None, leased_until=None)
    forgotten = Lane.objects.filter(is_free, arrived__gt=F("drained"), woken_at__lt=now - LEFT_BEHIND)
    try:
        room = max(MOST_QUEUED - queues.waiting(), 0)
    except queues.BrokerAway as error:
        log.warning("queue away, lanes are not requeued", extra={"error": str(error)})
        return 0
    keys = list(forgotten.order_by("woken_at").values_list("pk", flat=True)[:room])
    for key in keys:
        with transaction.atomic():
            Lane.objects.filter(pk=key).update(woken_at=now)
            lanes.queue_drain(key)
    return len(keys)


def _wake_due() -> int:
    now = timezone.now()
    events = StripeEvent.objects.waiting().filter(next_attempt_at__lte=now)
    writes = StripeWrite.objects.filter(next_attempt_at__lte=now, done_at=None, withdrawn_at=None)
    keys = sorted(
        {*events.values_list("lane", flat=True), *writes.values_list("lane", flat=True), *deletion.due_lanes()}
    )
    for key in keys:
        with transaction.atomic():
            lanes.wake(key)
    return len(keys)


def _announce_lapse(what: str, customer_id: str, announce: Callable[[str], None]) -> int:
    """Announce the end of a grace or a comp, for which Stripe sends no event; return how many were announced."""
    try:
        with cause.recorded_as(f"{what} lapsed"), lanes.exclusive(customer_id, wait_seconds=0) as commit:
            commit(lambda: announce(customer_id))
    except lanes.LaneBusy:
        return 0
    except Exception:
        log.exception("end not announced", extra={"lane": customer_id, "of": what})
        return 0
    return 1

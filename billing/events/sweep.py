"""The sweep runs each minute and picks up what a crash, an outage or the time left behind."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from billing import cause, lanes, queues, subscriptions, usage
from billing.lifecycle import deletion
from billing.models import Lane, StripeEvent, StripeWrite
from billing.subscriptions import grants

log = logging.getLogger(__name__)

LEFT_BEHIND = timedelta(seconds=30)
MOST_QUEUED = 100


def sweep() -> str:
    """Wake lanes whose task was lost or whose events and writes are due, announce graces and grants that ended, give
    back what reservations still hold, and write off credits that have expired."""
    forgotten = _requeue_forgotten()
    due = _wake_due()
    graces = sum(
        _announce_lapse("grace", customer, partial(subscriptions.announce_access, customer))
        for customer in subscriptions.customers_past_grace()
    )
    given = sum(
        _announce_lapse("grant", lanes.lane_of(subscriber), partial(grants.end_lapsed, subscriber))
        for subscriber in grants.subscribers_past_grant()
    )
    usage.release_lapsed()
    usage.crediting.expire()
    return f"{forgotten} lanes requeued, {due} woken, {graces} graces and {given} grants ended"


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


def _announce_lapse(what: str, lane: str, announce: Callable[[], None]) -> int:
    """Announce the end of a grace or a grant, for which Stripe sends no event; return how many were announced.

    One that cannot be announced holds up no other: it is logged, and stays for the next sweep.
    """
    try:
        with cause.recorded_as(f"{what} lapsed"), lanes.exclusive(lane, wait_seconds=0) as commit:
            commit(announce)
    except lanes.LaneBusy:
        return 0
    except Exception:
        log.exception("end not announced", extra={"lane": lane, "of": what})
        return 0
    return 1

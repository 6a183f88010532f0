"""The worker's two tasks: drain a lane, and sweep up what a crash, an outage or the time left behind."""

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.db import OperationalError, transaction
from django.db.models import F, Q
from django.utils import timezone
from django_q.brokers import get_broker
from structlog.contextvars import bound_contextvars

from billing import cause, lanes, stripe_client, subscriptions
from billing.events import applying
from billing.lanes import orders
from billing.lanes import writes as cancellation
from billing.lifecycle import deletion, set_seats, update_customer
from billing.models import AccountDeletion, Lane, StripeEvent, StripeWrite
from billing.stripe_client import StripeDiffers, StripeUnavailable
from billing.subscriptions import comps

log = logging.getLogger(__name__)

LEFT_BEHIND = timedelta(seconds=30)
MOST_QUEUED = 100


def drain(key: str) -> str:
    """Apply all that waits on a lane and what arrives meanwhile; says what became of it.

    "drained"; "busy", another holds it and will see what we came for; "lost", another took it over from us.
    """
    with bound_contextvars(lane=key, subscriber=None):
        while claim := lanes.take(key):
            try:
                _drain(claim)
            except lanes.LaneLost:
                log.warning("lane lost")
                return "lost"
            except OperationalError:
                lanes.let_go(claim)
                lanes.queue_drain(key)
                raise
            except BaseException:
                lanes.let_go(claim)
                raise
            if lanes.release(claim):
                return "drained"
        return "busy"


def _drain(claim: lanes.Claim) -> None:
    try:
        while batch := applying.due(claim.key):
            lanes.renew(claim)
            with stripe_client.patient(), stripe_client.drain_reads() as reads:
                applying.prefetch(claim.key, batch, between=partial(lanes.renew, claim))
                applying.apply_under(claim, reads, batch)
            log.info("events applied", extra={"stripe_events": [event.pk for event in batch]})
        for write in cancellation.owed(claim.key):
            lanes.renew(claim)
            with stripe_client.patient():
                cancellation.make(write)
        _carry_out_orders(claim)
        for leaving in deletion.owed_deletions(claim.key):
            _go_on_leaving(leaving, claim)
    except StripeUnavailable as error:
        log.warning("stripe unavailable, events wait", extra={"lane": claim.key, "error": str(error)})
        _set_back(claim, error)


def _set_back(claim: lanes.Claim, error: StripeUnavailable) -> None:
    # An answer of another API version for all that a customer has tells of a setting, and not of their events.
    is_a_try = not isinstance(error, StripeDiffers) and applying.is_a_try(error)
    lanes.renew(claim)
    if is_a_try:
        applying.count_try(claim.key, error)
    else:
        applying.postpone(claim.key, str(error))


def _carry_out_orders(claim: lanes.Claim) -> None:
    works: dict[StripeWrite.Action, Callable[[orders.Rows], None]] = {
        StripeWrite.Action.UPDATE_CUSTOMER: update_customer.write_details,
        StripeWrite.Action.SET_SEATS: partial(set_seats.write_quantity, claim=claim),
    }
    for action, rows in orders.owed(claim.key).items():
        lanes.renew(claim)
        with cause.recorded_as("seats"), stripe_client.patient():
            orders.carry_out(rows, works[action])


def _go_on_leaving(leaving: AccountDeletion, claim: lanes.Claim) -> None:
    """Whatever stops a deletion, Stripe or a host project's receiver, is recorded for staff, and tried again."""
    try:
        with cause.recorded_as("deletion"), stripe_client.patient():
            deletion.proceed(leaving, claim)
    except (lanes.LaneLost, OperationalError):
        raise
    except Exception as error:
        log.warning("deletion waits", extra={"lane": claim.key, "error": str(error)})
        deletion.postpone(leaving, error)


def sweep() -> str:
    """Wake what nobody else will: lanes whose task was lost, events and writes that are due, ended graces and comps."""
    forgotten = _requeue_forgotten()
    due = _wake_due()
    graces = sum(
        _announce_lapse("grace", customer, subscriptions.announce_access)
        for customer in subscriptions.customers_past_grace()
    )
    given = sum(_announce_lapse("comp", customer, comps.end_lapsed) for customer in comps.customers_past_comp())
    return f"{forgotten} lanes requeued, {due} woken, {graces} graces and {given} comps ended"


def _requeue_forgotten() -> int:
    """Lanes awake and in nobody's hands for a while: the task that should drain them has died or was lost.

    Or is still queued behind many others: then a second one is harmless, but a long queue is not made longer.
    """
    now = timezone.now()
    is_free = Q(token=None) | Q(leased_until__lt=now)
    Lane.objects.filter(arrived=F("drained"), leased_until__lt=now).update(token=None, leased_until=None)
    forgotten = Lane.objects.filter(is_free, arrived__gt=F("drained"), woken_at__lt=now - LEFT_BEHIND)
    room = max(MOST_QUEUED - get_broker().queue_size(), 0)
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


def _announce_lapse(what: str, customer_id: str, say: Callable[[str], None]) -> int:
    """Grace or comp ends by the clock, without an event of Stripe's: say so under the lane like any other change."""
    try:
        with cause.recorded_as(f"{what} lapsed"), lanes.hold(customer_id, wait_seconds=0) as commit:
            commit(lambda: say(customer_id))
    except lanes.LaneBusy:
        return 0
    except Exception:
        log.exception("its end was not announced", extra={"lane": customer_id, "of": what})
        return 0
    return 1

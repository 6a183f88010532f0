"""The worker drains lanes: it applies a lane's events, and makes the writes that we owe Stripe for that customer."""

import logging
from collections.abc import Callable
from functools import partial

from django.db import OperationalError
from structlog.contextvars import bound_contextvars

from billing import cause, lanes, stripe_account, stripe_client
from billing.lanes import standing_writes, writes
from billing.lifecycle import deletion, overage_items, price_moves, set_seats, update_customer
from billing.models import AccountDeletion, Customer, StripeWrite
from billing.monitoring import alerts
from billing.stripe_account import OfAnotherAccount
from billing.stripe_client import StripeUnavailable

from . import applying
from .stamping import due_events, stamp_refused, stamp_unapplied

log = logging.getLogger(__name__)

CAUSES = {StripeWrite.Action.MOVE_PRICE: "price move", StripeWrite.Action.SET_OVERAGE: "pay by use"}


def drain(key: str) -> str:
    """Apply all that waits on a lane, and what arrives meanwhile; return how it ended.

    "drained"; "busy": another worker holds the lane and will pick up these events; "lost": another worker took the
    lane over from this one.
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
        while batch := due_events(claim.key):
            lanes.renew(claim)
            applying.apply_batch(claim, batch)
            log.info("events applied", extra={"stripe_events": [event.pk for event in batch]})
        if writes.are_owed(claim.key):
            _make_owed_writes(claim)
        for row in deletion.owed_deletions(claim.key):
            _proceed_with_deletion(row, claim)
    except OfAnotherAccount as error:
        log.error("customer of another account", extra={"lane": claim.key, "error": str(error)})
        lanes.renew(claim)
        stamp_refused(claim.key, error)
    except StripeUnavailable as error:
        log.warning("stripe unavailable, events wait", extra={"lane": claim.key, "error": str(error)})
        lanes.renew(claim)
        stamp_unapplied(claim.key, error)


def _make_owed_writes(claim: lanes.Claim) -> None:
    """Make what is owed. By the key of another account Stripe would say that there is nothing left to do."""
    customer = Customer.objects.filter(pk=claim.key).first()
    if customer and stripe_account.is_elsewhere(customer):
        writes.postpone_due(claim.key, str(OfAnotherAccount(customer)))
        return
    for write in writes.due_writes(claim.key):
        lanes.renew(claim)
        with stripe_client.patient():
            writes.make(write)
    works: dict[StripeWrite.Action, Callable[[standing_writes.Rows], None]] = {
        StripeWrite.Action.UPDATE_CUSTOMER: update_customer.write_details,
        StripeWrite.Action.SET_SEATS: partial(set_seats.write_quantity, claim=claim),
        StripeWrite.Action.SET_OVERAGE: partial(overage_items.write_items, claim=claim),
        StripeWrite.Action.MOVE_PRICE: partial(price_moves.write_prices, claim=claim),
    }
    for action, rows in standing_writes.due_writes(claim.key).items():
        lanes.renew(claim)
        with cause.recorded_as(CAUSES.get(action, "seats")), stripe_client.patient():
            is_refused = not standing_writes.make(rows, works[action])
        if is_refused:
            _alert_staff(action, claim.key)


def _alert_staff(action: StripeWrite.Action, customer: str) -> None:
    """Alert staff to what was given up, without Stripe's words, which may name a person."""
    alerts.alert_staff(
        "request_refused",
        f"Stripe refuses a request about {customer}",
        f"Stripe refuses to {action.replace('_', ' ')} {customer}, or a part of it, and would refuse it again: it was "
        "given up.\nThe admin shows Stripe's reason, under Stripe requests. Correct the cause, then choose "
        "'Try again now' there.",
    )


def _proceed_with_deletion(row: AccountDeletion, claim: lanes.Claim) -> None:
    """Take the next steps of a deletion. An error of Stripe or of a host project's receiver is noted for staff."""
    try:
        with cause.recorded_as("deletion"), stripe_client.patient():
            deletion.proceed(row, claim)
    except (lanes.LaneLost, OperationalError):
        raise
    except Exception as error:
        log.warning("deletion waits", extra={"lane": claim.key}, exc_info=True)
        deletion.postpone(row, error)

"""The worker drains lanes: it applies a lane's events, and makes the writes that we owe Stripe for that customer."""

import logging
from collections.abc import Callable
from functools import partial

from django.db import OperationalError
from structlog.contextvars import bound_contextvars

from billing import cause, lanes, stripe_client
from billing.lanes import standing_writes, writes
from billing.lifecycle import deletion, set_seats, update_customer
from billing.models import AccountDeletion, StripeWrite
from billing.stripe_client import StripeUnavailable

from . import applying
from .stamping import due_events, stamp_unapplied

log = logging.getLogger(__name__)


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
    except StripeUnavailable as error:
        log.warning("stripe unavailable, events wait", extra={"lane": claim.key, "error": str(error)})
        lanes.renew(claim)
        stamp_unapplied(claim.key, error)


def _make_owed_writes(claim: lanes.Claim) -> None:
    for write in writes.due_writes(claim.key):
        lanes.renew(claim)
        with stripe_client.patient():
            writes.make(write)
    works: dict[StripeWrite.Action, Callable[[standing_writes.Rows], None]] = {
        StripeWrite.Action.UPDATE_CUSTOMER: update_customer.write_details,
        StripeWrite.Action.SET_SEATS: partial(set_seats.write_quantity, claim=claim),
    }
    for action, rows in standing_writes.due_writes(claim.key).items():
        lanes.renew(claim)
        with cause.recorded_as("seats"), stripe_client.patient():
            standing_writes.make(rows, works[action])


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

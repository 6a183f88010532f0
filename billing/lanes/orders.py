"""Standing orders: what Stripe has of a customer is to be what we say when it is done, however often it was asked for.

1. Whoever changes what we say places an order in the same transaction: a row, and no call.
2. The worker, holding the lane, reads the rows, then what we say, then what Stripe has, and writes the difference.
3. The rows it read are stamped. One placed meanwhile is not among them: it stays owed, and has woken the lane again.

A crash or a lost answer leaves the rows owed, and finds nothing left to do. What fails is noted and tried again.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import models, transaction
from django.utils import timezone

from billing.models import Customer, StripeWrite

from . import claims, tries

log = logging.getLogger(__name__)

Rows = list[StripeWrite]


def place(customer: Customer, action: StripeWrite.Action, reference: str, *, wakes: bool = True) -> None:
    """Owed until done, because of `reference`; wakes the customer's lane.

    Who holds the lane need not wake it, and must not early in a long transaction: the door and other members would
    wait for that. A drain looks for orders at its end; should none come, the sweep finds this one due.
    """
    now = timezone.now()
    with transaction.atomic():
        StripeWrite.objects.create(
            lane=customer.pk,
            action=action,
            object_id=customer.pk,
            reference=reference,
            requested_at=now,
            next_attempt_at=now,
        )
        if wakes:
            claims.wake(customer.pk)


def owed(lane: str) -> dict[StripeWrite.Action, Rows]:
    """All that wait of each action of which any is due."""
    now = timezone.now()
    owed = StripeWrite.objects.filter(lane=lane, action__in=StripeWrite.STANDING, done_at=None, withdrawn_at=None)
    waiting: dict[StripeWrite.Action, Rows] = {}
    for row in owed.order_by("requested_at", "pk"):
        waiting.setdefault(StripeWrite.Action(row.action), []).append(row)
    return {action: rows for action, rows in waiting.items() if any(_is_due(row, now) for row in rows)}


def key_of(rows: Rows) -> str:
    """The beginning of the idempotency key of what these rows ask for."""
    return f"{rows[-1].pk}:{max(row.attempts for row in rows)}"


def customer_of(rows: Rows) -> Customer | None:
    """Whom these rows are about. None for who has left or is leaving: they are told and billed nothing more."""
    customers = Customer.objects.select_related("subscriber").filter(deletion=None).exclude(subscriber=None)
    return customers.filter(pk=rows[0].object_id).first()


def carry_out(rows: Rows, work: Callable[[Rows], None]) -> None:
    """Do the work and stamp the rows. Whatever stops it, Stripe or a project's own callable, is noted for staff."""
    try:
        work(rows)
    except claims.LaneLost:
        raise
    except Exception as error:  # an OperationalError too: it may be of a database of the project's alone
        log.warning("standing order waits", extra={"lane": rows[0].lane, "action": rows[0].action}, exc_info=True)
        _postpone(rows, error)
    else:
        _these(rows).update(done_at=timezone.now(), error_message="")


def _postpone(rows: Rows, error: Exception) -> None:
    attempts = max(row.attempts for row in rows)
    _these(rows).update(
        attempts=attempts + 1, next_attempt_at=tries.next_at(attempts), error_message=tries.words(error)
    )


def _is_due(row: StripeWrite, now: datetime) -> bool:
    return row.next_attempt_at is None or row.next_attempt_at <= now


def _these(rows: Rows) -> models.QuerySet[StripeWrite]:
    return StripeWrite.objects.filter(pk__in=[row.pk for row in rows])

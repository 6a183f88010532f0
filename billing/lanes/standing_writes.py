"""A standing owed write sets what Stripe has of a customer, details, seats or a price, to what we have when it is made.

1. Code that changes what we say owes a write in the same transaction: a row, and no call.
2. The worker, holding the lane, reads the rows, then what we say, then what Stripe has, and writes the difference.
3. The worker stamps the rows that it read. A row added meanwhile stays owed, and has woken the lane again.

After a crash or a lost answer the rows are still owed, and the worker finds nothing left to do. An error is noted, and
the write is tried again.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from billing.models import Customer, StripeWrite
from billing.stripe_client import InvalidRequest, NoSuchCustomer, StripeRefused

from . import claims, tries

log = logging.getLogger(__name__)

Rows = list[StripeWrite]


class GivenUp(Exception):
    """Stripe refuses for good what these rows ask for, or a part of it; the message is Stripe's, for staff."""


def owe(customer: Customer, action: StripeWrite.Action, reference: str, *, wakes: bool = True) -> None:
    """Owe a write until it is done, because of `reference`, and wake the customer's lane.

    Code that holds the lane need not wake it, and must not early in a long transaction: the door and other members
    would wait for that. A drain looks for these rows at its end; if no drain comes, the sweep finds this one due.
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


def due_writes(lane: str) -> dict[StripeWrite.Action, Rows]:
    """Return all waiting rows of each action that has a row which is due."""
    now = timezone.now()
    owed = StripeWrite.objects.filter(lane=lane, action__in=StripeWrite.STANDING, done_at=None, withdrawn_at=None)
    waiting: dict[StripeWrite.Action, Rows] = {}
    for row in owed.order_by("requested_at", "pk"):
        waiting.setdefault(StripeWrite.Action(row.action), []).append(row)
    return {action: rows for action, rows in waiting.items() if any(_is_due(row, now) for row in rows)}


def key_of(rows: Rows) -> str:
    """Return the beginning of the idempotency key of the call that these rows ask for."""
    return f"{rows[-1].pk}:{max(row.attempts for row in rows)}"


def customer_of(rows: Rows) -> Customer | None:
    """Return the customer of these rows; None once the deletion of their account has begun."""
    customers = Customer.objects.select_related("subscriber").filter(deletion=None).exclude(subscriber=None)
    return customers.filter(pk=rows[0].object_id).first()


def make(rows: Rows, work: Callable[[Rows], None]) -> bool:
    """Do the work and stamp the rows; return False if Stripe refuses it for good, and it was given up.

    Any other error, of Stripe or of a project's own callable, is noted for staff, and the work is tried again.
    """
    try:
        work(rows)
    except claims.LaneLost:
        raise
    except GivenUp as refusal:
        _give_up(rows, str(refusal))
        return False
    except StripeRefused as refusal:
        if not _is_for_good(refusal):
            _postpone(rows, refusal)
            return True
        _give_up(rows, tries.describe(refusal))
        return False
    except Exception as error:  # an OperationalError too: it may be of a database of the project's alone
        log.warning("owed write waits", extra={"lane": rows[0].lane, "action": rows[0].action}, exc_info=True)
        _postpone(rows, error)
    else:
        _these(rows).update(done_at=timezone.now(), error_message="")
        _given_up(rows[0]).update(refused_at=None)
    return True


def note_refused(customer: Customer, action: StripeWrite.Action, reference: str, text: str) -> None:
    """Note the part of a successful call that Stripe refused, so that staff see it and may try again."""
    now = timezone.now()
    StripeWrite.objects.create(
        lane=customer.pk,
        action=action,
        object_id=customer.pk,
        reference=reference,
        requested_at=now,
        withdrawn_at=now,
        refused_at=now,
        error_message=text,
    )


def lasting(customer: str = "") -> list[str]:
    """Return a sentence for each request, of one customer or of all, that Stripe refused for good."""
    refused = StripeWrite.objects.filter(refused_at__isnull=False).order_by("-refused_at")
    rows = refused.filter(lane=customer) if customer else refused
    return [
        f"Stripe refuses the {row.action} of {row.lane} for good. Correct what the admin shows under Stripe requests, "
        "and choose 'Try again now' there."
        for row in rows
    ]


def try_again(write: StripeWrite) -> bool:
    """Make a write that failed or was given up due now, by a new key; return whether it was one."""
    again = StripeWrite.objects.filter(Q(withdrawn_at=None) | Q(refused_at__isnull=False), pk=write.pk, done_at=None)
    with transaction.atomic():
        is_one = again.update(
            withdrawn_at=None, refused_at=None, next_attempt_at=timezone.now(), attempts=F("attempts") + 1
        )
        if is_one:
            claims.wake(write.lane)
    return bool(is_one)


def _is_for_good(refusal: Exception) -> bool:
    """Return whether the same call would be refused again: the request itself is wrong."""
    return isinstance(refusal, InvalidRequest) and not isinstance(refusal, NoSuchCustomer)


def _give_up(rows: Rows, text: str) -> None:
    now = timezone.now()
    _given_up(rows[0]).update(refused_at=None)  # the newest refusal says it all
    _these(rows).update(
        withdrawn_at=now, refused_at=now, error_message=text[: tries.MOST_ERROR_TEXT], attempts=F("attempts") + 1
    )


def _given_up(row: StripeWrite) -> models.QuerySet[StripeWrite]:
    return StripeWrite.objects.filter(lane=row.lane, action=row.action, refused_at__isnull=False)


def _postpone(rows: Rows, error: Exception) -> None:
    failed = max(row.attempts for row in rows) + 1
    _these(rows).update(
        attempts=failed, next_attempt_at=tries.next_try_of_owed(failed), error_message=tries.describe(error)
    )


def _is_due(row: StripeWrite, now: datetime) -> bool:
    return row.next_attempt_at is None or row.next_attempt_at <= now


def _these(rows: Rows) -> models.QuerySet[StripeWrite]:
    return StripeWrite.objects.filter(pk__in=[row.pk for row in rows])

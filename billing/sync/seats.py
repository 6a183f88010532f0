"""This part of the sync finds quantities that differ from the seats in use, because nobody called `seats.changed`."""

import logging
from collections.abc import Callable, Iterator

from django.db.models import QuerySet

from billing.events import worker
from billing.models import Customer, StripeWrite, Subscription, SyncRun, in_pages
from billing.subscriptions import seats

from . import report
from .parallel import each

log = logging.getLogger(__name__)

CAUSE = "seats changed, and billing was not told"
BILLED = (
    Subscription.Status.ACTIVE,
    Subscription.Status.TRIALING,
    Subscription.Status.PAST_DUE,
    Subscription.Status.UNPAID,
)
AT_ONCE = 500


def correct(run: SyncRun, customer: str, tick: Callable[[], None], *, is_dry: bool) -> None:
    """Set the quantities of one customer, or with "" of all, that differ from the seats; Stripe is asked only about
    those.
    """
    if not seats.is_counted():
        return
    rows = _billed().filter(customer=customer) if customer else _billed()
    wrong = list(_differing(run, rows, tick))
    if is_dry:
        return
    for one in Customer.objects.filter(pk__in=wrong):
        seats.owe_seats(one, "sync")
    each(worker.drain, wrong, tick)
    run.healed += len(wrong) - _owed().filter(lane__in=wrong).count()


def _billed() -> QuerySet[Subscription]:
    """Return subscriptions that are billed, except those whose quantity is about to be set, or whose account is being
    deleted."""
    rows = Subscription.objects.filter(status__in=BILLED, customer__deleted_at=None, customer__deletion=None)
    rows = rows.filter(counts=True, whose=Subscription.Whose.OURS).exclude(plan=None)
    rows = rows.exclude(customer__subscriber=None).exclude(customer__in=_owed().values("lane"))
    return rows.select_related("customer__subscriber", "plan")


def _owed() -> QuerySet[StripeWrite]:
    return StripeWrite.objects.filter(action=StripeWrite.Action.SET_SEATS, done_at=None, withdrawn_at=None)


def _differing(run: SyncRun, rows: QuerySet[Subscription], tick: Callable[[], None]) -> Iterator[str]:
    for number, row in enumerate(in_pages(rows, AT_ONCE), start=1):
        wanted = _wanted(run, row)
        if wanted not in (None, row.quantity):
            report.drift(run, row.customer_id, {"quantity": (wanted, row.quantity)}, CAUSE)
            yield row.customer_id
        if number % AT_ONCE == 0:
            tick()


def _wanted(run: SyncRun, row: Subscription) -> int | None:
    """Return the seats to bill; None if the project's own function fails, so that the others go on."""
    try:
        return seats.seats_of(row.customer.subscriber, row.plan)
    except Exception as error:
        log.warning("seats not counted", extra={"lane": row.customer_id}, exc_info=True)
        report.note(run, f"The seats of {row.customer_id} could not be counted: {type(error).__name__}.")
        return None

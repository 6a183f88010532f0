"""Everybody on the old price gets a row, and rows follow what people do: in bulk, and in a few statements."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from billing import clock
from billing.models import PriceMove, PriceMoveRow, Subscription, SubscriptionItem

AT_ONCE = 500
Status = PriceMoveRow.Status
NOT_STARTED = frozenset({*Subscription.TERMINAL, Subscription.Status.NONE, Subscription.Status.INCOMPLETE})


def payers(move: PriceMove) -> QuerySet[Subscription]:
    """Return the live subscriptions of ours with an item at the old price."""
    rows = Subscription.objects.filter(
        whose=Subscription.Whose.OURS, customer__deleted_at=None, customer__deletion=None
    )
    return rows.exclude(status__in=NOT_STARTED).filter(_pays(move.old_price_id, "pk"))


def list_payers(move: PriceMove) -> int:
    """Make rows for some who have none yet; return how many, 0 once everybody has one.

    Who subscribes later, by a Checkout that was open already, is found by the next run.
    """
    known = PriceMoveRow.objects.filter(move=move, subscription=OuterRef("pk"))
    new = list(payers(move).exclude(Exists(known)).order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
    now = clock.now()
    rows = [PriceMoveRow(move=move, subscription_id=pk, due_at=now) for pk in new]
    PriceMoveRow.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def follow(move: PriceMove) -> None:
    """Write into the rows who has left, returned, pays the new price or another one."""
    now = clock.now()
    _note_moved(move, now)
    _note_left(move)
    _note_returned(move, now)


def _note_moved(move: PriceMove, now: datetime) -> None:
    """Note who does not pay the old price any more: most of them pay the new one."""
    elsewhere = move.rows.open().filter(~_pays(move.old_price_id, "subscription"))
    elsewhere = elsewhere.exclude(subscription__status__in=Subscription.TERMINAL)
    _set(elsewhere.filter(_pays(move.new_price_id, "subscription")), Status.MOVED, moved_at=now)
    _set(elsewhere, Status.CHANGED)


def _note_left(move: PriceMove) -> None:
    """Note who has ended, or ends by the day from which the new price would be charged."""
    ended = Q(subscription__status__in=Subscription.TERMINAL) | Q(subscription__customer__deleted_at__isnull=False)
    ends = Q(subscription__cancel_at__lte=F("moves_at"))
    ends |= Q(moves_at=None, subscription__cancel_at__lte=F("subscription__current_period_end"))
    leaving = move.rows.open().filter(ended | ends)
    _set(leaving.filter(told_at__isnull=False), Status.OBJECTED)
    _set(leaving, Status.LEFT)


def _note_returned(move: PriceMove, now: datetime) -> None:
    """Note who has resumed, or is back on the old price: the worker looks at them again."""
    lives = Q(subscription__customer__deleted_at=None) & ~Q(subscription__status__in=NOT_STARTED)
    stays = Q(subscription__cancel_at=None) | Q(subscription__cancel_at__gt=F("moves_at"))
    back = move.rows.filter(lives & stays, status__in=PriceMoveRow.MAY_RETURN)
    back = back.filter(_pays(move.old_price_id, "subscription"))
    _set(back.filter(told_at__isnull=False), Status.TOLD, due_at=now)
    _set(back, Status.LISTED, due_at=now)


def _pays(price: str, reference: str) -> Exists:
    """Return the condition that a subscription has an item at a price."""
    return Exists(SubscriptionItem.objects.filter(subscription=OuterRef(reference), stripe_price=price))


def _set(rows: QuerySet[PriceMoveRow], status: PriceMoveRow.Status, **more: Any) -> None:
    rows.update(**{"status": status, "due_at": None, "reason": "", **more})

"""The timeline's lines about what is agreed with a customer: agreements paid by invoice, and moves to another price."""

from typing import Any

from django.db.models import QuerySet

from billing.models import Agreement, Customer, PriceMoveRow

from . import agreement_words, display, price_move_words
from .timeline_lines import Line


def agreements(customer: Customer) -> QuerySet[Agreement]:
    theirs = Agreement.objects.filter(subscriber=customer.subscriber_id).select_related("plan", "price")
    return theirs if customer.subscriber_id else theirs.none()


def drafted(row: Agreement) -> Line:
    return _agreed(row, row.drafted_at, "Agreement drafted", row.drafted_by)


def sent(row: Agreement) -> Line:
    return _agreed(row, row.sent_at, "Agreement sent", row.sent_by)


def started(row: Agreement) -> Line:
    return _agreed(row, row.started_at, "Agreement started")


def moves(customer: Customer) -> QuerySet[PriceMoveRow]:
    theirs = PriceMoveRow.objects.filter(subscription__customer=customer)
    return theirs.select_related("move__old_price__plan", "move__new_price__plan", "subscription")


def told(row: PriceMoveRow) -> Line:
    at: Any = row.told_at
    what = display.row_link("pricemoverow", str(row.pk), f"Told of a new price of {row.move.old_price.plan}")
    day = ("charged from ", display.day(row.moves_at)) if row.moves_at else ()
    details = (price_move_words.amounts_of(row), display.side_by_side(day, between="") if day else "")
    return Line(at, "Price", "waiting", what, details, row.move.started_by)


def moved(row: PriceMoveRow) -> Line:
    at: Any = row.moved_at
    what = display.row_link("pricemoverow", str(row.pk), f"Moved to a new price of {row.move.old_price.plan}")
    return Line(at, "Price", "good", what, (price_move_words.amounts_of(row),), row.move.started_by)


def _agreed(row: Agreement, at: Any, what: str, by: str = "") -> Line:
    tone = "good" if row.status == Agreement.Status.STARTED else "waiting"
    details = (agreement_words.what(row), agreement_words.money(row), f"due in {row.days_until_due} days")
    return Line(at, "Agreement", tone, display.row_link("agreement", str(row.pk), what), details, by)

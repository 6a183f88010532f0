"""Invoices that are sent rather than charged are announced: when they are sent, due soon, and overdue."""

from datetime import datetime

from django.dispatch import Signal

from billing import clock, signals
from billing.conf import conf
from billing.models import Invoice, Subscription

TOLD = (Invoice.Purpose.PLAN, Invoice.Purpose.ONE_OFF)


def announce(subscription: Subscription, row: Invoice) -> None:
    """Announce an open invoice that was sent, is due soon, or is overdue: each once, and none whose payment is on its
    way.
    """
    now = clock.now()
    if not (row.is_open and row.is_sent) or row.purpose not in TOLD or row.payment == Invoice.Standing.PROCESSING:
        return
    if row.is_overdue(now):
        _announce(subscription, row, "announced_overdue_at", signals.invoice_overdue, now)
    elif row.announced_sent_at is None:
        _announce(subscription, row, "announced_sent_at", signals.invoice_sent, now)
    elif _is_due_soon(row, now):
        _announce(subscription, row, "announced_due_soon_at", signals.invoice_due_soon, now)


def _is_due_soon(row: Invoice, now: datetime) -> bool:
    """Return whether the due date is near; if it was near from the start, the mail about the invoice has said so."""
    if row.due_at is None or row.due_at - conf.invoice_reminder > now:
        return False
    return row.due_at - (row.finalized_at or row.created_at) > conf.invoice_reminder


def _announce(subscription: Subscription, row: Invoice, stamp: str, signal: Signal, now: datetime) -> None:
    if getattr(row, stamp) is not None:
        return
    setattr(row, stamp, now)
    row.save(update_fields=[stamp])
    signal.send(sender=Invoice, subscription=subscription, invoice=row)

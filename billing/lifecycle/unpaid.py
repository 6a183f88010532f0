"""When a subscriber cancels, this module asks Stripe what the subscription still owes."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from billing.clock import from_timestamp
from billing.models import Subscription
from billing.stripe_client import fetch, id_of, readers

from .live_subscription import Standing

Status = Subscription.Status


class Kind(StrEnum):
    """The kind tells what Stripe does with an unpaid invoice if nobody stops it."""

    CHARGED = "charged"  # tried again, or collected within the hour while it is a draft
    UNDER_WAY = "under_way"  # the bank is paying it, which nobody can stop
    SENT = "sent"  # paid by the subscriber, by its due date
    IDLE = "idle"  # left as it is


@dataclass(frozen=True)
class Owed:
    """An unpaid invoice is owed; `amount` is what remains due, in minor units."""

    invoice: str
    kind: Kind
    amount: int
    currency: str
    due_at: datetime | None
    is_draft: bool = False


def owed_of(now: Standing) -> list[Owed]:
    """Return the invoices of a subscription that are unpaid, but for one that a pending change waits for."""
    waits = now.has_pending_update or (now.awaited and now.found.get("collection_method") == "send_invoice")
    awaited = id_of(now.found["latest_invoice"]) if waits else ""
    return [_owed(now, invoice) for invoice in invoices_of(now) if invoice["id"] != awaited]


def invoices_of(now: Standing) -> list[dict[str, Any]]:
    """Return the open invoices, and a renewal's draft that Stripe would collect within the hour."""
    return [*fetch.open_invoices(now.id), *fetch.draft_invoices(now.id)]


def ends_at_once(now: Standing, owed: list[Owed]) -> bool:
    """Return whether a cancellation ends the subscription now, whatever end was asked for.

    It does while something is unpaid: otherwise Stripe would charge after the subscriber was told that it won't. What
    a bank is paying already is not unpaid. Without access there is no period to wait for.
    """
    if now.status in {Status.UNPAID, Status.PAUSED, Status.INCOMPLETE}:
        return True
    if any(each.kind == Kind.CHARGED for each in owed):
        return True
    is_being_paid = any(each.kind == Kind.UNDER_WAY for each in owed)
    return now.status == Status.PAST_DUE and not is_being_paid


def _owed(now: Standing, invoice: dict[str, Any]) -> Owed:
    return Owed(
        invoice=invoice["id"],
        kind=_kind(now, invoice),
        amount=invoice["amount_remaining"],
        currency=invoice["currency"],
        due_at=from_timestamp(invoice["due_date"]),
        is_draft=invoice["status"] == "draft",
    )


def _kind(now: Standing, invoice: dict[str, Any]) -> Kind:
    if invoice["amount_remaining"] <= 0:
        return Kind.IDLE
    if invoice["status"] == "draft":
        return Kind.CHARGED if invoice.get("auto_advance") else Kind.IDLE
    if invoice.get("collection_method") == "send_invoice":
        return Kind.SENT
    intents = readers.payment_intents_of(fetch.invoice(invoice["id"], now.customer.pk))
    return Kind.UNDER_WAY if any(intent["status"] == "processing" for intent in intents) else Kind.CHARGED

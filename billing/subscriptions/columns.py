"""The columns of our row are read from a subscription at Stripe here."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db.models import Max

from billing import catalogue, clock
from billing.clock import from_timestamp
from billing.models import Payment, Price, Subscription
from billing.stripe_client import id_of, readers

from . import cards, pending

log = logging.getLogger(__name__)

Status = Subscription.Status


def columns_of(found: dict[str, Any], before: Subscription) -> dict[str, Any]:
    """Return our columns by name. The period is that of the item whose price belongs to a plan."""
    item = found["items"]["data"][0]
    price: Price | None
    try:
        item, price = catalogue.plan_item(found["items"]["data"])
        unmapped_price = ""
    except catalogue.UnmappedPrice as error:
        price, unmapped_price = before.price if before.stripe_id == found["id"] else None, item["price"]["id"]
        log.error("unmapped price", extra={"subscription": found["id"], "error": str(error)})
    return {
        "stripe_id": found["id"],
        "status": found["status"],
        "plan": price.plan if price else None,
        "price": price,
        "unmapped_price": unmapped_price,
        "quantity": readers.quantity_of(item),
        "currency": found["currency"],
        "started_at": from_timestamp(found["start_date"]),
        "current_period_start": from_timestamp(item["current_period_start"]),
        "current_period_end": from_timestamp(item["current_period_end"]),
        "trial_end": from_timestamp(found["trial_end"]),
        "cancel_at": from_timestamp(readers.cancel_at_of(found, item)),
        "ended_at": from_timestamp(found["ended_at"]),
        **pending.pending_columns(found),
        "latest_invoice": id_of(found["latest_invoice"]),
        "default_payment_method": id_of(found["default_payment_method"]),
        **cards.card_columns(found),
    }


def past_due_since(
    subscription: Subscription, found: dict[str, Any], open_invoices: Callable[[str], list[dict[str, Any]]]
) -> datetime | None:
    """Return when the oldest invoice that is still open was due. Retries do not move it; payment clears it.

    It is read from Stripe, so that the order in which failures reach us makes no difference. An invoice that is older
    than the latest paid one is left out: it does not shorten today's grace.
    """
    if found["status"] != Status.PAST_DUE:
        return None
    payments = Payment.objects.filter(subscription_id=found["id"])
    paid_up_to = payments.aggregate(latest=Max("invoiced_at"))["latest"]
    dues = [
        from_timestamp(invoice["due_date"] or invoice["status_transitions"]["finalized_at"])
        for invoice in open_invoices(found["id"])
        if paid_up_to is None or from_timestamp(invoice["created"]) > paid_up_to
    ]
    return min(filter(None, dues), default=None) or subscription.past_due_since or clock.now()

"""The next charge of a subscription is reckoned here where it is price × quantity; otherwise Stripe previews it.

1. The projection calls `note_change` with Stripe's answer. What depends on nothing else is reckoned at once.
2. For the rest the row is marked. A page never waits for it, and a burst of events marks it once.
3. The worker asks Stripe each minute for the marked rows (`each_minute`), with what is left of the call budget.
4. What no subscription shows marks the rows too: a price that charges otherwise, a tax id.
"""

import hashlib
import json
import logging
import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from billing import catalogue, clock, stripe_client
from billing.clock import from_timestamp
from billing.lanes import writes
from billing.models import Customer, NextCharge, Subscription
from billing.stripe_client import StripeRefused, StripeUnavailable, fetch, id_of, readers

from . import coming_prices
from .columns import has_payment_method, pending_change_of

log = logging.getLogger(__name__)

Found = dict[str, Any]
Status = Subscription.Status

AT_ONCE = 25
NOTHING_UPCOMING = "invoice_upcoming_none"
CHARGED = frozenset({Status.ACTIVE, Status.TRIALING, Status.PAST_DUE})
OF_CUSTOMER = ("balance", "discount", "address", "shipping", "tax_exempt")
OF_SUBSCRIPTION = (
    "status",
    "default_tax_rates",
    "automatic_tax",
    "cancel_at",
    "pause_collection",
    "trial_end",
    "trial_settings",
)
OF_INVOICE = ("id", "status", "amount_remaining", "next_payment_attempt")


def note_change(subscription: Subscription, found: Found | None) -> None:
    """Keep what is charged next, or that Stripe is to be asked. Called under the lane lock, in the projection."""
    row = NextCharge.objects.filter(subscription=subscription).first() or NextCharge(subscription=subscription)
    basis = _basis(found, row)
    if row.basis == basis:
        return
    known = _foreseen(found, row) if found else (None, None)
    row.basis, row.version, row.attempts = basis, row.version + 1, 0
    row.currency = subscription.currency
    row.ask_at = None if known else timezone.now()
    row.amount, row.at = known or (None, None)
    row.save()


def next_charge_of(subscription: Subscription | None) -> NextCharge | None:
    """Return what will be charged next; None where nothing will be, and while it is not known."""
    if subscription is None or subscription.pk is None or subscription.customer.deleted_at:
        return None
    found = NextCharge.objects.filter(subscription=subscription, amount__isnull=False, at__gt=clock.now()).first()
    return None if found and writes.is_cancelling(subscription.stripe_id) else found


def is_awaited(subscription: Subscription) -> bool:
    """Return whether Stripe is still to be asked what will be charged next."""
    is_asked = NextCharge.objects.filter(subscription=subscription.pk, ask_at__isnull=False).exists()
    return is_asked and not writes.is_cancelling(subscription.stripe_id)


def await_extras(customer: Customer, item_date: int) -> None:
    """Have Stripe asked until the period ends: an invoice item waits for the next invoice, and its sum is not ours.

    An item is not waited for if an invoice was made since, as for an upgrade: it is on that one.
    """
    latest = {found["id"]: found["latest_invoice"] for found in fetch.subscriptions(customer.pk)}
    rows = Subscription.objects.filter(customer=customer, status__in=CHARGED)
    for subscription in rows.exclude(whose=Subscription.Whose.FOREIGN):
        invoice = latest.get(subscription.stripe_id)
        if isinstance(invoice, dict) and invoice["created"] >= item_date:
            continue
        NextCharge.objects.get_or_create(subscription=subscription)
        NextCharge.objects.filter(subscription=subscription).update(
            extras_until=subscription.current_period_end,
            amount=None,
            ask_at=timezone.now(),
            version=F("version") + 1,
            attempts=0,
        )


def ask_again_of_prices(prices: Collection[str]) -> None:
    """Mark the subscriptions that pay these prices, now or after a scheduled change, so that Stripe is asked again.
    Makes no call."""
    by_items = Q(subscription__items__stripe_price__in=prices)
    _ask_again(NextCharge.objects.filter(by_items | Q(subscription__pending_price__in=prices)))


def ask_again_of(customer: Customer) -> None:
    """Mark a customer's subscriptions so that Stripe is asked again what it charges, since taxes may differ. Makes no
    call."""
    _ask_again(NextCharge.objects.filter(subscription__customer=customer))


def _ask_again(rows: QuerySet[NextCharge]) -> None:
    """Mark the rows that tell of a charge. Marked again before the worker asks, they still cost one call."""
    known = rows.filter(amount__isnull=False).values("pk")
    NextCharge.objects.filter(pk__in=known).update(
        amount=None, ask_at=timezone.now(), version=F("version") + 1, attempts=0
    )


def await_first(customers: Iterable[str]) -> None:
    """Mark imported subscriptions, whose next charges nobody knows yet, so that Stripe is asked."""
    rows = Subscription.objects.filter(customer__in=customers, status__in=CHARGED, next_charge=None)
    new = [
        NextCharge(subscription=row, ask_at=timezone.now()) for row in rows.exclude(whose=Subscription.Whose.FOREIGN)
    ]
    NextCharge.objects.bulk_create(new, ignore_conflicts=True)


def each_minute() -> str:
    """Ask Stripe for the amounts that wait, the oldest first. Returns a summary for the queue."""
    known = NextCharge.objects.filter(subscription__customer__deleted_at=None)
    waiting = known.filter(ask_at__lte=timezone.now()).order_by("ask_at").select_related("subscription", "coming_price")
    asked = 0
    for row in waiting[:AT_ONCE]:
        try:
            with stripe_client.patient():
                _ask(row)
        except StripeUnavailable:
            break
        except Exception:
            log.exception("next charge not asked", extra={"subscription": row.subscription.stripe_id})
            _ask_later(row)
        asked += 1
    return f"{asked} next charges asked"


def _ask(row: NextCharge) -> None:
    """Ask Stripe for the next invoice; the answer counts only if nothing has changed since."""
    same = NextCharge.objects.filter(pk=row.pk, version=row.version)
    try:
        invoice = stripe_client.post(
            "/v1/invoices/create_preview",
            idempotency_key=f"next_charge:{uuid.uuid4()}",
            subscription=row.subscription.stripe_id,
            **coming_prices.preview_params(row),
        )
    except StripeRefused as error:
        if error.code == NOTHING_UPCOMING:
            same.update(amount=None, at=None, ask_at=None)
            return
        log.warning("next charge not known", extra={"subscription": row.subscription.stripe_id, "error": str(error)})
        _ask_later(row)
        return
    if readers.is_tax_unknown(invoice):  # an address changes the basis, and Stripe is asked again
        same.update(amount=None, at=None, ask_at=None)
        return
    at = row.subscription.current_period_end
    same.update(amount=invoice["amount_due"], currency=invoice["currency"], at=at, ask_at=None)


def _ask_later(row: NextCharge) -> None:
    again = timezone.now() + timedelta(hours=min(2**row.attempts, 24))
    NextCharge.objects.filter(pk=row.pk, version=row.version).update(ask_at=again, attempts=row.attempts + 1)


def _foreseen(found: Found, row: NextCharge) -> tuple[int | None, datetime | None] | None:
    """Return amount and time, both None where nothing will be charged; None where only Stripe can say."""
    end = min(item["current_period_end"] for item in found["items"]["data"])
    if found["status"] not in CHARGED or found.get("pause_collection") or _ends_unpaid(found):
        return None, None
    if (invoice := _collected_next(found)) is not None:
        return invoice
    if readers.is_cancellation_scheduled(found) and (found["cancel_at"] or end) <= end:
        return None, None
    amount = _simple_amount(found, row)
    return None if amount is None else (amount, from_timestamp(end))


def _ends_unpaid(found: Found) -> bool:
    """Return whether a trial ends without anything to charge."""
    end_behavior = (found.get("trial_settings") or {}).get("end_behavior") or {}
    if found["status"] != Status.TRIALING or end_behavior.get("missing_payment_method") not in ("cancel", "pause"):
        return False
    return has_payment_method(found) is False


def _collected_next(found: Found) -> tuple[int | None, datetime | None] | None:
    """Return the invoice that is collected before the next renewal: a renewal's draft, or the next try of a failed one.

    A past-due subscription whose invoice is not tried again is not charged until somebody pays.
    """
    invoice = found["latest_invoice"]
    if not isinstance(invoice, dict) or found.get("pending_update"):
        return None
    due = invoice.get("amount_remaining") or 0
    if invoice.get("status") == "draft" and invoice.get("auto_advance") and due > 0:
        at = invoice.get("automatically_finalizes_at") or invoice.get("next_payment_attempt")
        return due, from_timestamp(at) or clock.now()
    if found["status"] == Status.PAST_DUE and invoice.get("status") == "open":
        at = invoice.get("next_payment_attempt")
        return (due, from_timestamp(at)) if at else (None, None)
    return None


def _simple_amount(found: Found, row: NextCharge) -> int | None:
    """Return price × quantity of the next period; None where anything else counts."""
    items, customer = found["items"]["data"], found["customer"]
    is_plain = (
        len(items) == 1
        and isinstance(customer, dict)
        and not customer.get("balance")
        and not customer.get("discount")
        and not found.get("discounts")
        and not found.get("default_tax_rates")
        and not (found.get("automatic_tax") or {}).get("enabled")
        and not (row.extras_until and row.extras_until > clock.now())
    )
    if not is_plain or items[0].get("tax_rates") or items[0].get("discounts") or items[0].get("quantity") is None:
        return None
    if isinstance(found.get("schedule"), dict):
        return _scheduled_amount(found)
    if coming := coming_prices.coming_in(row, items[0]):
        return catalogue.amounts.cost(coming, found["currency"], readers.quantity_of(items[0]))
    price = items[0]["price"]
    is_flat = price.get("billing_scheme", "per_unit") == "per_unit" and not price.get("transform_quantity")
    if not is_flat or price.get("unit_amount") is None or price["currency"] != found["currency"]:
        return None
    return int(price["unit_amount"]) * readers.quantity_of(items[0])


def _scheduled_amount(found: Found) -> int | None:
    """Return the amount of a change of plan that takes effect at the renewal, where the schedule is as ours are."""
    change, phases = pending_change_of(found), found["schedule"]["phases"]
    if change is None or change.price is None or change.at != found["items"]["data"][0]["current_period_end"]:
        return None
    ahead = next((phase for phase in phases if phase["start_date"] == change.at), None)
    if ahead is None or len(ahead["items"]) != 1 or ahead.get("trial_end") or ahead.get("add_invoice_items"):
        return None
    if ahead.get("discounts") or ahead["items"][0].get("discounts") or ahead.get("default_tax_rates"):
        return None
    return catalogue.amounts.cost(change.price, found["currency"], readers.quantity_of(ahead["items"][0]))


def _basis(found: Found | None, row: NextCharge) -> str:
    """Return a hash of all that the next charge depends on."""
    if found is None:
        return "none"
    customer = found["customer"] if isinstance(found["customer"], dict) else {}
    invoice = found["latest_invoice"] if isinstance(found["latest_invoice"], dict) else {}
    schedule = found.get("schedule") if isinstance(found.get("schedule"), dict) else None
    told = {
        "customer": {name: customer.get(name) for name in OF_CUSTOMER},
        "discounts": [id_of(each) for each in found.get("discounts") or []],
        "subscription": {name: found.get(name) for name in OF_SUBSCRIPTION},
        "ends": found["cancel_at_period_end"],
        "method": bool(found["default_payment_method"] or readers.default_payment_method_of(customer)),
        "items": [
            [
                id_of(item["price"]),
                item["price"].get("unit_amount"),
                item.get("quantity"),
                item.get("tax_rates"),
                [id_of(each) for each in item.get("discounts") or []],
                item["current_period_end"],
            ]
            for item in found["items"]["data"]
        ],
        "invoice": {name: invoice.get(name) for name in OF_INVOICE},
        "phases": schedule and schedule["phases"],
        "extras": row.extras_until,
        **coming_prices.basis_of(row),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()

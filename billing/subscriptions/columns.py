"""The columns of our row are read from a subscription at Stripe here: those of the plan, of a pending change and of the
card that will be charged.
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Max, Min

from billing import catalogue, clock
from billing.clock import from_timestamp
from billing.models import Invoice, Payment, PaymentFailure, Price, Subscription
from billing.monitoring import unknown_values
from billing.stripe_client import fetch, id_of, readers

from . import awaited
from .belonging import belonging_of
from .taxes import tax_columns

Status = Subscription.Status
Pending = Subscription.Pending
Whose = Subscription.Whose
OpenInvoices = Callable[[str], list[dict[str, Any]]]

SCHEDULE_STATUSES = frozenset({"not_started", "active", "completed", "released", "canceled"})
NO_METHOD: dict[str, Any] = {
    "payment_method_type": "",
    "card_brand": "",
    "card_last4": "",
    "card_expires_on": None,
}
NO_GRACE: dict[str, Any] = {"past_due_since": None, "past_due_method": ""}


@dataclass(frozen=True)
class PendingChange:
    """A pending change happens `at` (UTC seconds), or lapses then unless it is paid at `url`.

    `price` is None if it belongs to no plan of ours. `add_ons` is how many of each there will be.
    """

    kind: Subscription.Pending
    price: Price | None
    at: int | None
    url: str = ""
    add_ons: dict[str, int] | None = None


def columns_of(
    found: dict[str, Any], before: Subscription, open_invoices: OpenInvoices | None = None
) -> dict[str, Any]:
    """Return our columns by name. The period is that of the item whose price belongs to a plan.

    `open_invoices` tells those of a subscription that is past due; Stripe is asked by default.
    """
    belonging = belonging_of(found, before)
    item = belonging.item
    change = awaited.awaited_change(found, before)
    add_ons = catalogue.add_ons.add_on_items(found["items"]["data"])
    interval = (item["price"].get("recurring") or {}).get("interval")
    unknown_values.is_known("price.recurring.interval", interval, [None, *Price.Interval.values], item["price"]["id"])
    return {
        "stripe_id": found["id"],
        "whose": belonging.whose,
        "line": belonging.line,
        "status": _status(found, before),
        "plan": belonging.plan,
        "price": belonging.price,
        "unmapped_price": item["price"]["id"] if belonging.whose == Whose.UNKNOWN else "",
        "quantity": readers.quantity_of(item),
        "add_ons": catalogue.add_ons.sums(add_ons),
        "add_on_mrr": catalogue.add_ons.monthly_cost(add_ons, found["currency"]),
        "currency": found["currency"],
        "started_at": from_timestamp(found["start_date"]),
        "current_period_start": from_timestamp(item["current_period_start"]),
        "current_period_end": from_timestamp(item["current_period_end"]),
        "billing_cycle_anchor": from_timestamp(found.get("billing_cycle_anchor")),
        "trial_end": from_timestamp(found["trial_end"]),
        "cancel_at": from_timestamp(readers.cancel_at_of(found, item)),
        "ended_at": from_timestamp(found["ended_at"]),
        "canceled_at": from_timestamp(found.get("canceled_at")),
        "cancel_feedback": (found.get("cancellation_details") or {}).get("feedback") or "",
        **(
            grace_columns(before, found, open_invoices or fetch.open_invoices)
            if belonging.whose != Whose.FOREIGN
            else NO_GRACE
        ),
        **pending_columns(found),
        "latest_invoice": id_of(found["latest_invoice"]),
        "default_payment_method": id_of(found["default_payment_method"]),
        **tax_columns(found, before),
        **collection_columns(found),
        "paid_until": _paid_until(found, before, item["current_period_end"]),
        **card_columns(found),
        **(awaited.columns(change, found) if change else {}),
    }


def collection_columns(found: dict[str, Any]) -> dict[str, Any]:
    """Return the columns that tell how the subscription is paid, and whether its collection is paused."""
    paused = found.get("pause_collection") or {}
    end_behavior = (found.get("trial_settings") or {}).get("end_behavior") or {}
    return {
        **({} if (has := has_payment_method(found)) is None else {"has_payment_method": has}),
        "collection_method": found.get("collection_method") or "",
        "collection_paused": paused.get("behavior") or "",
        "collection_resumes_at": from_timestamp(paused.get("resumes_at")),
        "trial_end_without_card": end_behavior.get("missing_payment_method") or "",
    }


def _paid_until(found: dict[str, Any], before: Subscription, period_end: int) -> datetime | None:
    """Return until when the subscription was paid when its invoices began to be voided; None while they are not."""
    if (found.get("pause_collection") or {}).get("behavior") != Subscription.VOIDED:
        return None
    is_known = before.stripe_id == found["id"] and before.collection_paused == Subscription.VOIDED
    return (before.paid_until if is_known else None) or from_timestamp(period_end)


def has_payment_method(found: dict[str, Any]) -> bool | None:
    """Return whether Stripe has something to charge; None where the customer was not expanded."""
    if found["default_payment_method"] or found.get("default_source"):
        return True
    customer = found["customer"]
    if not isinstance(customer, dict):
        return None
    return bool(readers.default_payment_method_of(customer) or customer.get("default_source"))


def _status(found: dict[str, Any], before: Subscription) -> str:
    """Return the status; for one that we do not know, the one that the row had, or for a new row one without access."""
    if unknown_values.is_known("subscription.status", found["status"], Subscription.AT_STRIPE, found["id"]):
        return str(found["status"])
    is_had = before.stripe_id == found["id"] and before.status != Status.NONE
    return before.status if is_had else Status.INCOMPLETE


def grace_columns(before: Subscription, found: dict[str, Any], open_invoices: OpenInvoices) -> dict[str, Any]:
    """Return since when the subscription is past due, and what failed then: a bank debit has a longer grace.

    The failure says what failed. Before it is recorded, the method counts that was there before: an account that
    refused a debit may be gone with it.
    """
    is_same = before.stripe_id == found["id"]
    if is_same and found["status"] not in Status.values:
        return {"past_due_since": before.past_due_since, "past_due_method": before.past_due_method}
    if found["status"] != Status.PAST_DUE:
        return NO_GRACE
    known = (before.past_due_method or before.payment_method_type) if is_same else ""
    method = "" if found.get("collection_method") == Invoice.SENT else known or _method_type(found)
    since = past_due_since(before, found, open_invoices, method in Subscription.DEBITS)
    failures = PaymentFailure.objects.filter(subscription_id=found["id"], failed_at=since)
    return {
        "past_due_since": since,
        "past_due_method": failures.exclude(method="").values_list("method", flat=True).first() or method,
    }


def past_due_since(
    before: Subscription, found: dict[str, Any], open_invoices: OpenInvoices, is_debit: bool = False
) -> datetime:
    """Return when the oldest invoice that is still open was due (if it was sent), or failed first. Retries do not move
    it; payment clears it. An invoice that is older than the latest paid one is left out: it does not shorten today's
    grace.

    Before the failure is recorded, a card's is taken to be that of the moment the invoice was finalized, since it is
    charged then; a bank refuses a debit days later, so grace begins as we learn of it.
    """
    failed = PaymentFailure.objects.filter(subscription_id=found["id"])
    failures = dict(failed.values("invoice_id").annotate(first=Min("failed_at")).values_list("invoice_id", "first"))
    payments = Payment.objects.filter(subscription_id=found["id"])
    paid_up_to = payments.aggregate(latest=Max("invoiced_at"))["latest"]
    dues = [
        _grace_start(invoice, failures) or _guess(before, found, invoice, is_debit)
        for invoice in open_invoices(found["id"])
        if paid_up_to is None or from_timestamp(invoice["created"]) > paid_up_to
    ]
    return min(filter(None, dues), default=None) or before.past_due_since or clock.now()


def _grace_start(invoice: dict[str, Any], failures: dict[str, datetime]) -> datetime | None:
    return from_timestamp(invoice["due_date"]) or failures.get(invoice["id"])


def _guess(before: Subscription, found: dict[str, Any], invoice: dict[str, Any], is_debit: bool) -> datetime | None:
    if not is_debit:
        return from_timestamp(invoice["status_transitions"]["finalized_at"])
    return (before.past_due_since if before.stripe_id == found["id"] else None) or clock.now()


def pending_change_of(found: dict[str, Any]) -> PendingChange | None:
    """Return the pending change, or None, of a subscription with its schedule and latest invoice expanded."""
    return _awaiting_payment(found) or _scheduled(found)


def pending_columns(found: dict[str, Any]) -> dict[str, Any]:
    """Return the `pending_…` columns; none if the schedule was not expanded, so that what we know stays."""
    schedule = found.get("schedule")
    if isinstance(schedule, str):
        return {}
    if schedule and not unknown_values.is_known(
        "subscription_schedule.status", schedule["status"], SCHEDULE_STATUSES, found["id"]
    ):
        return {}
    change = pending_change_of(found)
    return {
        "pending_kind": change.kind if change else "",
        "pending_price": change.price if change else None,
        "pending_at": from_timestamp(change.at) if change else None,
        "pending_url": change.url if change else "",
        "pending_add_ons": change.add_ons if change else None,
    }


def _awaiting_payment(found: dict[str, Any]) -> PendingChange | None:
    """Return the change that waits for its invoice, which is the latest (`pending_if_incomplete`)."""
    update, invoice = found.get("pending_update"), found["latest_invoice"]
    if not update:
        return None
    url = (invoice.get("hosted_invoice_url") or "") if isinstance(invoice, dict) else ""
    items = update["subscription_items"] or []
    add_ons = catalogue.add_ons.quantities_in(items)
    return PendingChange(Pending.UPDATE, _price(items), update["expires_at"], url, add_ons)


def _scheduled(found: dict[str, Any]) -> PendingChange | None:
    """Return the change of the first phase ahead that bills something else than now."""
    schedule = found.get("schedule")
    if not isinstance(schedule, dict) or schedule["status"] != "active" or not schedule["current_phase"]:
        return None
    now = _billed(found["items"]["data"])
    for phase in schedule["phases"]:
        if phase["start_date"] >= schedule["current_phase"]["end_date"] and _billed(phase["items"]) != now:
            known = Price.objects.filter(pk__in=[id_of(item["price"]) for item in phase["items"]])
            price = known.select_related("plan").order_by("-plan__rank").first()
            add_ons = catalogue.add_ons.quantities_in(phase["items"])
            return PendingChange(Pending.SCHEDULED, price, phase["start_date"], add_ons=add_ons)
    return None


def _billed(items: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return sorted((id_of(item["price"]), readers.quantity_of(item)) for item in items)


def _price(items: list[dict[str, Any]]) -> Price | None:
    try:
        return catalogue.plan_item(items)[1]
    except catalogue.UnmappedPrice:
        return None


def card_columns(found: dict[str, Any]) -> dict[str, Any]:
    """Return the columns about the card or bank account that is charged, empty if there is none.

    Returns no columns if the payment method of the subscription or its customer was not expanded: what we know stays.
    """
    method = payment_method_of(found)
    if isinstance(method, str):
        return {}
    kind = _type_of(method or {})
    known = (method or {}).get(kind) or {}
    if not known:
        return {**NO_METHOD, "payment_method_type": kind}
    is_card = kind == "card"
    return {
        "payment_method_type": kind,
        "card_brand": str(known["brand"])[:20] if is_card else "",
        "card_last4": str(known.get("last4") or "")[:4],
        "card_expires_on": _last_day(known["exp_year"], known["exp_month"]) if is_card else None,
    }


def pays_in_days(found: dict[str, Any]) -> bool:
    """Return whether payments take days: they are debits, or invoices that are sent."""
    return found.get("collection_method") == Invoice.SENT or _method_type(found) in Subscription.DEBITS


def _method_type(found: dict[str, Any]) -> str:
    method = payment_method_of(found)
    return _type_of(method) if isinstance(method, dict) else ""


def _type_of(method: dict[str, Any]) -> str:
    """Return the type of a payment method; an older source that is a card has none."""
    return str(method.get("type") or ("card" if method.get("card") else ""))[:40]


def payment_method_of(found: dict[str, Any]) -> dict[str, Any] | str | None:
    """Return the subscription's own payment method, or an older source, or the customer's; an id if not expanded."""
    method = found["default_payment_method"] or id_of(found.get("default_source")) or None
    customer = found["customer"]
    if method or not isinstance(customer, dict):
        return method or customer
    return readers.default_payment_method_of(customer)


def _last_day(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])

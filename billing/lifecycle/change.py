"""A subscriber changes plan here: an upgrade is paid at once, a downgrade waits for the end of the period.

Each change is a row (`PlanChange`) whose id is the idempotency key of each call, and Stripe is asked for the current
state before anything is done. So asking again continues a change that a crash or an outage interrupted.
"""

from typing import Any

from billing import stripe_client
from billing.lanes import writes
from billing.models import PlanChange, Price, StripeWrite, Subscription
from billing.stripe_client import StripeRefused, fetch, id_of, readers

from . import phases, previews, prices
from .change_rules import Effect, effect
from .live_subscription import Standing, change_subscription
from .refusals import NoPendingChange, NoSubscription, PaymentDeclined, SamePlan

Status = PlanChange.Status

# A payment intent that is none of these was declined, or had no card to try.
ON_ITS_WAY = frozenset({"requires_action", "requires_confirmation", "requires_capture", "processing", "succeeded"})


def change(subscriber: Any, plan_slug: str, interval: str, proration_date: int | None = None) -> Subscription:
    """Change the subscription of the plan's line to that plan by an interval. Returns the refreshed row.

    If the cardholder must confirm the payment (3D Secure), the plan stays as it is until then: `pending_kind` is
    `pending_update`, and `pending_url` is the page to send the subscriber to. A change for the end of the period is
    `scheduled`. Choosing the current plan cancels a pending change. Asking twice changes once.

    Raises `PriceNotOffered`, `NoSubscription`, `SamePlan`, `PaymentOverdue`, `SubscriptionPaused`,
    `CancellationScheduled`, `ChangePending`, `StalePreview`, `PaymentDeclined`, and the errors of
    `live_subscription.change_subscription`.
    """
    price = prices.price_of(plan_slug, interval)
    return change_subscription(subscriber, lambda now: _change(now, price, proration_date), line=price.plan.line)


def take_back(subscriber: Any, line: str = "") -> Subscription:
    """Cancel the pending change of plan. Returns the refreshed row.

    Raises `NoPendingChange`, and the errors of `live_subscription.change_subscription`.
    """
    return change_subscription(subscriber, _take_back, lambda row: not row.pending_kind, line)


def drop_pending_update(now: Standing) -> None:
    """Void the invoice of a change that waits for its payment, which drops the change."""
    if now.has_pending_update:
        _void(now, id_of(now.found["latest_invoice"]))


def _change(now: Standing, price: Price, proration_date: int | None) -> None:
    try:
        what = effect(now, price)
    except SamePlan:
        if previews.was_made(now, price, proration_date):
            return
        raise
    if what == Effect.TAKES_BACK:
        _take_back(now)
        return
    if now.is_changing_to(price):
        return
    intent = previews.intended_change(now, price, proration_date)
    _refuse_unanswered(now)
    _mark(intent, Status.ASKED)
    try:
        _make_now(now, intent) if what == Effect.NOW else _schedule(now, intent)
    except (PaymentDeclined, *StripeRefused):
        _mark(intent, Status.REFUSED)
        raise
    _mark(intent, Status.MADE)


def _mark(intent: PlanChange, status: PlanChange.Status) -> None:
    PlanChange.objects.filter(pk=intent.pk).update(status=status)


def _refuse_unanswered(now: Standing) -> None:
    """Refuse earlier changes that were asked without an answer: their keys would replay what was true then."""
    PlanChange.objects.filter(subscription_id=now.id, status=Status.ASKED).update(status=Status.REFUSED)


def _take_back(now: Standing) -> None:
    if not now.is_live:
        raise NoSubscription
    if now.pending is None:
        if now.row and now.row.pending_kind:
            return  # an earlier try whose answer was lost
        raise NoPendingChange
    _refuse_unanswered(now)
    drop_pending_update(now)
    now.release_schedule()


def _make_now(now: Standing, intent: PlanChange) -> None:
    """Change the price in one call.

    During a trial nothing is charged. Otherwise Stripe charges now; if the payment needs confirming, the change stays
    pending.
    """
    now.release_schedule()
    paying: dict[str, Any] = {"proration_behavior": "none"}
    if not now.is_trial:
        paying = {
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
            "proration_date": intent.proration_date,
        }
    changed = stripe_client.post(
        f"/v1/subscriptions/{now.id}",
        idempotency_key=f"change:{intent.pk}",
        items=previews.change_items(now, intent.price),
        **paying,
    )
    if changed["pending_update"]:
        _await_cardholder(now, id_of(changed["latest_invoice"]))


def _await_cardholder(now: Standing, invoice_id: str) -> None:
    """Leave a payment that can still be confirmed to its cardholder; drop the change after a declined one."""
    invoice = fetch.invoice(invoice_id, now.customer.pk)
    intents = readers.payment_intents_of(invoice)
    if invoice["status"] == "paid" or any(intent["status"] in ON_ITS_WAY for intent in intents):
        return
    _void(now, invoice_id)
    reasons = [readers.payment_error_of(intent).get("message") for intent in intents]
    reason = next(filter(None, reasons), "Your payment was declined.")
    raise PaymentDeclined(f"{reason} Nothing was changed: use another card and try again.")


def _void(now: Standing, invoice_id: str) -> None:
    """Void an invoice, as an owed write: if Stripe does not answer now, the worker retries."""
    writes.make_now(now.customer, [(invoice_id, now.id, StripeWrite.Action.CLOSE_INVOICE)])


def _schedule(now: Standing, intent: PlanChange) -> None:
    """Schedule the change in two calls.

    A try that stops between them leaves a schedule without a change, which the next try continues. The last phase
    lasts a day: then Stripe releases the subscription, and the portal can manage it again.
    """
    schedule = now.schedule or stripe_client.post(
        "/v1/subscription_schedules", idempotency_key=f"schedule:{intent.pk}", from_subscription=now.id
    )
    under_way = schedule["current_phase"]
    kept = _kept_discounts(schedule)
    items = [_phase_item(item) for item in now.found["items"]["data"]]
    then = [_phase_item(item, intent.price if item["id"] == now.item["id"] else None) for item in _items(now)]
    stripe_client.post(
        f"/v1/subscription_schedules/{schedule['id']}",
        idempotency_key=f"phases:{intent.pk}",
        end_behavior="release",
        proration_behavior="none",
        phases=[
            {**kept, "items": items, "start_date": under_way["start_date"], "end_date": now.period_end},
            {
                **kept,
                "items": then,
                "proration_behavior": "none",
                "duration": {"interval": "day", "interval_count": 1},
            },
        ],
    )


def _items(now: Standing) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = now.found["items"]["data"]
    return items


def _phase_item(item: dict[str, Any], price: Price | None = None) -> dict[str, Any]:
    return {"price": price.pk if price else item["price"]["id"], "quantity": readers.quantity_of(item)}


def _kept_discounts(schedule: dict[str, Any]) -> dict[str, Any]:
    began_at = readers.phase_start_of(schedule)
    under_way: dict[str, Any] = next((phase for phase in schedule["phases"] if phase["start_date"] == began_at), {})
    return phases.discounts(under_way)

"""A subscriber changes plan here: an upgrade is paid at once, a downgrade waits for the end of the period.

Each change is a row (`PlanChange`) whose id is the idempotency key of each call, and Stripe is asked for the current
state before anything is done. So asking again continues a change that a crash or an outage interrupted.
"""

from typing import Any

from django.utils.translation import gettext, gettext_lazy

from billing import stripe_client, subscriptions
from billing.lanes import writes
from billing.models import PlanChange, Price, StripeWrite, Subscription
from billing.stripe_client import StripeRefused, fetch, id_of, readers

from . import add_on_items, overage_items, previews, prices, scheduling, tax
from .change_rules import Effect, effect
from .live_subscription import Standing, change_subscription
from .refusals import ChangePending, NoPendingChange, NoSubscription, PaymentDeclined, PriceReplaced, SamePlan

Status = PlanChange.Status

BEING_PAID = gettext_lazy("Your bank is already paying for this change, so it can't be taken back any more.")
# A payment intent that is none of these was declined, or had no card to try.
OTHER_CARD = gettext_lazy("Nothing was changed: use another card and try again.")
OTHER_WAY = gettext_lazy("Nothing was changed: use another way to pay and try again.")
NOT_ON_ITS_WAY = frozenset({"requires_payment_method", "canceled"})


def change(
    subscriber: Any, plan_slug: str, interval: str, proration_date: int | None = None, interval_count: int = 1
) -> Subscription:
    """Change the subscription of the plan's line to that plan by so many intervals. Returns the refreshed row.

    If the cardholder must confirm the payment (3D Secure), the plan stays as it is until then: `pending_kind` is
    `pending_update`, and `pending_url` is the page to send the subscriber to. A change for the end of the period is
    `scheduled`. Choosing the current plan cancels a pending change. Asking twice changes once.

    Raises `PriceNotOffered`, `PriceReplaced`, `NoSubscription`, `SamePlan`, `PaymentOverdue`, `SubscriptionPaused`,
    `CancellationScheduled`, `ChangePending`, `StalePreview`, `TaxAddressNeeded`, `PaymentDeclined`, and the errors of
    `live_subscription.change_subscription`.
    """
    price = prices.price_of(plan_slug, interval, interval_count=interval_count)
    try:
        return change_subscription(subscriber, lambda now: _change(now, price, proration_date), line=price.plan.line)
    except StripeRefused as error:
        if prices.is_replaced(price):
            raise PriceReplaced from error
        raise


def change_of(now: Standing, price: Price) -> None:
    """Change this subscription to a price, as it was previewed last; the caller holds the lane. Raises as `change`
    does."""
    _change(now, price, previews.newest_preview(now, price))


def take_back(subscriber: Any, line: str = "") -> Subscription:
    """Cancel the pending change of plan. Returns the refreshed row.

    Raises `NoPendingChange`, and the errors of `live_subscription.change_subscription`.
    """
    return change_subscription(subscriber, take_back_of, lambda row: not row.pending_kind, line)


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
        take_back_of(now)
        return
    if now.is_changing_to(price):
        return
    if what == Effect.NOW and not now.is_trial:
        tax.refuse_without_place(now.found)
    intent = previews.intended_change(now, price, proration_date)
    refuse_unanswered(now)
    mark(intent, Status.ASKED)
    try:
        if what == Effect.NOW:
            make_now(now, intent, previews.change_items(now, intent.price))
        else:
            then = add_on_items.after(now, price, now.coming_add_ons)
            scheduling.schedule_items(now, str(intent.pk), then(intent.quantity))
    except (PaymentDeclined, *StripeRefused):
        mark(intent, Status.REFUSED)
        raise
    PlanChange.objects.filter(pk=intent.pk, status=Status.ASKED).update(status=Status.MADE)


def mark(intent: PlanChange, status: PlanChange.Status) -> None:
    PlanChange.objects.filter(pk=intent.pk).update(status=status)


def refuse_unanswered(now: Standing) -> None:
    """Mark earlier changes that Stripe never answered as refused: their keys would replay an old answer."""
    PlanChange.objects.filter(subscription_id=now.id, status=Status.ASKED).update(status=Status.REFUSED)


def take_back_of(now: Standing) -> None:
    if not now.is_live:
        raise NoSubscription
    if now.pending is None:
        if now.row and now.row.pending_kind:
            return  # an earlier try whose answer was lost
        raise NoPendingChange
    refuse_unanswered(now)
    drop_pending_update(now)
    undo_awaited(now)
    now.release_schedule()


def undo_awaited(now: Standing) -> None:
    """Undo a change whose payment takes days. Raises `ChangePending` while a bank is paying it."""
    if now.awaited is None:
        return
    invoice = now.awaited.invoice_id or id_of(now.found["latest_invoice"])
    intents = readers.payment_intents_of(fetch.invoice(invoice, now.customer.pk))
    if any(intent["status"] == "processing" for intent in intents):
        raise ChangePending(str(BEING_PAID))
    writes.make_now(now.customer, [(now.id, str(now.awaited.pk), StripeWrite.Action.UNDO_CHANGE)])


def make_now(now: Standing, intent: PlanChange, items: list[dict[str, Any]]) -> None:
    """Change the items in one call.

    During a trial nothing is charged. Otherwise Stripe charges now; if the payment needs confirming, the change stays
    pending.
    """
    overage_items.report_before(now)
    now.release_schedule()
    pays_in_days = not now.is_trial and subscriptions.pays_in_days(now.found)
    paying: dict[str, Any] = {"proration_behavior": "none"}
    if not now.is_trial:
        paying = {
            "proration_behavior": "always_invoice",
            "payment_behavior": "pending_if_incomplete",
            "proration_date": intent.proration_date,
        }
    if pays_in_days:  # Stripe allows no pending update, so our row waits (see subscriptions.awaited)
        paying["payment_behavior"] = "allow_incomplete"
        before = add_on_items.snapshot(now)
        awaited = {"status": Status.AWAITED, "previous_price": now.price, "previous_items": before}
        PlanChange.objects.filter(pk=intent.pk).update(**awaited)
    changed = stripe_client.post(
        f"/v1/subscriptions/{now.id}",
        idempotency_key=f"change:{intent.pk}",
        items=items,
        **paying,
    )
    if pays_in_days:
        _await_bank(now, intent, id_of(changed["latest_invoice"]))
    elif changed["pending_update"]:
        await_cardholder(now, id_of(changed["latest_invoice"]))


def _await_bank(now: Standing, intent: PlanChange, invoice_id: str) -> None:
    """Wait for a payment that is on its way or to be sent; undo the change if the payment failed at once."""
    invoice = fetch.invoice(invoice_id, now.customer.pk)
    if invoice["status"] == "paid" or invoice_id == id_of(now.found["latest_invoice"]):
        mark(intent, Status.MADE)
        return
    PlanChange.objects.filter(pk=intent.pk).update(invoice_id=invoice_id)
    intents = readers.payment_intents_of(invoice)
    is_sent = invoice.get("collection_method") == "send_invoice"
    if is_sent or any(found["status"] not in NOT_ON_ITS_WAY for found in intents):
        return
    writes.make_now(now.customer, [(now.id, str(intent.pk), StripeWrite.Action.UNDO_CHANGE)])
    raise PaymentDeclined(f"{_reason_of(intents)} {OTHER_WAY}")


def _reason_of(intents: list[dict[str, Any]]) -> str:
    reasons = [readers.payment_error_of(intent).get("message") for intent in intents]
    return str(next(filter(None, reasons), gettext("Your payment was declined.")))


def await_cardholder(now: Standing, invoice_id: str) -> None:
    """Let the cardholder confirm a payment that asks for it; drop the change if the payment was declined."""
    invoice = fetch.invoice(invoice_id, now.customer.pk)
    intents = readers.payment_intents_of(invoice)
    if invoice["status"] == "paid" or any(intent["status"] not in NOT_ON_ITS_WAY for intent in intents):
        return
    if now.is_free and not now.has_method:
        return  # no card was asked for so far, so none was declined: the invoice's page takes the first one
    _void(now, invoice_id)
    raise PaymentDeclined(f"{_reason_of(intents)} {OTHER_CARD}")


def _void(now: Standing, invoice_id: str) -> None:
    """Void an invoice, as an owed write: if Stripe does not answer now, the worker retries."""
    writes.make_now(now.customer, [(invoice_id, now.id, StripeWrite.Action.CLOSE_INVOICE)])

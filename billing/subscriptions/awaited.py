"""A change may be made at Stripe before it is paid; here it counts only once its invoice is paid.

Who pays by bank debit, or by an invoice that is sent, cannot have a pending update at Stripe
(https://docs.stripe.com/billing/subscriptions/pending-updates). Stripe then changes the price at once, and our row
keeps the plan that is paid for, until the bank has paid. If it does not, the change is undone.
"""

from typing import Any

from billing import catalogue
from billing.lanes import writes
from billing.models import Payment, PlanChange, StripeWrite, Subscription
from billing.stripe_client import id_of

Found = dict[str, Any]
Pending = Subscription.Pending
FAILED = frozenset({Subscription.Status.PAST_DUE, Subscription.Status.UNPAID})
SETTLED = frozenset({"paid", "uncollectible"})


def awaited_change(found: Found, before: Subscription) -> PlanChange | None:
    """Return the change whose invoice is not paid yet; None without a query where there can be none."""
    latest = found["latest_invoice"]
    is_update = isinstance(latest, dict) and latest.get("billing_reason") == "subscription_update"
    if before.pending_kind != Pending.AWAITED and not (is_update and latest["status"] not in SETTLED):
        return None
    changes = PlanChange.objects.filter(subscription_id=found["id"], status=PlanChange.Status.AWAITED)
    change = changes.select_related("price__plan", "previous_price__plan").order_by("-created_at").first()
    if change is None or change.price_id not in {id_of(item["price"]) for item in found["items"]["data"]}:
        return None
    return None if _is_paid(change, latest) else change


def columns(change: PlanChange, found: Found) -> dict[str, Any]:
    """Return the columns that our row has while a change waits: plan and add-ons that are paid for, and the coming."""
    latest = found["latest_invoice"]
    is_sent = isinstance(latest, dict) and found.get("collection_method") == "send_invoice"
    previous = change.previous_price
    paid_for = catalogue.add_ons.add_on_items(change.previous_items)
    return {
        "plan": previous.plan if previous else None,
        "price": previous,
        "pending_kind": Pending.AWAITED,
        "pending_price": change.price,
        "pending_at": None,
        "pending_add_ons": catalogue.add_ons.quantities_in(found["items"]["data"]),
        "add_ons": catalogue.add_ons.sums(paid_for),
        "add_on_mrr": catalogue.add_ons.monthly_cost(paid_for, found["currency"]),
        "pending_url": (latest.get("hosted_invoice_url") or "") if is_sent else "",
    }


def conclude(found: Found, before: Subscription, after: Subscription) -> None:
    """Note that a change was paid, or owe Stripe the undoing of one whose payment failed. Called in the projection."""
    change = awaited_change(found, after)
    if change is None:
        if before.pending_kind == Pending.AWAITED:
            paid = PlanChange.objects.filter(subscription_id=found["id"], status=PlanChange.Status.AWAITED)
            paid.update(status=PlanChange.Status.MADE)
        return
    latest = found["latest_invoice"]
    is_its_own = isinstance(latest, dict) and latest["id"] == (change.invoice_id or latest["id"])
    if is_its_own and (found["status"] in FAILED or latest["status"] == "void"):
        undo(after, change)


def undo(row: Subscription, change: PlanChange) -> None:
    """Owe Stripe the price before the change, and that its invoice is voided."""
    writes.owe(row.customer, row.stripe_id, str(change.pk), StripeWrite.Action.UNDO_CHANGE)


def _is_paid(change: PlanChange, latest: Any) -> bool:
    invoice = change.invoice_id or id_of(latest)
    if isinstance(latest, dict) and latest["id"] == invoice:
        return latest["status"] in SETTLED
    return Payment.objects.filter(invoice_id=invoice).exists()

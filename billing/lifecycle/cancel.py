"""A subscriber cancels here, at the end of the period or now, and resumes."""

from typing import Any, Literal

from billing import stripe_client
from billing.lanes import writes
from billing.models import StripeWrite, Subscription

from .change import drop_pending_update
from .customers import request_key
from .live_subscription import Standing, change_subscription
from .refusals import NoSubscription, NotCancelling

When = Literal["period_end", "now"]


def cancel(subscriber: Any, when: When, line: str = "") -> Subscription:
    """End the subscription at the end of the period (or trial), or now. Returns the refreshed row.

    A pending change of plan is dropped. "now" refunds nothing, and closes unpaid invoices.
    A subscription that has ended, or ends by then anyway, stays as it is.

    Raises `AccountClosing`, `NoSubscription` for a subscriber who never had one, and the errors of
    `live_subscription.change_subscription`.
    """
    if when == "now":
        return change_subscription(subscriber, _cancel_now, lambda row: row.status in Subscription.TERMINAL, line)
    return change_subscription(
        subscriber, _cancel_at_period_end, lambda row: bool(row.cancel_at) or row.status in Subscription.TERMINAL, line
    )


def resume(subscriber: Any, line: str = "") -> Subscription:
    """Undo a scheduled cancellation. Returns the refreshed row.

    Raises `NotCancelling`, `NoSubscription`, and the errors of `live_subscription.change_subscription`.
    """
    return change_subscription(subscriber, _resume, lambda row: row.cancel_at is None, line)


def _cancel_at_period_end(now: Standing) -> None:
    if not now.is_live or now.found["cancel_at_period_end"] or _ends_by(now, now.period_end):
        return
    _drop_pending_changes(now)
    if now.found["cancel_at"]:
        now.update("cancel", cancel_at=now.period_end)
    else:
        now.update("cancel", cancel_at_period_end=True)


def _ends_by(now: Standing, at: int) -> bool:
    return bool(now.found["cancel_at"]) and now.found["cancel_at"] <= at


def _cancel_now(now: Standing) -> None:
    """Cancel the subscription first: voiding the invoice of a past-due one before would make it active for nothing.

    A second try after a lost answer finds it ended, and closes the invoices that are left.
    """
    unpaid = _unpaid_invoices(now)
    if now.is_live:
        now.release_schedule()
        stripe_client.delete(f"/v1/subscriptions/{now.id}", idempotency_key=request_key(now.customer, "cancel"))
    writes.make_now(now.customer, [(invoice, now.id, StripeWrite.Action.CLOSE_INVOICE) for invoice in unpaid])


def _unpaid_invoices(now: Standing) -> list[str]:
    """Return the ids of open invoices, and of a renewal's draft that Stripe would collect within the hour."""
    return [
        invoice["id"]
        for status in ("open", "draft")
        for invoice in stripe_client.get("/v1/invoices", subscription=now.id, status=status, limit=100)["data"]
    ]


def _resume(now: Standing) -> None:
    """Clear the cancellation: `false` clears both fields; a `cancel_at` that the portal set alone is cleared by itself.

    A second try after a lost answer finds nothing to clear, and only refreshes.
    """
    if not now.is_live:
        raise NoSubscription
    if not now.is_ending:
        if now.row and now.row.cancel_at:
            return
        raise NotCancelling
    now.release_schedule()
    if now.found["cancel_at_period_end"]:
        now.update("resume", cancel_at_period_end=False)
    else:
        now.update("resume", cancel_at="")


def _drop_pending_changes(now: Standing) -> None:
    drop_pending_update(now)
    now.release_schedule()

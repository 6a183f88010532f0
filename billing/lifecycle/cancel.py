"""Leaving: at the end of what is paid for, or now; and thinking better of it."""

from typing import Any, Literal

from billing import stripe_client
from billing.lanes import writes
from billing.models import StripeWrite, Subscription

from .change import drop_pending_update
from .customers import request_key
from .live_subscription import Standing, change_subscription
from .refusals import NoSubscription, NotCancelling

When = Literal["period_end", "now"]


def cancel(subscriber: Any, when: When) -> Subscription:
    """End the subscription at the period's end (a trial's end in a trial), or now; the subscription as it stands then.

    A pending change of plan is given up. Now gives nothing back, and what is still unpaid is not asked for any more.
    A subscription that is over, or ends by then anyway, stays as it is.

    Raises `AccountClosing`, `NoSubscription` for who never had one, and those of `standing.act`.
    """
    if when == "now":
        return change_subscription(subscriber, _cancel_now, lambda row: row.status in Subscription.TERMINAL)
    return change_subscription(
        subscriber, _cancel_at_period_end, lambda row: bool(row.cancel_at) or row.status in Subscription.TERMINAL
    )


def resume(subscriber: Any) -> Subscription:
    """Call a scheduled cancellation off. Raises `NotCancelling`, `NoSubscription`, and those of `standing.act`."""
    return change_subscription(subscriber, _resume, lambda row: row.cancel_at is None)


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
    """The subscription first: to void a past-due one's invoice before would make it active for nothing.

    Asked again after a lost answer it is over, and what was left of it to collect is closed.
    """
    unpaid = _unpaid_invoices(now)
    if now.is_live:
        now.release_schedule()
        stripe_client.delete(f"/v1/subscriptions/{now.id}", idempotency_key=request_key(now.customer, "cancel"))
    writes.make_now(now.customer, [(invoice, now.id, StripeWrite.Action.CLOSE_INVOICE) for invoice in unpaid])


def _unpaid_invoices(now: Standing) -> list[str]:
    """Open ones, and a renewal's draft that would be collected within the hour."""
    return [
        invoice["id"]
        for status in ("open", "draft")
        for invoice in stripe_client.get("/v1/invoices", subscription=now.id, status=status, limit=100)["data"]
    ]


def _resume(now: Standing) -> None:
    """`false` clears both fields; the portal may have set `cancel_at` alone, which is cleared by itself.

    Asked again after a lost answer there is nothing left to clear, but to project.
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

"""A subscriber cancels here, at the end of the period or now, and resumes.

While something is unpaid, a cancellation ends the subscription now and closes the unpaid invoices, whatever end was
asked for: "you won't be charged again" has to be true (docs/decisions/0102).
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from billing import access, stripe_client
from billing.clock import from_timestamp
from billing.lanes import writes
from billing.models import StripeWrite, Subscription
from billing.stripe_client import id_of
from billing.subscriptions import has_payment_method

from . import overage_items, unpaid
from .change import await_cardholder, drop_pending_update, undo_awaited
from .customers import request_key
from .live_subscription import Standing, change_subscription, customer_of, line_of, standing_of
from .refusals import AccessWithheld, ChangePending, EndsNow, NoPaymentMethod, NoSubscription, NotCancelling
from .unpaid import Kind, Owed

When = Literal["period_end", "now"]
# Stripe's own values: it refuses others.
REASONS = (
    "customer_service",
    "low_quality",
    "missing_features",
    "other",
    "switched_service",
    "too_complex",
    "too_expensive",
    "unused",
)


@dataclass(frozen=True)
class Outlook:
    """An outlook says what a cancellation would do. Without `ends_at` the subscription can only end now.

    `charged` will be charged unless the subscription ends now, `under_way` cannot be stopped, `sent` stays due.
    `has_usage`: what is used until the end is billed at the end.
    """

    ends_at: datetime | None
    is_trial: bool
    charged: list[Owed]
    under_way: list[Owed]
    sent: list[Owed]
    has_usage: bool


def outlook(subscriber: Any, line: str = "") -> Outlook:
    """Ask Stripe what cancelling would do. Raises `NoSubscription`, `AccountClosing`, `StripeUnavailable`."""
    with stripe_client.drain_reads():
        line = line_of(subscriber, line)
        return outlook_of(standing_of(customer_of(subscriber, line), line))


def outlook_of(now: Standing) -> Outlook:
    """Return what cancelling this subscription would do. Raises `NoSubscription`, `StripeUnavailable`."""
    if not now.is_live:
        raise NoSubscription
    owed = unpaid.owed_of(now)
    return Outlook(
        ends_at=None if unpaid.ends_at_once(now, owed) else from_timestamp(now.period_end),
        is_trial=now.is_trial,
        charged=[each for each in owed if each.kind == Kind.CHARGED],
        under_way=[each for each in owed if each.kind == Kind.UNDER_WAY],
        sent=[each for each in owed if each.kind == Kind.SENT],
        has_usage=any(item.get("quantity") is None for item in now.found["items"]["data"]),
    )


def cancel(
    subscriber: Any, when: When, reason: str = "", comment: str = "", *, line: str = "", may_end_now: bool = True
) -> Subscription:
    """End the subscription at the end of the period (or trial), or now. Returns the refreshed row.

    While something is unpaid, both end it now; `may_end_now` False refuses that with `EndsNow`, for a page that has not
    said so yet. A pending change of plan is dropped. "now" refunds nothing, and closes unpaid invoices. A subscription
    that has ended, or ends by then anyway, stays as it is. `reason` (of `REASONS`) and `comment` are kept at Stripe.

    Raises `AccountClosing`, `NoSubscription` for a subscriber who never had one, and the errors of
    `live_subscription.change_subscription`.
    """
    told = {name: value for name, value in (("feedback", reason), ("comment", comment)) if value}
    details = {"cancellation_details": told} if told else {}
    if when == "now":
        return change_subscription(
            subscriber, lambda now: _cancel_now(now, details), lambda row: row.status in Subscription.TERMINAL, line
        )
    return change_subscription(
        subscriber,
        _cancelling_at_period_end(details, may_end_now=may_end_now),
        lambda row: bool(row.cancel_at) or row.status in Subscription.TERMINAL,
        line,
    )


def cancel_of(now: Standing, when: When) -> None:
    """End this subscription at the end of its period, or now, as `cancel` does; the caller holds the lane.

    Raises `EndsNow` if the end of the period was asked for and something is unpaid, `NoSubscription`.
    """
    if not now.is_live:
        raise NoSubscription
    if when == "now":
        _cancel_now(now, {})
    else:
        _cancelling_at_period_end({}, may_end_now=False)(now)


def resume_of(now: Standing) -> None:
    """Undo the scheduled cancellation of this subscription; the caller holds the lane. Raises as `resume` does."""
    _resume(now)


def is_invoice_left(ended: Subscription) -> bool:
    """Return whether an invoice of an ended subscription could not be closed yet, as while a bank is paying it."""
    owed = StripeWrite.objects.filter(reference=ended.stripe_id, action=StripeWrite.Action.CLOSE_INVOICE)
    return owed.filter(done_at=None, withdrawn_at=None).exists()


def resume(subscriber: Any, line: str = "") -> Subscription:
    """Undo a scheduled cancellation, or take up a subscription that paused after its trial, which charges it now.

    Returns the refreshed row. Raises `NotCancelling`, `NoSubscription`, `AccessWithheld`, `NoPaymentMethod`,
    `PaymentDeclined`, and the errors of `live_subscription.change_subscription`.
    """
    return change_subscription(subscriber, _resume, lambda row: row.cancel_at is None, line)


def _cancelling_at_period_end(details: dict[str, Any], *, may_end_now: bool) -> Callable[[Standing], None]:
    def work(now: Standing) -> None:
        if not now.is_live:
            return
        if unpaid.ends_at_once(now, unpaid.owed_of(now)):
            if not may_end_now:
                raise EndsNow
            _cancel_now(now, details)
        else:
            _cancel_at_period_end(now, details)

    return work


def _cancel_at_period_end(now: Standing, details: dict[str, Any]) -> None:
    if now.found["cancel_at_period_end"] or _ends_by(now, now.period_end):
        if details:
            now.update("cancel", **details)
        return
    _drop_pending_changes(now)
    if now.found["cancel_at"]:
        now.update("cancel", cancel_at=now.period_end, **details)
    else:
        now.update("cancel", cancel_at_period_end=True, **details)


def _ends_by(now: Standing, at: int) -> bool:
    return bool(now.found["cancel_at"]) and now.found["cancel_at"] <= at


def _cancel_now(now: Standing, details: dict[str, Any]) -> None:
    """Cancel the subscription first: voiding the invoice of a past-due one before would make it active for nothing.

    A second try after a lost answer finds it ended, and closes the invoices that are left. An invoice that a bank is
    paying cannot be voided: the worker tries again until the bank has answered.
    """
    open_invoices = [invoice["id"] for invoice in unpaid.invoices_of(now)]
    if now.is_live:
        overage_items.report_before(now)
        now.release_schedule(goes_on=False)
        key = request_key(now.customer, "cancel")
        if overage_items.has_metered(now):
            details = {**details, "invoice_now": True, "prorate": False}  # or what was used is never billed
        stripe_client.delete(f"/v1/subscriptions/{now.id}", idempotency_key=key, **details)
    writes.make_now(now.customer, [(invoice, now.id, StripeWrite.Action.CLOSE_INVOICE) for invoice in open_invoices])


def _resume(now: Standing) -> None:
    """Clear the cancellation: `false` clears both fields; a `cancel_at` that the portal set alone is cleared by itself.

    A second try after a lost answer finds nothing to clear, and only refreshes.
    """
    if not now.is_live:
        raise NoSubscription
    if now.status == Subscription.Status.PAUSED:
        _take_up(now)
        return
    if not now.is_ending:
        if now.row and now.row.cancel_at:
            return
        raise NotCancelling
    now.release_schedule()
    if now.found["cancel_at_period_end"]:
        now.update("resume", cancel_at_period_end=False)
    else:
        now.update("resume", cancel_at="")


def _take_up(now: Standing) -> None:
    """Resume a paused subscription: Stripe begins a period now and charges it. A declined payment leaves it paused."""
    if access.withheld(now.customer, now.id):
        raise AccessWithheld
    if not has_payment_method(now.found):
        raise NoPaymentMethod
    if now.is_ending:
        now.update("resume", cancel_at_period_end=False)
    resumed = now.write(f"/v1/subscriptions/{now.id}/resume", "take-up", billing_cycle_anchor="now")
    if resumed["status"] == Subscription.Status.PAUSED:
        await_cardholder(now, id_of(resumed["latest_invoice"]))


def _drop_pending_changes(now: Standing) -> None:
    drop_pending_update(now)
    with suppress(ChangePending):  # a bank is paying it: it counts until the end
        undo_awaited(now)
    now.release_schedule()

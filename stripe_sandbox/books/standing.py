"""Invoices and cancellations move a subscription's status, and decide what falls due for it."""

from ..errors import invalid
from ..events import emit, recorded
from ..store import Object, State
from . import invoicing, items, phases

OVER = ("canceled", "incomplete_expired")
UPDATED = "customer.subscription.updated"


def is_over(sub: Object) -> bool:
    return sub["status"] in OVER


def on_paid(state: State, sub: Object, invoice: Object, card: str | None = None) -> None:
    """Update the subscription after its invoice was paid. `card` is the payment method that becomes the subscription's
    own."""
    if is_over(sub):
        return
    with recorded(state, sub, UPDATED):
        sub["default_payment_method"] = card or sub["default_payment_method"]
        pending = state.note(sub["id"]).get("pending_update")
        if pending and pending["invoice"] == invoice["id"]:
            items.apply_pending(state, sub)
        if _is_latest(state, sub, invoice) and sub["status"] == "paused":
            resume(state, sub)
        elif _is_latest(state, sub, invoice) and sub["status"] in ("incomplete", "past_due", "unpaid"):
            sub["status"] = "active"


def close_invoice(state: State, invoice: Object, status: str) -> None:
    """Void the invoice or give it up. If a subscription's latest invoice is given up, the subscription goes on as if it
    were paid. If it is voided, the subscription stands as the last invoice that is not void left it, and is active if
    there is none; an incomplete one whose first invoice is voided has expired
    (https://docs.stripe.com/billing/subscriptions/overview). A paused one stays paused."""
    invoicing.close_unpaid(state, invoice, status)
    sub = state.find("subscription", invoicing.subscription_id(invoice))
    if sub is None or is_over(sub):
        return
    if status == "void":
        _forget_pending(state, sub, invoice)
    with recorded(state, sub, UPDATED):
        if not _is_latest(state, sub, invoice):
            return
        if status == "void" and sub["status"] == "incomplete":
            expire(state, sub)
        elif status == "uncollectible" and sub["status"] == "paused":
            resume(state, sub)
        elif sub["status"] in ("past_due", "unpaid") and (status == "uncollectible" or _was_settled(state, sub)):
            sub["status"] = "active"


def _forget_pending(state: State, sub: Object, invoice: Object) -> None:
    """Drop the change that waited for this invoice."""
    pending = state.note(sub["id"]).get("pending_update")
    if pending and pending["invoice"] == invoice["id"]:
        del state.note(sub["id"])["pending_update"]
        with recorded(state, sub, "customer.subscription.pending_update_expired"):
            sub["pending_update"] = None


def _is_latest(state: State, sub: Object, invoice: Object) -> bool:
    """Return whether the subscription's status goes by this invoice: those after it, if any, are void."""
    if invoice["id"] == sub["latest_invoice"]:
        return True
    latest = state.find("invoice", sub["latest_invoice"])
    if latest is None or latest["status"] != "void":
        return False
    rows = _invoices(state, sub)
    return all(row["status"] == "void" for row in rows[rows.index(invoice) + 1 :])


def _was_settled(state: State, sub: Object) -> bool:
    """Return whether the latest invoice that was not voided is paid or given up, or there is none."""
    left = [row for row in _invoices(state, sub) if row["status"] != "void"]
    return not left or left[-1]["status"] in ("paid", "uncollectible")


def _invoices(state: State, sub: Object) -> list[Object]:
    rows = state.table("invoice").where("customer", sub["customer"])
    return [row for row in rows if invoicing.subscription_id(row) == sub["id"]]


def expire(state: State, sub: Object) -> None:
    """Expire the subscription, since its first payment will not be made."""
    sub.update(status="incomplete_expired", ended_at=state.now(), canceled_at=state.now())


def resume(state: State, sub: Object) -> None:
    with recorded(state, sub, "customer.subscription.resumed"):
        sub["status"] = "active"


def on_failed(state: State, sub: Object, invoice: Object) -> None:
    if state.note(sub["id"]).get("pending_update"):
        return
    is_first = invoice["billing_reason"] == "subscription_create" and invoice["collection_method"] != "send_invoice"
    # The first invoice of what a schedule or a quote began is a draft for an hour; any other is tried at once.
    if sub["status"] in ("active", "trialing") and not (is_first and sub["created"] == state.now()):
        with recorded(state, sub, UPDATED):
            sub["status"] = "past_due"


def end(state: State, sub: Object, reason: str, at: int | None = None, comment: Object | None = None) -> None:
    """End the subscription for good. A cancellation that was asked for earlier keeps that time."""
    requested = sub["cancel_at"] is not None or sub["cancel_at_period_end"]
    if not at and (sub["cancel_at"] or 0) > state.now():
        sub.update(cancel_at=None, cancel_at_period_end=False)
    sub.update(status="canceled", ended_at=at or state.now(), pending_update=None)
    if not requested or sub["canceled_at"] is None:
        sub["canceled_at"] = sub["ended_at"]
    sub["cancellation_details"] = {**sub["cancellation_details"], **(comment or {}), "reason": reason}
    emit(state, "customer.subscription.deleted", sub)
    phases.close_with(state, sub)
    invoicing.stop_collecting(state, sub)


def schedule_cancellation(state: State, sub: Object, at: int | None, at_period_end: bool) -> None:
    """Set, move or clear (None) the scheduled end."""
    sub.update(cancel_at=at, cancel_at_period_end=at_period_end and at is not None)
    sub["canceled_at"] = state.now() if at is not None else None
    sub["cancellation_details"]["reason"] = "cancellation_requested" if at is not None else None
    if at is not None:
        state.schedule(at, "cancel", sub["id"], str(at), urgency=1)


def pause_collection(state: State, sub: Object, given: Object | None) -> None:
    """Pause the collection: invoices are still drawn up, but kept as drafts, voided or marked uncollectible."""
    resumes_at = (given or {}).get("resumes_at")
    if resumes_at is not None and resumes_at <= state.now():
        raise invalid("`resumes_at` must be in the future.", "pause_collection[resumes_at]")
    sub["pause_collection"] = {"behavior": given["behavior"], "resumes_at": resumes_at} if given else None
    if resumes_at is not None:
        state.schedule(resumes_at, "collection_resumes", sub["id"], str(resumes_at), urgency=2)


def move_trial(state: State, sub: Object, end: int) -> None:
    """Begin a trial now, or move the end of a running one, to `end`."""
    sub.update(
        status="trialing", trial_end=end, trial_start=sub["trial_start"] or state.now(), billing_cycle_anchor=end
    )
    items.set_period(sub, state.now(), end)
    plan(state, sub)


def plan(state: State, sub: Object) -> None:
    """Schedule what the current period brings: its upcoming invoice, the trial's warning, the renewal."""
    end_at = items.period_end(sub)
    state.schedule(max(invoicing.upcoming_at(state, end_at), state.now()), "upcoming", sub["id"], str(end_at))
    state.schedule(end_at, "renew", sub["id"], str(end_at), urgency=3)
    if sub["status"] == "trialing":
        state.schedule(max(end_at - 3 * 86400, state.now()), "trial_will_end", sub["id"], str(end_at), urgency=2)

"""The clock brings renewals, retries, trial ends, cancellations and expiries, one due instant after another."""

from typing import Any

from ..events import emit, in_order, recorded
from ..store import Object, State
from . import (
    aftermath,
    charges,
    collection,
    customer_discounts,
    ending,
    invoicing,
    items,
    line_items,
    metered_invoices,
    periods,
    phases,
    phasing,
    proration,
    standing,
    subscribing,
    usage,
)
from .due import advance, job, run_due
from .periods import days

__all__ = ["advance", "preview_of_renewal", "renew_now", "run_due"]
UPDATED = "customer.subscription.updated"
invoicing.BEFORE_FINALIZING.append(metered_invoices.complete)


def _live(state: State, identifier: str) -> Object | None:
    sub = state.find("subscription", identifier)
    return None if sub is None or standing.is_over(sub) else sub


def _current(state: State, identifier: str, end: str) -> Object | None:
    """Return the live subscription if this is still the end of its period."""
    sub = _live(state, identifier)
    return sub if sub and items.period_end(sub) == int(end) else None


@job
def upcoming(state: State, identifier: str, end: str) -> None:
    sub = _current(state, identifier, end)
    if sub is None or sub["status"] in ("incomplete", "paused", "unpaid") or ends_by(sub, int(end)):
        return
    if sub["pause_collection"]:
        return
    emit(state, "invoice.upcoming", preview_of_renewal(state, sub))


def charged(sub: Object) -> bool:
    return bool(sub["collection_method"] == "charge_automatically")


def ends_by(sub: Object, end: int) -> bool:
    return sub["cancel_at"] is not None and sub["cancel_at"] <= end


def preview_of_renewal(
    state: State, sub: Object, more: list[Object] | None = None, shown: list[Object] | None = None, **values: Any
) -> Object:
    """Return the next invoice as it would be, with `more` lines, or under the phases `shown`; neither filed nor
    numbered, and without an id."""
    period = (items.period_start(sub), items.period_end(sub))
    start, is_free = period[1], sub["status"] == "trialing"
    used = [line for row in items.ending(sub, start) for line in usage.lines(state, sub, row, start, is_free)]
    sub = phasing.foreseen(state, sub, start, shown)
    lines = proration.pending_lines(state, sub) + (more or []) + used
    if sub["status"] == "trialing" and sub["trial_start"] == start:
        lines += line_items.trial_lines(state, sub, sub["items"]["data"])
        return _upcoming(state, sub, lines, period, values)
    for row in items.ending(sub, start):
        _, end = periods.around(sub["billing_cycle_anchor"], start, row["price"]["recurring"])
        after = {**row, "current_period_start": start, "current_period_end": end}
        lines += subscribing.regular_lines(state, sub, after, items.whole_of(after, sub["billing_cycle_anchor"]))
    return _upcoming(state, sub, lines, period, values)


def _upcoming(
    state: State, sub: Object, lines: list[Object], period: tuple[int, int], values: dict[str, Any]
) -> Object:
    lasting = customer_discounts.counting(state, sub, period[1])
    invoice = invoicing.document(
        state, sub, "upcoming", lines, id="upcoming_in", period=period, discounts=lasting, **values
    )
    metered_invoices.foresee(state, invoice)
    if charged(sub):
        invoice["next_payment_attempt"] = period[1] + state.settings["finalize_after"]
    del invoice["id"]
    return invoice


@job
def trial_will_end(state: State, identifier: str, end: str) -> None:
    sub = _current(state, identifier, end)
    if sub is not None and sub["status"] == "trialing":
        emit(state, "customer.subscription.trial_will_end", sub)


@job
def renew(state: State, identifier: str, end: str) -> None:
    sub = _current(state, identifier, end)
    if sub is None or sub["status"] in ("incomplete", "paused"):
        return
    if sub["status"] == "trialing" and charged(sub) and ends_without_card(state, sub):
        return
    renew_now(state, sub)


def ends_without_card(state: State, sub: Object) -> bool:
    """End or pause a subscription whose trial is over and that has nothing to charge, as its settings say. Returns
    whether it did."""
    customer = state.get("customer", sub["customer"])
    if sub["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]:
        return False
    choice = sub["trial_settings"]["end_behavior"]["missing_payment_method"]
    if choice == "cancel":
        standing.end(state, sub, "cancellation_requested")
    elif choice == "pause":
        with recorded(state, sub, "customer.subscription.paused"):
            sub["status"] = "paused"
    return bool(choice != "create_invoice")


def renew_now(state: State, sub: Object) -> None:
    """Begin the next period of the items whose period is over, and draw up its invoice, which is finalized and charged
    an hour later. Items whose period is longer wait for its end."""
    old = (items.period_start(sub), items.period_end(sub))
    start, rows = old[1], items.ending(sub, old[1])
    collects = sub["status"] != "unpaid"
    with in_order(state, (UPDATED, "invoice.created")), recorded(state, sub, UPDATED):
        lines, is_free = proration.take_pending_lines(state, sub), sub["status"] == "trialing"
        for row in rows:
            lines += usage.lines(state, sub, row, start, is_free)
            end = periods.end_of(sub["billing_cycle_anchor"], start, row["price"]["recurring"])
            row.update(current_period_start=start, current_period_end=min(end, sub["cancel_at"] or end))
        if sub["status"] == "trialing":
            sub["status"] = "active"
        if not subscribing.is_free_until_anchor(state, sub):
            for row in rows:
                lines += subscribing.regular_lines(state, sub, row, items.whole_of(row, sub["billing_cycle_anchor"]))
        due = state.now() + state.settings["finalize_after"]
        collects = collects and (sub["pause_collection"] or {}).get("behavior") != "keep_as_draft"
        values: dict[str, Any] = {"automatically_finalizes_at": due}
        values["next_payment_attempt"] = due if charged(sub) else None
        if not collects:
            values = {"auto_advance": False}
        invoice = invoicing.draft(state, sub, "subscription_cycle", lines, period=old, **values) if lines else None
    standing.plan(state, sub)
    if collects and invoice is not None:
        state.schedule(due, "finalize", invoice["id"], urgency=4)


@job
def finalize(state: State, identifier: str) -> None:
    invoice = state.get("invoice", identifier)
    if invoice["status"] != "draft" or not invoice["auto_advance"]:
        return
    with recorded(state, invoice, "invoice.updated"):
        invoice["webhooks_delivered_at"] = state.now()
    paused = _paused_collection(state, invoice)
    if not invoicing.finalize(state, invoice, reserve=paused is None):
        return
    if paused is not None and (paused == "void" or invoice["amount_due"]):
        invoicing.close_unpaid(state, invoice, "void" if paused == "void" else "uncollectible")
    else:
        collection.advance(state, invoice, scheduled=True)


def _paused_collection(state: State, invoice: Object) -> str | None:
    """Return the fate of an invoice whose subscription has its collection paused; None if it is kept as a draft, or not
    paused."""
    sub = state.find("subscription", invoicing.subscription_id(invoice))
    behaviour = (sub["pause_collection"] or {}).get("behavior") if sub else None
    return None if behaviour == "keep_as_draft" else behaviour


@job
def collection_resumes(state: State, identifier: str, at: str) -> None:
    sub = _live(state, identifier)
    if sub is not None and (sub["pause_collection"] or {}).get("resumes_at") == int(at):
        with recorded(state, sub, UPDATED):
            sub["pause_collection"] = None


@job
def collect_finalized(state: State, identifier: str) -> None:
    invoice = state.get("invoice", identifier)
    charged = invoice["collection_method"] == "charge_automatically"
    if invoice["status"] == "open" and not invoice["attempted"] and charged:
        collection.collect(state, invoice, scheduled=True)


@job
def overdue(state: State, identifier: str) -> None:
    """Mark the subscription as past due, because its invoice was not paid by the due date; give it up if that lasts."""
    invoice = state.get("invoice", identifier)
    if invoice["status"] != "open":
        return
    emit(state, "invoice.overdue", invoice)
    sub = _live(state, invoicing.subscription_id(invoice) or "")
    if sub is not None:
        standing.on_failed(state, sub, invoice)
        state.schedule(state.now() + days(state.settings["overdue_days"]), "overdue_too_long", identifier)


@job
def overdue_too_long(state: State, identifier: str) -> None:
    invoice = state.get("invoice", identifier)
    sub = _live(state, invoicing.subscription_id(invoice) or "")
    if sub is not None and invoice["status"] == "open":
        collection.give_up(state, sub, invoice)


@job
def retry(state: State, identifier: str, attempt: str) -> None:
    invoice = state.get("invoice", identifier)
    if invoice["status"] == "open" and invoice["auto_advance"] and invoice["attempt_count"] == int(attempt):
        collection.collect(state, invoice, scheduled=True)


@job
def authentication_lapsed(state: State, identifier: str) -> None:
    invoice = state.get("invoice", identifier)
    sub = _live(state, invoicing.subscription_id(invoice) or "")
    if invoice["status"] == "open" and sub is not None:
        collection.give_up(state, sub, invoice)


@job
def cancel(state: State, identifier: str, at: str) -> None:
    sub = _live(state, identifier)
    if sub is not None and sub["cancel_at"] == int(at):
        _credit_rest(state, sub)
        used = usage.due(state, sub) if sub["status"] in ("active", "past_due") else []
        standing.end(state, sub, "cancellation_requested")
        if used:
            ending.bill_last(state, sub, used)


def _credit_rest(state: State, sub: Object) -> None:
    """Credit the rest of a period that a subscription ends within, unless prorations were declined."""
    if sub["status"] in ("active", "past_due") and state.note(sub["id"]).get("prorates_end"):
        proration.file_items(state, sub, proration.credit(state, sub, sub["items"]["data"], state.now()))


@job
def incomplete_lapsed(state: State, identifier: str) -> None:
    """Expire a subscription whose first payment was not made within 23 hours."""
    sub = _live(state, identifier)
    if sub is None or sub["status"] != "incomplete" or _is_processing(state, sub):
        return
    with recorded(state, sub, UPDATED):
        standing.expire(state, sub)
    invoice = state.find("invoice", sub["latest_invoice"])
    if invoice is not None and invoice["status"] == "open":
        invoicing.close_unpaid(state, invoice, "void")


def _is_processing(state: State, sub: Object) -> bool:
    """Return whether the bank still has to answer for the latest invoice."""
    invoice = state.find("invoice", sub["latest_invoice"])
    return invoice is not None and invoicing.is_processing(state, invoice)


@job
def pending_update_lapsed(state: State, identifier: str, invoice_id: str) -> None:
    sub = _live(state, identifier)
    held = state.note(identifier).get("pending_update")
    if sub is not None and held and held["invoice"] == invoice_id:
        standing.close_invoice(state, state.get("invoice", invoice_id), "void")


@job
def resumption_lapsed(state: State, identifier: str, invoice_id: str) -> None:
    """Void the invoice of a resumption that was not paid within 23 hours; the subscription stays paused."""
    sub, invoice = _live(state, identifier), state.get("invoice", invoice_id)
    if sub is not None and sub["status"] == "paused" and invoice["status"] == "open":
        standing.close_invoice(state, invoice, "void")


@job
def after_charge(state: State, charge: str, kind: str) -> None:
    """Bring the dispute or warning that some test cards end in."""
    if kind == "fraud_warning":
        aftermath.warn_of_fraud(state, charge)
    else:
        reason = "product_not_received" if kind == "not_received" else None
        aftermath.open_dispute(state, charge, reason, inquiry=kind == "inquiry")


@job
def charge_settles(state: State, charge: str) -> None:
    charges.settle_later(state, state.get("charge", charge))


@job
def refund_arrives(state: State, refund: str) -> None:
    aftermath.arrive(state, refund)


@job
def refund_fails(state: State, refund: str) -> None:
    aftermath.fail_refund(state, refund)


@job
def schedule_starts(state: State, identifier: str) -> None:
    schedule = state.get("subscription_schedule", identifier)
    if schedule["status"] == "not_started" and schedule["phases"][0]["start_date"] <= state.now():
        phasing.begin(state, schedule)


@job
def phase_ends(state: State, identifier: str, end: str) -> None:
    schedule = state.get("subscription_schedule", identifier)
    if schedule["status"] == "active" and schedule["current_phase"]["end_date"] == int(end):
        phasing.step(state, schedule)


@job
def schedule_expires(state: State, identifier: str, end: str) -> None:
    schedule = state.get("subscription_schedule", identifier)
    note = state.note(identifier)
    if schedule["status"] == "active" and phases.end_of(schedule) == int(end) != note.get("expiring"):
        note["expiring"] = int(end)
        emit(state, "subscription_schedule.expiring", schedule)

"""Invoices at Stripe become our rows here, with what each can still buy. Call these holding the lane."""

from datetime import datetime
from typing import Any

from billing import clock
from billing.clock import from_timestamp
from billing.lanes import writes
from billing.models import AccountDeletion, Customer, Invoice, StripeWrite, Subscription
from billing.monitoring import unknown_values
from billing.stripe_client import fetch, id_of, readers

Found = dict[str, Any]
Had = tuple[Subscription, Found]  # our row of a subscription, and Stripe's object
Purpose, Standing, Status = Invoice.Purpose, Invoice.Standing, Invoice.Status

UNSETTLED = (Status.DRAFT, Status.OPEN)


def project(customer: Customer, found: Found) -> Invoice:
    """Save an invoice as Stripe has it, and return its row."""
    by_id = {row.stripe_id: row for row in Subscription.objects.filter(customer=customer)}
    had = [(by_id[item["id"]], item) for item in fetch.subscriptions(customer.pk) if item["id"] in by_id]
    return _save(customer, found, Invoice.objects.filter(pk=found["id"]).first(), had)


def project_latest(customer: Customer, had: list[Had]) -> None:
    """Save the latest invoice of each subscription, and judge anew what the customer's unpaid ones can buy.

    An invoice of ours that can buy nothing any more is voided, so that nobody pays it by mistake.
    """
    latest = {item["latest_invoice"]["id"]: item["latest_invoice"] for _, item in had if _has_latest(item)}
    known = Invoice.objects.filter(customer=customer)
    rows = {row.pk: row for row in known.filter(pk__in=latest) | known.filter(status__in=UNSETTLED)}
    for invoice_id, found in latest.items():
        rows[invoice_id] = _save(customer, found, rows.get(invoice_id), had)
    for row in rows.values():
        if row.pk not in latest:
            _judge(row, had)
        if row.is_open and _is_ours_to_void(row, had):
            _owe_void(customer, row)


def intents_are_known(found: Found) -> bool:
    return bool(readers.payment_intents_of(found)) or not readers.payments_of(found)


def _has_latest(item: Found) -> bool:
    return isinstance(item["latest_invoice"], dict)


def _save(customer: Customer, found: Found, before: Invoice | None, had: list[Had]) -> Invoice:
    found = _with_known_status(found, before)
    row = before or Invoice(pk=found["id"], customer=customer)
    columns = {**_columns(found, before), "purpose": _purpose(found, before, had)}
    changed = [name for name, value in columns.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, columns[name])
    if before is None:
        row.save(force_insert=True)
    elif changed:
        row.save(update_fields=changed)
    return row


def _with_known_status(found: Found, before: Invoice | None) -> Found:
    """Return the invoice with a status that we know: the one before, or that of an invoice that asks for nothing."""
    if unknown_values.is_known("invoice.status", found["status"], Status.values, found["id"]):
        return found
    return {**found, "status": before.status if before else Status.DRAFT}


def _columns(found: Found, before: Invoice | None) -> dict[str, Any]:
    finalized_at = from_timestamp(found["status_transitions"]["finalized_at"])
    columns = {
        "subscription_id": readers.subscription_of(found),
        "status": found["status"],
        "payment": _standing(found, before),
        "number": (found["number"] or "")[:100],
        "billing_reason": (found["billing_reason"] or "")[:40],
        "collection_method": found["collection_method"][:30],
        "currency": found["currency"],
        "total": found["total"],
        "tax": readers.tax_of(found),
        "taxes": readers.taxes_of(found),
        "lacks_address": readers.lacks_address(found),
        "balance_applied": readers.balance_applied(found),
        "credited": found["pre_payment_credit_notes_amount"],
        "overpaid": found["amount_overpaid"],
        "amount_due": found["amount_due"],
        "amount_paid": found["amount_paid"],
        "amount_remaining": found["amount_remaining"],
        "attempts": found["attempt_count"],
        "next_attempt_at": from_timestamp(found["next_payment_attempt"]),
        "due_at": from_timestamp(found["due_date"]) or finalized_at,
        "created_at": from_timestamp(found["created"]),
        "finalized_at": finalized_at,
        "paid_at": from_timestamp(found["status_transitions"]["paid_at"]),
        "voided_at": from_timestamp(found["status_transitions"]["voided_at"]),
        "written_off_at": from_timestamp(found["status_transitions"]["marked_uncollectible_at"]),
    }
    if before is None or before.finalized_at is None:  # the lines of a finalized invoice stay
        columns |= _of_lines(found)
    return columns


def _of_lines(found: Found) -> dict[str, Any]:
    """Return the time that the lines bill, and what a one-off invoice is for.

    A line whose time was over when the invoice was made bills metered use, and is not what was bought.
    """
    lines = fetch.lines(found)
    spans = [line["period"] for line in lines if readers.bills_an_item(line)]
    ahead = [span for span in spans if span["end"] > found["created"]] or spans
    is_one_off = not readers.subscription_of(found)
    names = [found["description"] or "", *(line["description"] or "" for line in lines)]
    return {
        "period_start": from_timestamp(min((span["start"] for span in ahead), default=None)),
        "period_end": from_timestamp(max((span["end"] for span in ahead), default=None)),
        "description": next(filter(None, names), "") if is_one_off else "",
    }


def _standing(found: Found, before: Invoice | None) -> str:
    """Return how the payment stands. What is not known from this answer stays as it was."""
    if found["status"] == Status.PAID:
        return Standing.PAID
    if found["status"] != Status.OPEN:
        return Standing.NONE
    as_it_was = before.payment if before and before.payment != Standing.PAID else Standing.NONE
    if not intents_are_known(found):
        return as_it_was
    statuses = {intent["status"] for intent in readers.payment_intents_of(found)}
    if "processing" in statuses:
        return Standing.PROCESSING
    if "requires_action" in statuses:
        return Standing.REQUIRES_ACTION
    if not statuses <= {"requires_payment_method", "requires_confirmation", "canceled"}:
        return as_it_was
    errors = any(readers.payment_error_of(intent) for intent in readers.payment_intents_of(found))
    return Standing.FAILED if errors or found["attempt_count"] else Standing.NONE


# What an invoice can buy


def _judge(row: Invoice, had: list[Had]) -> None:
    one = _one_of(row.subscription_id, had)
    purpose = row.purpose if one is None else _unpaid_purpose(row, one, had)
    if purpose != row.purpose:
        row.purpose = purpose
        row.save(update_fields=["purpose"])


def _purpose(found: Found, before: Invoice | None, had: list[Had]) -> str:
    subscription_id = readers.subscription_of(found)
    if not subscription_id:
        return Purpose.ONE_OFF
    one = _one_of(subscription_id, had)
    if one is None:
        return before.purpose if before else Purpose.PLAN
    subscription, item = one
    if subscription.is_foreign:
        return Purpose.FOREIGN
    if found["status"] in UNSETTLED:
        row = Invoice(pk=found["id"], created_at=from_timestamp(found["created"]))
        row.collection_method, row.subscription_id = found["collection_method"], subscription_id
        return _unpaid_purpose(row, one, had)
    if item["status"] in Subscription.TERMINAL:
        paid_at = from_timestamp(found["status_transitions"]["paid_at"])
        is_late = paid_at is not None and paid_at >= _end_of(item) > from_timestamp(found["created"])
        return Purpose.NOTHING if is_late and found["collection_method"] != Invoice.SENT else Purpose.PLAN
    return before.purpose if before else Purpose.PLAN


def _unpaid_purpose(row: Invoice, one: Had, had: list[Had]) -> str:
    """Return what an unpaid invoice can buy: one of an ended subscription nothing, nor one that leaves an unpaid
    subscription unpaid. An invoice that was sent pays for what was had meanwhile.
    """
    subscription, item = one
    if subscription.is_foreign:
        return Purpose.FOREIGN
    if row.is_sent:
        return Purpose.PLAN
    if item["status"] in Subscription.TERMINAL:
        return Purpose.NOTHING if row.created_at < _end_of(item) else Purpose.PLAN
    if item["status"] == Subscription.Status.UNPAID:
        is_way_back = id_of(item["latest_invoice"]) == row.pk and not _is_replaced(subscription, had)
        return Purpose.PLAN if is_way_back else Purpose.NOTHING
    return Purpose.PLAN


def _is_replaced(subscription: Subscription, had: list[Had]) -> bool:
    """Return whether another subscription of the same line gives access in place of this one."""
    gives = (Subscription.Status.ACTIVE, Subscription.Status.TRIALING, Subscription.Status.PAST_DUE)
    others = [(row, item) for row, item in had if row is not subscription and row.line == subscription.line]
    return any(row.is_ours and item["status"] in gives for row, item in others)


def _is_ours_to_void(row: Invoice, had: list[Had]) -> bool:
    """Return whether an open invoice may be voided: its subscription has ended. Voiding one of an unpaid subscription
    would make that active again, for nothing.
    """
    one = _one_of(row.subscription_id, had)
    has_ended = one is not None and one[1]["status"] in Subscription.TERMINAL
    return row.purpose == Purpose.NOTHING and row.payment != Standing.PROCESSING and has_ended


def _owe_void(customer: Customer, row: Invoice) -> None:
    if not AccountDeletion.objects.filter(customer=customer).exists():  # it voids them itself
        writes.owe(customer, row.pk, row.subscription_id, StripeWrite.Action.CLOSE_INVOICE)


def _one_of(subscription_id: str, had: list[Had]) -> Had | None:
    return next(((row, item) for row, item in had if item["id"] == subscription_id), None)


def _end_of(item: Found) -> datetime:
    return from_timestamp(item["ended_at"]) or clock.now()

"""Collecting an invoice makes its subscription active, past due or incomplete, or ends it."""

from ..events import emit, recorded
from ..store import Object, State
from . import charging, invoicing, standing
from .charging import DECLINED, PROCESSING, REQUIRES_ACTION, SUCCEEDED
from .periods import days

GRACE = 23 * 3600


def method_of(state: State, sub: Object) -> str | None:
    """Return the card that a subscription is charged by: its own, or the customer's."""
    customer = state.get("customer", sub["customer"])
    chosen = sub["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    return str(chosen) if chosen else None


def method_for(state: State, invoice: Object) -> str | None:
    """Return the card that Stripe would charge: the invoice's, the subscription's, the customer's."""
    customer = state.find("customer", invoice["customer"]) or {"invoice_settings": {"default_payment_method": None}}
    sub = state.find("subscription", invoicing.subscription_id(invoice))
    of_sub = sub["default_payment_method"] if sub else None
    chosen = invoice["default_payment_method"] or of_sub or customer["invoice_settings"]["default_payment_method"]
    return str(chosen) if chosen else None


def collect(
    state: State,
    invoice: Object,
    on_session: bool = False,
    outcome: str | None = None,
    method: str | None = None,
    scheduled: bool = False,
    counts: bool = False,
) -> str:
    """Try once to pay an open invoice. A scheduled try counts as an attempt, and plans the next one if it fails. Of the
    others only the first one `counts`, if it is Stripe's own or asked for by the API, and 3D Secure did not stop it."""
    if invoice["status"] == "draft":
        return DECLINED
    if invoice["amount_due"] == 0:
        settle(state, invoice)
        return SUCCEEDED
    intent = invoicing.intent_of(state, invoice) or invoicing.reserve_payment(state, invoice)
    if intent["status"] == PROCESSING:
        return PROCESSING
    result = charging.attempt(state, intent, method or method_for(state, invoice), on_session, outcome)
    if result == SUCCEEDED:
        _count(invoice, scheduled, counts)
        charging.keep_card(state, intent)
        settle(state, invoice)
    elif result == PROCESSING:
        charging.keep_card(state, intent)
        _await(state, invoice, scheduled, counts)
    else:
        _fail(state, invoice, result, scheduled)
    return result


def _await(state: State, invoice: Object, scheduled: bool, counts: bool) -> None:
    """Record the attempt; the bank says later how it ends, and whether another follows."""
    state.note(invoice["id"])["awaits_scheduled"] = scheduled
    with recorded(state, invoice, "invoice.updated"):
        _count(invoice, scheduled, counts)
        invoice.update(attempted=True, next_payment_attempt=None)


def conclude(state: State, invoice: Object, result: str) -> None:
    """Record the bank's answer. An incomplete subscription has 23 hours from a failure on."""
    scheduled = state.note(invoice["id"]).pop("awaits_scheduled", False)
    if result == SUCCEEDED:
        settle(state, invoice)
        return
    _fail(state, invoice, result, scheduled, is_late=True)
    sub = state.find("subscription", invoicing.subscription_id(invoice))
    if sub is not None and sub["status"] == "incomplete":
        state.schedule(state.now() + GRACE, "incomplete_lapsed", sub["id"])


def _count(invoice: Object, scheduled: bool, counts: bool) -> None:
    if scheduled or (counts and not invoice["attempt_count"]):
        invoice["attempt_count"] += 1


def advance(state: State, invoice: Object, on_session: bool = False, scheduled: bool = False) -> None:
    """Charge a finalized invoice, or send it and wait for its due date."""
    if invoice["collection_method"] == "send_invoice" and invoice["amount_due"] and invoice["status"] == "open":
        emit(state, "invoice.sent", invoice)
    else:
        collect(state, invoice, on_session, scheduled=scheduled, counts=True)


def settle(state: State, invoice: Object, out_of_band: bool = False) -> None:
    """Mark the invoice as paid, and activate the subscription that waited for it."""
    invoicing.mark_paid(state, invoice, out_of_band)
    sub = state.find("subscription", invoicing.subscription_id(invoice))
    if sub is not None:
        standing.on_paid(state, sub, invoice, _card_to_keep(state, sub, invoice))
    if not out_of_band:
        invoicing.settle_payment(state, invoice)


def _card_to_keep(state: State, sub: Object, invoice: Object) -> str | None:
    """Return the card that pays from now on, if `save_default_payment_method` is `on_subscription` (by the SDK)."""
    intent = invoicing.intent_of(state, invoice)
    keeps = sub["payment_settings"]["save_default_payment_method"] == "on_subscription"
    return intent["payment_method"] if keeps and intent else None


def _fail(state: State, invoice: Object, result: str, scheduled: bool, is_late: bool = False) -> None:
    sub = state.find("subscription", invoicing.subscription_id(invoice))
    exhausted = False
    with recorded(state, invoice, "invoice.updated"):
        _count(invoice, scheduled and not is_late, result != REQUIRES_ACTION)
        invoice["attempted"] = True
        if scheduled and sub is not None:
            exhausted = _plan_retry(state, invoice, result)
        elif scheduled:
            invoice["next_payment_attempt"] = None
    if result == REQUIRES_ACTION:
        emit(state, "invoice.payment_action_required", invoice)
    emit(state, "invoice.payment_failed", invoice)
    if sub is None or standing.is_over(sub) or invoice["collection_method"] == "send_invoice":
        return
    standing.on_failed(state, sub, invoice)
    if exhausted:
        give_up(state, sub, invoice)


def _plan_retry(state: State, invoice: Object, result: str) -> bool:
    """Plan the next try; return True if this was the last one. A payment that waits for the buyer's 3D Secure is not
    retried."""
    if result == REQUIRES_ACTION:
        invoice["next_payment_attempt"] = None
        waits = state.now() + days(state.settings["authentication_days"])
        state.schedule(waits, "authentication_lapsed", invoice["id"])
        return False
    waits = state.settings["retry_days"]
    if invoice["attempt_count"] > len(waits):
        invoice["next_payment_attempt"] = None
        return True
    at = state.now() + days(waits[invoice["attempt_count"] - 1])
    invoice["next_payment_attempt"] = at
    state.schedule(at, "retry", invoice["id"], str(invoice["attempt_count"]))
    return False


def give_up(state: State, sub: Object, invoice: Object) -> None:
    """End the subscription after the last try, or leave it unpaid, as the account's settings say."""
    choice = state.settings["after_last_retry"]
    if choice == "cancel":
        standing.end(state, sub, "payment_failed")
    elif choice == "unpaid":
        with recorded(state, sub, "customer.subscription.updated"):
            sub["status"] = "unpaid"
        with recorded(state, invoice, "invoice.updated"):
            invoice["auto_advance"] = False


def pay_open(state: State, customer: str) -> None:
    """Pay what is open with a new default card (the portal does this at once)."""
    for invoice in state.table("invoice").where("customer", customer):
        if invoice["status"] == "open" and invoice["collection_method"] == "charge_automatically":
            collect(state, invoice, on_session=True)


__all__ = [
    "DECLINED", "PROCESSING", "REQUIRES_ACTION", "SUCCEEDED", "advance", "collect", "conclude", "give_up", "method_for",
    "pay_open", "settle",
]  # fmt: skip

"""Invoices are drawn up, finalized, paid and voided here. Collecting them is elsewhere."""

from collections.abc import Callable
from typing import Any

from ..events import emit, recorded
from ..http.blanks import blank, embedded_list
from ..store import Object, State
from . import balances, charging, credit_grants, customer_discounts, discounting, line_items, reductions, summing
from .periods import days
from .tax import finalizing, ids, places
from .tax.lines import Terms

ACCOUNT_NAME = "Sandbox"
DESCRIBED = {"manual": "Payment for Invoice", "subscription_create": "Subscription creation"}
BEFORE_FINALIZING: list[Callable[[State, Object], None]] = []


def document(state: State, sub: Object, reason: str, lines: list[Object], **values: Any) -> Object:
    """Return an invoice that is not filed yet: create_preview and invoice.upcoming stop here."""
    identifier = values.pop("id", None) or state.new_id("in")
    customer = values.pop("buyer", None) or state.get("customer", sub["customer"])
    terms = terms_of(state, sub, customer, values)
    lines = [{**entry, "invoice": identifier} for entry in line_items.ordered(state, lines)]
    discounts = values.pop("discounts", None)
    discounts = customer_discounts.counting(state, sub) if discounts is None else discounts
    rows = values.pop("discount_rows", None) or [reductions.row_of(state, known) for known in discounts]
    lines, sums = summing.counted(state, lines, rows, terms, values.pop("shipping_rate", None))
    start, end = values.pop("period", None) or (state.now(), state.now())
    details = {"metadata": dict(sub["metadata"]), "subscription": sub["id"]}
    settings = sub.get("invoice_settings") or {}
    return blank(
        "invoice",
        identifier,
        **{
            "account_country": "US",
            "account_name": ACCOUNT_NAME,
            "amount_overpaid": 0,
            "amount_paid": 0,
            "attempt_count": 0,
            "attempted": False,
            "auto_advance": True,
            "automatic_tax": summing.automatic_tax(terms),
            "billing_reason": reason,
            "collection_method": sub["collection_method"],
            "created": state.now(),
            "currency": sub["currency"],
            "custom_fields": settings.get("custom_fields") or customer["invoice_settings"]["custom_fields"],
            "customer": customer["id"],
            "customer_address": customer["address"],
            "customer_email": customer["email"],
            "customer_name": customer["name"],
            "customer_phone": customer["phone"],
            "customer_shipping": customer["shipping"],
            "customer_tax_exempt": terms.party.exempt if terms.party else "none",
            "customer_tax_ids": ids.listed(terms.party.tax_ids) if terms.party else [],
            "default_tax_rates": list(terms.rates),
            "discounts": [row["id"] for row in rows],
            "due_date": due_date(state, sub),
            "description": settings.get("description"),
            "footer": settings.get("footer") or customer["invoice_settings"]["footer"],
            "issuer": {"type": "self"},
            "lines": embedded_list(f"/v1/invoices/{identifier}/lines", lines),
            "livemode": False,
            "metadata": {},
            "parent": {"quote_details": None, "subscription_details": details, "type": "subscription_details"},
            "payment_settings": {"default_mandate": None, "payment_method_options": None, "payment_method_types": None},
            "period_end": end,
            "period_start": start,
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "starting_balance": 0,
            "status": "draft",
            "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
            **sums,
            **values,
        },
    )  # fmt: skip


def terms_of(state: State, sub: Object, customer: Object, values: dict[str, Any]) -> Terms:
    """Return how an invoice is taxed: as it says itself, else as its subscription does."""
    given, rates = values.pop("automatic_tax", None), values.pop("default_tax_rates", None)
    automatic = sub.get("automatic_tax", {}).get("enabled", False) if given is None else given
    found = sub.get("default_tax_rates", []) if rates is None else rates
    party = values.pop("party", None) or places.party(state, customer)
    return Terms(bool(automatic), tuple(found), party)


def recount(state: State, invoice: Object, lines: list[Object] | None = None) -> None:
    """Count the sums of a draft anew, after its lines, discounts or taxes changed."""
    automatic, customer = invoice["automatic_tax"]["enabled"], state.find("customer", invoice["customer"])
    terms = Terms(automatic, tuple(invoice["default_tax_rates"]), places.party(state, customer))
    discounts = [state.get("discount", known) for known in invoice["discounts"]]
    known = invoice["lines"]["data"] if lines is None else lines
    shipped = invoice["shipping_cost"]
    rate = state.get("shipping_rate", shipped["shipping_rate"]) if shipped else None
    lines, sums = summing.counted(state, known, discounts, terms, rate)
    invoice["lines"] = embedded_list(invoice["lines"]["url"], lines)
    invoice.update(sums)
    if automatic:
        invoice["automatic_tax"] = summing.automatic_tax(terms)


def _taxed(state: State, invoice: Object) -> bool:
    """Tax is that of the moment of finalizing. Return whether there is a place to compute it for."""
    customer = state.get("customer", invoice["customer"])
    party = places.party(state, customer)
    invoice.update(customer_tax_exempt=party.exempt, customer_tax_ids=ids.listed(party.tax_ids))
    if not invoice["automatic_tax"]["enabled"] and not invoice["total_taxes"]:
        return True
    recount(state, invoice)
    sub = state.find("subscription", subscription_id(invoice))
    return not invoice["automatic_tax"]["enabled"] or finalizing.may_go_on(state, invoice, sub)


def due_date(state: State, payer: Object) -> int | None:
    """Return when an invoice that is sent must be paid."""
    length = payer.get("days_until_due")
    return None if length is None else state.now() + days(length)


def draft(state: State, sub: Object, reason: str, lines: list[Object], **values: Any) -> Object:
    invoice = state.put(document(state, sub, reason, lines, **values))
    for entry in lines:
        item = state.find("invoiceitem", line_items.item_of(entry))
        if item is not None:
            item["invoice"] = invoice["id"]
            state.put(item)
    sub["latest_invoice"] = invoice["id"]
    for entry in invoice["lines"]["data"]:
        line_items.remember_billed(state, entry)
    emit(state, "invoice.created", invoice)
    discounting.use_up(state, sub, invoice)
    return invoice


def finalize(state: State, invoice: Object, reserve: bool = True) -> bool:
    """Finalize the invoice: it gets its number and pages, and a payment intent if there is something to pay. Return
    False where it stays a draft, since its tax cannot be computed."""
    if not _taxed(state, invoice):
        return False
    customer = state.get("customer", invoice["customer"])
    for prepare in BEFORE_FINALIZING:
        prepare(state, invoice)
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    page = f"{state.base_url}/i/{invoice['id']}"
    balances.apply(state, invoice, customer)
    invoice.update(
        status="open",
        number=number,
        hosted_invoice_url=page,
        invoice_pdf=f"{page}/pdf",
        effective_at=state.now(),
        automatically_finalizes_at=None,
    )
    if invoice["rendering"]:
        invoice["rendering"] = {**invoice["rendering"], "pdf": {"page_size": "letter"}}
    invoice["status_transitions"]["finalized_at"] = state.now()
    invoice["webhooks_delivered_at"] = state.now()
    emit(state, "invoice.finalized", invoice)
    if invoice["due_date"]:
        state.schedule(max(invoice["due_date"], state.now()), "overdue", invoice["id"])
    if invoice["amount_due"] > 0 and reserve:
        reserve_payment(state, invoice)
    return True


def reserve_payment(state: State, invoice: Object) -> Object:
    """Make the payment intent and the invoice payment that ties it to the invoice."""
    intent = charging.new_intent(
        state,
        invoice["amount_remaining"],
        invoice["currency"],
        customer=invoice["customer"],
        description=DESCRIBED.get(invoice["billing_reason"], "Subscription update"),
        payment_details={"customer_reference": None, "order_reference": invoice["id"]},
        setup_future_usage="off_session" if subscription_id(invoice) else None,
    )
    emit(state, "payment_intent.created", intent)
    tie_payment(state, invoice, intent)
    return intent


def tie_payment(state: State, invoice: Object, intent: Object) -> None:
    state.note(intent["id"])["invoice"] = invoice["id"]
    new_payment(state, invoice, intent, invoice["amount_remaining"], is_default=True)


def new_payment(state: State, invoice: Object, intent: Object, amount: int, is_default: bool) -> Object:
    return state.put(
        blank(
            "invoice_payment",
            state.new_id("inpay"),
            amount_requested=amount,
            created=state.now(),
            currency=invoice["currency"],
            invoice=invoice["id"],
            is_default=is_default,
            livemode=False,
            payment={"payment_intent": intent["id"], "type": "payment_intent"},
            status="open",
            status_transitions={"canceled_at": None, "paid_at": None},
        )
    )


def payment_of(state: State, invoice: Object) -> Object | None:
    """Return the default payment by which the invoice is, or was, to be paid."""
    rows = state.table("invoice_payment").where("invoice", invoice["id"])
    return next((row for row in reversed(rows) if row["is_default"]), None)


def intent_of(state: State, invoice: Object) -> Object | None:
    payment = payment_of(state, invoice)
    return state.get("payment_intent", payment["payment"]["payment_intent"]) if payment else None


def is_processing(state: State, invoice: Object) -> bool:
    intent = intent_of(state, invoice)
    return intent is not None and intent["status"] == "processing"


def mark_paid(state: State, invoice: Object, out_of_band: bool = False) -> None:
    invoice.update(
        status="paid",
        attempted=True,
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        next_payment_attempt=None,
        auto_advance=False,
    )
    invoice["status_transitions"]["paid_at"] = state.now()
    emit(state, "invoice.paid", invoice)
    if not out_of_band:
        emit(state, "invoice.payment_succeeded", invoice)


def settle_payment(state: State, invoice: Object) -> None:
    payment = payment_of(state, invoice)
    if payment is None or payment["status"] != "open":
        return
    mark_payment_paid(state, payment, payment["amount_requested"])
    emit(state, "invoice_payment.paid", payment)


def mark_payment_paid(state: State, payment: Object, amount: int) -> None:
    payment.update(status="paid", amount_paid=amount)
    payment["status_transitions"]["paid_at"] = state.now()


def follow_remaining(state: State, invoice: Object) -> None:
    """Keep the payment that waits at the amount that is left to pay."""
    payment, intent = payment_of(state, invoice), intent_of(state, invoice)
    if payment is not None and intent is not None and payment["status"] == "open" and invoice["amount_remaining"]:
        intent["amount"] = payment["amount_requested"] = invoice["amount_remaining"]


def close_unpaid(state: State, invoice: Object, status: str) -> None:
    """Close an invoice that is voided or uncollectible, so that nothing more is asked for."""
    stamp = "voided_at" if status == "void" else "marked_uncollectible_at"
    invoice.update(status=status, auto_advance=False, next_payment_attempt=None)
    invoice["status_transitions"][stamp] = state.now()
    if status == "void":
        cancel_payment(state, invoice, "void_invoice")
        credit_grants.reinstate(state, invoice)
        balances.give_back(state, invoice)
    emit(state, "invoice.voided" if status == "void" else "invoice.marked_uncollectible", invoice)


def cancel_payment(state: State, invoice: Object, reason: str) -> None:
    """Cancel the payment intent that waits, since nothing more is to be paid by it."""
    payment, intent = payment_of(state, invoice), intent_of(state, invoice)
    if payment is None or intent is None or payment["status"] != "open":
        return
    payment["status"] = "canceled"
    payment["status_transitions"]["canceled_at"] = state.now()
    intent.update(status="canceled", canceled_at=state.now(), cancellation_reason=reason, next_action=None)
    emit(state, "payment_intent.canceled", intent)


def stop_collecting(state: State, sub: Object) -> None:
    """Stop the automatic collection of invoices that an ended subscription leaves open."""
    for invoice in state.table("invoice").where("customer", sub["customer"]):
        if subscription_id(invoice) == sub["id"] and invoice["status"] in ("draft", "open"):
            with recorded(state, invoice, "invoice.updated"):
                invoice.update(auto_advance=False, next_payment_attempt=None)


def subscription_id(invoice: Object) -> str | None:
    details = (invoice["parent"] or {}).get("subscription_details")
    return details["subscription"] if details else None


def upcoming_at(state: State, end: int) -> int:
    return end - days(state.settings["upcoming_days"])

"""The calls of test_sdk, continued: invoices, payments, events, and lists of what there is none of."""

from typing import Any

import pytest
import stripe

from .sdk_calls import cus


def charged(c: Any, w: Any) -> str:
    """The id of a new charge."""
    paid = {"amount": 1000, "currency": "usd", "customer": w["customers.create"].id, "payment_method": "pm_card_visa"}
    return c.v1.payment_intents.create({**paid, "confirm": True}).latest_charge


def not_cancelable(c: Any, w: Any) -> Any:
    """A card's refund never waits for the customer."""
    refund = w["refunds.create"].id
    with pytest.raises(stripe.InvalidRequestError, match="only one that requires_action"):
        c.v1.refunds.cancel(refund)
    return c.v1.refunds.retrieve(refund)


def drafted(c: Any, w: Any, **more: Any) -> str:
    """The id of a new draft over 5.00."""
    owner = {"customer": w["customers.create"].id}
    draft = c.v1.invoices.create({**owner, "auto_advance": False, **more}).id
    c.v1.invoice_items.create({**owner, "invoice": draft, "amount": 500, "currency": "usd"})
    return draft


def opened(c: Any, w: Any) -> str:
    """The id of a new open invoice."""
    return c.v1.invoices.finalize_invoice(drafted(c, w)).id


def mandated(c: Any) -> str:
    """The id of the mandate of a new bank account."""
    accepted = {"customer_acceptance": {"type": "offline"}}
    wanted = {"payment_method": "pm_sepaDebit_success_de", "payment_method_types": ["sepa_debit"], "confirm": True}
    return c.v1.setup_intents.create({**wanted, "mandate_data": accepted}).mandate


MONEY_CALLS = {
    "mandates.retrieve": lambda c, w: c.v1.mandates.retrieve(mandated(c)),
    "credit_notes.create": lambda c, w: c.v1.credit_notes.create({"invoice": opened(c, w), "amount": 200}),
    "credit_notes.preview": lambda c, w: c.v1.credit_notes.preview({"invoice": opened(c, w), "amount": 200}),
    "credit_notes.retrieve": lambda c, w: c.v1.credit_notes.retrieve(w["credit_notes.create"].id),
    "credit_notes.list": lambda c, w: c.v1.credit_notes.list({"customer": cus(w)}),
    "credit_notes.update": lambda c, w: c.v1.credit_notes.update(w["credit_notes.create"].id, {"memo": "Sorry"}),
    "credit_notes.line_items.list": lambda c, w: c.v1.credit_notes.line_items.list(w["credit_notes.create"].id),
    "credit_notes.void_credit_note": lambda c, w: c.v1.credit_notes.void_credit_note(w["credit_notes.create"].id),
    # Invoices
    "invoices.create": lambda c, w: c.v1.invoices.create({"customer": cus(w), "auto_advance": False}),
    "invoice_items.create": lambda c, w: c.v1.invoice_items.create(
        {"customer": cus(w), "invoice": w["invoices.create"].id, "amount": 900, "currency": "usd"}
    ),
    "invoice_items.retrieve": lambda c, w: c.v1.invoice_items.retrieve(w["invoice_items.create"].id),
    "invoice_items.update": lambda c, w: c.v1.invoice_items.update(w["invoice_items.create"].id, {"amount": 800}),
    "invoice_items.list": lambda c, w: c.v1.invoice_items.list({"customer": cus(w)}),
    "invoice_items.delete": lambda c, w: c.v1.invoice_items.delete(
        c.v1.invoice_items.create({"customer": cus(w), "amount": 100, "currency": "usd"}).id
    ),
    "invoices.update": lambda c, w: c.v1.invoices.update(w["invoices.create"].id, {"description": "By hand"}),
    "invoices.finalize_invoice": lambda c, w: c.v1.invoices.finalize_invoice(w["invoices.create"].id),
    "invoices.pay": lambda c, w: c.v1.invoices.pay(w["invoices.create"].id),
    "invoices.send_invoice": lambda c, w: c.v1.invoices.send_invoice(
        drafted(c, w, collection_method="send_invoice", days_until_due=7)
    ),
    "invoices.void_invoice": lambda c, w: c.v1.invoices.void_invoice(opened(c, w)),
    "invoices.mark_uncollectible": lambda c, w: c.v1.invoices.mark_uncollectible(opened(c, w)),
    "invoices.add_lines": lambda c, w: c.v1.invoices.add_lines(drafted(c, w), {"lines": [{"amount": 250}]}),
    "invoices.update_lines": lambda c, w: c.v1.invoices.update_lines(
        w["invoices.add_lines"].id, {"lines": [{"id": w["invoices.add_lines"].lines.data[0].id, "amount": 300}]}
    ),
    "invoices.line_items.update": lambda c, w: c.v1.invoices.line_items.update(
        w["invoices.add_lines"].id, w["invoices.add_lines"].lines.data[0].id, {"description": "Work"}
    ),
    "invoices.remove_lines": lambda c, w: c.v1.invoices.remove_lines(
        w["invoices.add_lines"].id,
        {"lines": [{"id": w["invoices.add_lines"].lines.data[0].id, "behavior": "delete"}]},
    ),
    "invoices.delete": lambda c, w: c.v1.invoices.delete(drafted(c, w)),
    "invoices.retrieve": lambda c, w: c.v1.invoices.retrieve(w["invoices.create"].id, {"expand": ["payments"]}),
    "invoices.list": lambda c, w: c.v1.invoices.list({"customer": cus(w)}),
    "invoices.line_items.list": lambda c, w: c.v1.invoices.line_items.list(w["invoices.create"].id),
    "invoices.create_preview": lambda c, w: c.v1.invoices.create_preview(
        {"subscription": w["subscriptions.retrieve"].id}
    ),
    "invoice_payments.list": lambda c, w: c.v1.invoice_payments.list({"invoice": w["invoices.create"].id}),
    "invoice_payments.retrieve": lambda c, w: c.v1.invoice_payments.retrieve(w["invoice_payments.list"].data[0].id),
    # Payments
    "payment_intents.create": lambda c, w: c.v1.payment_intents.create(
        {"amount": 1000, "currency": "usd", "customer": cus(w)}
    ),
    "payment_intents.update": lambda c, w: c.v1.payment_intents.update(
        w["payment_intents.create"].id, {"description": "Once"}
    ),
    "payment_intents.confirm": lambda c, w: c.v1.payment_intents.confirm(
        w["payment_intents.create"].id, {"payment_method": "pm_card_visa"}
    ),
    "payment_intents.capture": lambda c, w: c.v1.payment_intents.capture(
        c.v1.payment_intents.create(
            {
                "amount": 1000,
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "capture_method": "manual",
                "confirm": True,
                "return_url": "https://example.com/",
            }
        ).id,
        {"amount_to_capture": 800},
    ),
    "payment_intents.retrieve": lambda c, w: c.v1.payment_intents.retrieve(w["payment_intents.create"].id),
    "payment_intents.cancel": lambda c, w: c.v1.payment_intents.cancel(
        c.v1.payment_intents.create({"amount": 1000, "currency": "usd"}).id
    ),
    "payment_intents.list": lambda c, w: c.v1.payment_intents.list({"customer": cus(w)}),
    "charges.retrieve": lambda c, w: c.v1.charges.retrieve(charged(c, w), {"expand": ["refunds"]}),
    "raw_request of a charge's refunds": lambda c, w: c.raw_request(
        "get", f"/v1/charges/{w['charges.retrieve'].id}/refunds"
    ),
    "charges.update": lambda c, w: c.v1.charges.update(w["charges.retrieve"].id, {"description": "Once"}),
    "charges.list": lambda c, w: c.v1.charges.list({"customer": cus(w)}),
    "refunds.create": lambda c, w: c.v1.refunds.create({"charge": w["charges.retrieve"].id, "amount": 300}),
    "refunds.retrieve": lambda c, w: c.v1.refunds.retrieve(w["refunds.create"].id),
    "refunds.update": lambda c, w: c.v1.refunds.update(w["refunds.create"].id, {"metadata": {"a": "b"}}),
    "refunds.list": lambda c, w: c.v1.refunds.list({"charge": w["charges.retrieve"].id}),
    "disputes.retrieve": lambda c, w: c.v1.disputes.retrieve(w["control"]("disputes", charge=charged(c, w))["id"]),
    "disputes.update": lambda c, w: c.v1.disputes.update(
        w["disputes.retrieve"].id, {"evidence": {"uncategorized_text": "They signed."}}
    ),
    "disputes.list": lambda c, w: c.v1.disputes.list(),
    "disputes.close": lambda c, w: c.v1.disputes.close(w["disputes.retrieve"].id),
    "radar.early_fraud_warnings.retrieve": lambda c, w: c.v1.radar.early_fraud_warnings.retrieve(
        w["control"]("fraud_warnings", charge=charged(c, w))["id"]
    ),
    "radar.early_fraud_warnings.list": lambda c, w: c.v1.radar.early_fraud_warnings.list(),
    "refunds.cancel": not_cancelable,
    "balance.retrieve": lambda c, w: c.v1.balance.retrieve(),
    "balance_transactions.list": lambda c, w: c.v1.balance_transactions.list({"type": "charge"}),
    "balance_transactions.retrieve": lambda c, w: c.v1.balance_transactions.retrieve(
        w["balance_transactions.list"].data[0].id
    ),
    # Events
    "events.list": lambda c, w: c.v1.events.list({"limit": 100}),
    "events.retrieve": lambda c, w: c.v1.events.retrieve(w["events.list"].data[0].id),
    # Lists of what there is none of
    "customers.payment_sources.list": lambda c, w: c.v1.customers.payment_sources.list(cus(w)),
    "v2.core.accounts.list": lambda c, w: c.v2.core.accounts.list(),
}
NOTHING = (
    "application_fees country_specs file_links files "
    "identity.verification_reports identity.verification_sessions issuing.authorizations issuing.cardholders "
    "issuing.cards issuing.disputes issuing.transactions payouts reviews shipping_rates transfers"
).split()


def _listing(family: str) -> Any:
    def call(c: Any, w: Any) -> Any:
        service = c.v1
        for part in family.split("."):
            service = getattr(service, part)
        return service.list()

    return call


MONEY_CALLS |= {f"{family}.list": _listing(family) for family in NOTHING}

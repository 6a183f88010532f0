"""What Stripe says now: every read that projecting an event takes, each asked for once a drain.

All of it goes through `stripe_client`'s read cache. A request is a path and its parameters; two callers who
word it alike share one call, which is why the words stand here and nowhere else.
"""

from typing import Any

from billing import stripe_client
from billing.stripe_client import StripeRefused

Request = tuple[str, dict[str, Any]]

SUBSCRIPTION_EXPAND = [
    "data.customer.invoice_settings.default_payment_method",
    "data.default_payment_method",
    "data.latest_invoice.payments",
    "data.schedule",
]
INVOICE_EXPAND = ["payments.data.payment.payment_intent"]
CHARGE_EXPAND = ["balance_transaction", "payment_intent.payment_method", "refunds.data.balance_transaction"]
DISPUTE_EXPAND = ["charge.balance_transaction", "payment_intent.payment_method"]


def subscriptions_request(customer: str) -> Request:
    return "/v1/subscriptions", {"customer": customer, "status": "all", "limit": 100, "expand": SUBSCRIPTION_EXPAND}


def invoice_request(invoice: str) -> Request:
    return f"/v1/invoices/{invoice}", {"expand": INVOICE_EXPAND}


def charge_request(charge: str) -> Request:
    return f"/v1/charges/{charge}", {"expand": CHARGE_EXPAND}


def refunds_request(charge: str) -> Request:
    return "/v1/refunds", {"charge": charge, "limit": 100, "expand": ["data.balance_transaction"]}


def dispute_request(dispute: str) -> Request:
    return f"/v1/disputes/{dispute}", {"expand": DISPUTE_EXPAND}


def customer_request(customer: str) -> Request:
    return f"/v1/customers/{customer}", {"expand": ["invoice_settings.default_payment_method"]}


def open_invoices_request(subscription: str) -> Request:
    return "/v1/invoices", {"subscription": subscription, "status": "open", "limit": 100}


def invoice_payment_request(payment_intent: str) -> Request:
    payment = {"type": "payment_intent", "payment_intent": payment_intent}
    return "/v1/invoice_payments", {"payment": payment, "expand": ["data.invoice"]}


def subscriptions(customer_id: str) -> list[dict[str, Any]]:
    """All of a customer's subscriptions, ended ones too, newest first; none for a deleted customer.

    A customer that this key's account does not know at all is an error: it says nothing about their subscription.
    """
    try:
        return _list(subscriptions_request(customer_id))
    except StripeRefused as error:
        if error.code == "resource_missing" and is_deleted(customer_id):
            return []
        raise


def is_deleted(customer_id: str) -> bool:
    return bool(customer(customer_id).get("deleted"))


def invoice(invoice_id: str) -> dict[str, Any]:
    return _get(invoice_request(invoice_id))


def settled_invoice(invoice_id: str, customer: str) -> dict[str, Any]:
    """An invoice with its payments, without a call of its own while it is a subscription's latest."""
    for found in subscriptions(customer):
        latest: dict[str, Any] | None = found["latest_invoice"]
        if latest and latest["id"] == invoice_id:
            return latest
    return invoice(invoice_id)


def open_invoices(subscription: str) -> list[dict[str, Any]]:
    return _list(open_invoices_request(subscription))


def charge(charge_id: str) -> dict[str, Any]:
    """A charge with its newest refunds."""
    return _get(charge_request(charge_id))


def refunds(charge_object: dict[str, Any]) -> list[dict[str, Any]]:
    """All refunds of a charge, oldest first, of one second in Stripe's order: a charge brings only its ten newest."""
    newest = charge_object["refunds"]
    found = _list(refunds_request(charge_object["id"])) if newest["has_more"] else newest["data"]
    oldest_first = found[::-1]
    return sorted(oldest_first, key=lambda refund: refund["created"])


def payment_intent(payment_intent_id: str) -> dict[str, Any]:
    return _get((f"/v1/payment_intents/{payment_intent_id}", {}))


def dispute(dispute_id: str) -> dict[str, Any]:
    return _get(dispute_request(dispute_id))


def customer(customer_id: str) -> dict[str, Any]:
    """A customer; a deleted one is `{"id", "object", "deleted": true}`."""
    return _get(customer_request(customer_id))


def invoice_payment_of(payment_intent: str) -> dict[str, Any] | None:
    """What connects a payment intent with its invoice (expanded); None for a one-off payment."""
    found = _list(invoice_payment_request(payment_intent))
    return found[0] if found else None


def id_of(reference: Any) -> str:
    """The id of a reference, expanded or not; "" for none and for what is no reference."""
    found = reference.get("id") if isinstance(reference, dict) else reference
    return found[:255] if isinstance(found, str) else ""


def _get(request: Request) -> dict[str, Any]:
    path, params = request
    return stripe_client.get(path, **params)


def _list(request: Request) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = _get(request)["data"]
    return data

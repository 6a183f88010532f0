"""A new object has every key that Stripe sends: nullable fields are null, except those shown only when asked for."""

import functools
from typing import Any

from .annotations import is_optional
from .shapes import class_of, fields_of

EVERYWHERE = {"deleted", "presentment_details", "allowed_payment_method_types"}
LEFT_OUT = {
    "customer": {
        "business_name", "cash_balance", "individual_name", "invoice_credit_balance",
        "sources", "subscriptions", "tax", "tax_ids",
    },
    "coupon": {"applies_to", "currency_options"},
    "plan": {"tiers"},
    "price": {"currency_options", "tiers"},
    "checkout.session": {
        "excluded_payment_method_types", "line_items", "name_collection", "optional_items", "redirect_on_completion",
        "return_url", "tax_id_collection",
    },
    "payment_link": {"line_items", "name_collection"},
    "token": {"bank_account", "card"},
    "card": {
        "account", "allow_redisplay", "available_payout_methods", "currency", "customer", "default_for_currency",
        "description", "iin", "issuer", "status",
    },
    "bank_account": {
        "account", "available_payout_methods", "default_for_currency", "future_requirements", "requirements",
    },
    "subscription_item": {"billed_until", "quantity"},
    "invoice": {"amount_paid_off_stripe", "confirmation_secret", "payments", "threshold_reason"},
    "item": {"discounts", "taxes"},
    "invoiceitem": {"frozen_fields"},
    "payment_intent": {"hooks", "payment_details"},
    "setup_intent": {"attach_to_self", "managed_payments"},
    "charge": {"authorization_code", "level3", "refunds", "transfer"},
    "quote": {"line_items"},
    "refund": {
        "description", "failure_balance_transaction", "failure_reason", "instructions_email", "next_action",
        "pending_reason",
    },
    "dispute": {"network_reason_code"},
    "radar.early_fraud_warning": {"payment_intent"},
    "account": {"company", "groups", "individual"},
    "event": {"account", "context"},
    "webhook_endpoint": {"secret"},
}  # fmt: skip
PAYMENT_METHOD_KEYS = {"allow_redisplay", "customer", "customer_account", "metadata"}


@functools.cache
def nulls(kind: str) -> dict[str, Any]:
    left_out = EVERYWHERE | LEFT_OUT.get(kind, set())
    cls = class_of(kind)
    names = {name for name, hint in fields_of(cls).items() if is_optional(hint)} if cls else set()
    if kind == "payment_method":
        names &= PAYMENT_METHOD_KEYS
    return dict.fromkeys(sorted(names - left_out))


def blank(kind: str, identifier: str, **values: Any) -> dict[str, Any]:
    return {"id": identifier, "object": kind, **nulls(kind), **values}


def embedded_list(url: str, data: list[Any], has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}

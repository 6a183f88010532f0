"""What Stripe is told of a subscriber: name, addresses, language, as BILLING_CUSTOMER_DETAILS says them."""

from typing import Any, cast

from django.utils.module_loading import import_string

from billing.conf import conf
from billing.lanes import orders
from billing.models import Customer, StripeWrite


def details_of(subscriber: Any) -> dict[str, Any]:
    """By the names of Stripe's customer: `email`, `name`, `phone`, `address`, `shipping`, `preferred_locales`, …"""
    if conf.customer_details:
        return cast("dict[str, Any]", import_string(conf.customer_details)(subscriber))
    return {"email": getattr(subscriber, "email", "") or ""}


def email_of(subscriber: Any) -> str:
    """Where bills go; empty for nobody."""
    return "" if subscriber is None else details_of(subscriber).get("email") or ""


def changed(subscriber: Any) -> None:
    """Call it inside the transaction that changes what `of` says: the worker tells Stripe. No Stripe call.

    Whoever was never sold anything has nothing at Stripe yet, and is described when they are.
    """
    customer = Customer.objects.of(subscriber)
    if customer:
        orders.place(customer, StripeWrite.Action.UPDATE_CUSTOMER, "details")

"""The customer at Stripe carries the details of a subscriber that BILLING_CUSTOMER_DETAILS returns."""

from typing import Any, cast

from django.utils.module_loading import import_string

from billing.conf import conf
from billing.lanes import standing_writes
from billing.models import Customer, StripeWrite


def details_of(subscriber: Any) -> dict[str, Any]:
    """Return the details by the names of Stripe's customer: `email`, `name`, `address`, `preferred_locales`, …"""
    if conf.customer_details:
        return cast("dict[str, Any]", import_string(conf.customer_details)(subscriber))
    return {"email": getattr(subscriber, "email", "") or ""}


def email_of(subscriber: Any) -> str:
    """Return the address that bills go to; "" for nobody."""
    return "" if subscriber is None else details_of(subscriber).get("email") or ""


def changed(subscriber: Any) -> None:
    """Have the worker update the customer at Stripe. Call it inside the transaction that changes the details.

    Makes no Stripe call. A subscriber who never bought anything has no customer yet; the details are sent with it.
    """
    for customer in Customer.objects.living_of(subscriber).in_lane_order():
        standing_writes.owe(customer, StripeWrite.Action.UPDATE_CUSTOMER, "details")

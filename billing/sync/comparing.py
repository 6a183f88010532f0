"""Comparing finds the differences between a row of ours and Stripe, by the projection's own columns."""

from collections.abc import Callable
from typing import Any

from billing import subscriptions
from billing.models import Customer, Subscription
from billing.stripe_client import fetch

# Field → what we have, what Stripe says.
Differences = dict[str, tuple[Any, Any]]
OpenInvoices = Callable[[str], list[dict[str, Any]]]

FIELDS = (
    "stripe_id status plan_id price_id unmapped_price quantity currency started_at current_period_start "
    "current_period_end trial_end cancel_at ended_at past_due_since past_due_method latest_invoice "
    "default_payment_method payment_method_type card_brand card_last4 card_expires_on"
).split()
NONE_YET = {field: getattr(Subscription(), field) for field in FIELDS}


def with_subscription() -> Any:
    """Return customers with all that a comparison reads, in one query."""
    return Customer.objects.select_related("subscription")


def row_of(customer: Customer) -> Subscription:
    """Return the customer's row, or an empty row if Stripe was never asked."""
    row: Subscription | None = getattr(customer, "subscription", None)
    return row or Subscription(customer=customer)


def differences_from_stripe(customer: Customer) -> Differences:
    """Ask Stripe about one customer and compare. Raises `StripeUnavailable`, `StripeRefused`."""
    found = fetch.subscriptions(customer.pk)
    counts = subscriptions.current_subscription(found)
    if _is_deleted(customer, counts):
        return {} if customer.deleted_at else {"deleted_at": (None, "deleted at Stripe")}
    if counts is None:
        return {}
    email = counts["customer"].get("email")
    differences = differences_of(row_of(customer), counts, fetch.open_invoices)
    return {**differences, "email": (customer.email, email)} if email and email != customer.email else differences


def _is_deleted(customer: Customer, counts: dict[str, Any] | None) -> bool:
    """Return whether Stripe has deleted the customer; their ended subscriptions may still be listed, and show it."""
    return fetch.is_deleted(customer.pk) if counts is None else bool(counts["customer"].get("deleted"))


def differences_of(row: Subscription, found: dict[str, Any], open_invoices: OpenInvoices) -> Differences:
    theirs = subscriptions.columns_of(found, row, open_invoices)
    theirs["plan_id"], theirs["price_id"] = _pk(theirs.pop("plan")), _pk(theirs.pop("price"))
    return {name: (getattr(row, name), value) for name, value in theirs.items() if getattr(row, name) != value}


def snapshot(customers: list[str]) -> dict[str, dict[str, Any]]:
    """Return the columns of each customer's row by customer, to tell later what has changed."""
    rows = Subscription.objects.filter(customer__in=customers).values("customer_id", *FIELDS)
    return {row.pop("customer_id"): row for row in rows}


def between(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Differences:
    ours, theirs = before or NONE_YET, after or NONE_YET
    return {name: (ours[name], theirs[name]) for name in FIELDS if ours[name] != theirs[name]}


def _pk(row: Any) -> Any:
    return row.pk if row else None

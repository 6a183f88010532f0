"""Comparing finds the differences between a row of ours and Stripe, by the projection's own columns."""

from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from billing import subscriptions
from billing.models import Customer, Subscription
from billing.stripe_client import fetch

# Field → what we have, what Stripe says.
Differences = dict[str, tuple[Any, Any]]
OpenInvoices = Callable[[str], list[dict[str, Any]]]

FIELDS = (
    "stripe_id whose line counts status plan_id price_id unmapped_price quantity add_ons currency started_at "
    "current_period_start current_period_end billing_cycle_anchor trial_end cancel_at ended_at past_due_since "
    "past_due_method latest_invoice default_payment_method payment_method_type card_brand card_last4 card_expires_on "
    "has_payment_method collection_method collection_paused collection_resumes_at trial_end_without_card "
    "pending_kind pending_price_id pending_at pending_add_ons"
).split()
NONE_YET = {field: getattr(Subscription(), field) for field in FIELDS}


def rows_of(customers: Iterable[str]) -> dict[str, list[Subscription]]:
    """Return our rows by customer, in one query."""
    found: dict[str, list[Subscription]] = {}
    rows = Subscription.objects.filter(customer__in=list(customers))
    for row in rows.select_related("customer", "plan", "price", "pending_price__plan"):
        found.setdefault(row.customer_id, []).append(row)
    return found


def differences_from_stripe(customer: Customer) -> Differences:
    """Ask Stripe about one customer and compare. Raises `StripeUnavailable`, `StripeRefused`."""
    found = fetch.subscriptions(customer.pk)
    if _is_deleted(customer, found):
        return {} if customer.deleted_at else {"deleted_at": (None, "deleted at Stripe")}
    if not found:
        return {}
    email = found[0]["customer"].get("email") or ""
    differences = differences_of(customer, found, fetch.open_invoices)
    return {**differences, "email": (customer.email, email)} if email != customer.email else differences


def _is_deleted(customer: Customer, found: list[dict[str, Any]]) -> bool:
    """Return whether Stripe has deleted the customer; their ended subscriptions may still be listed, and show it."""
    return bool(found[0]["customer"].get("deleted")) if found else fetch.is_deleted(customer.pk)


def differences_of(customer: Customer, found: list[dict[str, Any]], open_invoices: OpenInvoices) -> Differences:
    """Return what differs in any row of a customer; with several subscriptions, each field comes with its id."""
    known = subscriptions.rows_of(customer)
    before = {row.stripe_id: _columns(row) for row in known}
    after = {row.stripe_id: _columns(row) for row in subscriptions.project(customer, found, known, open_invoices)}
    differing = {pk: between(before.get(pk), columns) for pk, columns in after.items()}
    for row, item in ((row, item) for row in known for item in found if item["id"] == row.stripe_id):
        ours, theirs = subscriptions.discounts.own_ids(row, item)
        if ours != theirs:
            differing[row.stripe_id]["discounts"] = (ours, theirs)
    return _named(differing)


def snapshot(customers: list[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the columns of each row by customer and subscription, to tell later what has changed."""
    return {customer: {row.stripe_id: _columns(row) for row in rows} for customer, rows in rows_of(customers).items()}


def changes_between(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> Differences:
    """Return what differs between two snapshots of one customer."""
    return _named({pk: between(before.get(pk), after.get(pk)) for pk in before | after})


def counts_otherwise(rows: list[Subscription]) -> bool:
    """Return whether another of a customer's rows counts by now, such as since grace ended."""
    copies = [copy(row) for row in rows]
    subscriptions.mark_counting(copies)
    return any(row.counts != other.counts for row, other in zip(rows, copies, strict=True))


def between(before: dict[str, Any] | None, after: dict[str, Any] | None) -> Differences:
    ours, theirs = before or NONE_YET, after or NONE_YET
    return {name: (ours[name], theirs[name]) for name in FIELDS if ours[name] != theirs[name]}


def _columns(row: Subscription) -> dict[str, Any]:
    return {name: getattr(row, name) for name in FIELDS}


def _named(by_subscription: dict[str, Differences]) -> Differences:
    several = len(by_subscription) > 1
    return {
        f"{pk} {name}" if several else name: values
        for pk, differences in by_subscription.items()
        for name, values in differences.items()
    }

"""The exports have these columns. Amounts are in main units, times in ISO with their offset."""

from typing import Any

from billing.models import Customer

from . import people
from .list_export import Column, amount, main_units


def _subscriber(row: Any) -> str:
    return people.name_of(row.customer)


def _count(name: str) -> Column:
    return lambda row: getattr(row, name)


CUSTOMER: dict[str, Column] = {
    "customer": _count("pk"),
    "subscriber": people.name_of,
    "email": _count("email"),
    "plan": lambda row: row.subscription.plan or "",
    "status": lambda row: row.subscription.status if row.subscription.pk else "",
    "mrr": lambda row: main_units(row.subscription.mrr, row.subscription.currency),
    "currency": lambda row: row.subscription.currency or row.currency,
    "quantity": lambda row: row.subscription.quantity if row.subscription.pk else "",
    "renews": lambda row: row.subscription.current_period_end,
    "ends": lambda row: row.subscription.cancel_at,
    "credit": lambda row: main_units(row.credit, row.currency),
    "created": _count("created_at"),
    "deleted": _count("deleted_at"),
}
PAYMENT: dict[str, Column] = {
    "invoice": _count("invoice_id"),
    "customer": _count("customer_id"),
    "subscriber": _subscriber,
    "subscription": _count("subscription_id"),
    "amount": amount("amount"),
    "currency": _count("currency"),
    "reason": _count("billing_reason"),
    "invoiced": _count("invoiced_at"),
    "paid": _count("paid_at"),
    "period_start": _count("period_start"),
    "period_end": _count("period_end"),
}
INVOICE: dict[str, Column] = {
    "invoice": _count("pk"),
    "number": _count("number"),
    "customer": _count("customer_id"),
    "subscriber": _subscriber,
    "subscription": _count("subscription_id"),
    "purpose": _count("purpose"),
    "status": _count("status"),
    "total": amount("total"),
    "tax": amount("tax"),
    "paid_amount": amount("amount_paid"),
    "remaining": amount("amount_remaining"),
    "currency": _count("currency"),
    "created": _count("created_at"),
    "due": _count("due_at"),
    "paid": _count("paid_at"),
}
REFUND: dict[str, Column] = {
    "refund": _count("pk"),
    "invoice": _count("invoice_id"),
    "charge": _count("charge"),
    "customer": _count("customer_id"),
    "subscriber": _subscriber,
    "amount": amount("amount"),
    "currency": _count("currency"),
    "status": _count("status"),
    "created": _count("created_at"),
}


def _customer_of(row: Any) -> str:
    found: list[Customer] = [each for each in row.subscriber.billing_customers.all() if each.is_current]
    return found[0].pk if found else ""


USAGE: dict[str, Column] = {
    "subscriber": lambda row: str(row.subscriber),
    "customer": _customer_of,
    "feature": _count("feature"),
    "period_start": _count("period_start"),
    "used": _count("used"),
    "beyond_the_limit": _count("overage"),
}

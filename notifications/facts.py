"""What mails are told: minor units, ISO dates, names. Words and formats are made when they are sent."""

from datetime import datetime
from typing import Any

from billing import access, clock
from billing.models import (
    Customer,
    Dispute,
    Payment,
    PaymentFailure,
    Plan,
    Price,
    Refund,
    StripeWrite,
    Subscription,
)
from billing.subscriptions import customer_details, unit_amount

from . import language


def cause(subscription: Subscription, reason: str) -> str:
    """Why it ended: `dispute` or `refund` where we had it cancelled, else Stripe's word for it."""
    ours = StripeWrite.objects.filter(object_id=subscription.stripe_id, withdrawn_at=None).order_by("requested_at")
    references = list(ours.values_list("reference", flat=True))
    if reason == "payment_disputed" or Dispute.objects.filter(pk__in=references).exists():
        return "dispute"
    return "refund" if references else reason


def has_access(subscription: Subscription) -> bool:
    row = access.with_access_facts().filter(pk=subscription.pk).first()
    return row is not None and access.decide(access.facts_of(row), clock.now()).has_access


def downgrade_key(subscription_id: str, price_id: str, at: datetime) -> str:
    return f"downgrade_scheduled:{subscription_id}:{price_id}:{at.date().isoformat()}"


def money(row: Payment | PaymentFailure | Dispute | Refund) -> dict[str, Any]:
    return {"amount": row.amount, "currency": row.currency}


def price(subscription: Subscription, charged: Price | None) -> dict[str, Any]:
    """What is charged and how often, before discounts and taxes; nothing for a price by tiers."""
    charge = unit_amount(charged, subscription.currency) * subscription.quantity if charged else 0
    if not charged or not charge:
        return {}
    every = charged.interval if charged.interval_count == 1 else f"{charged.interval_count} {charged.interval}"
    return {"charge": charge, "currency": subscription.currency, "every": every}


def card(subscription: Subscription) -> str:
    """As it is written on receipts: `Visa •••• 4242`."""
    brand = subscription.card_brand.replace("_", " ").title()
    return f"{brand} •••• {subscription.card_last4}" if subscription.card_last4 else ""


def plan(row: Plan | None) -> dict[str, str]:
    return {"plan": row.name if row else "", "plan_slug": row.slug if row else ""}


def iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def about(subscription: Subscription) -> dict[str, Any]:
    """Whose mail it is, in which language and of which plan; it goes to the address Stripe has, else their own."""
    customer: Customer = subscription.customer
    return {
        "customer": customer,
        "recipient": customer.email or customer_details.email_of(customer.subscriber),
        "language": language.of(customer),
        "subscription": subscription.stripe_id,
        **plan(subscription.plan),
    }

"""A first payment that was refused leaves an incomplete subscription at Stripe, which may be bought anew."""

from typing import Any

from django.utils.translation import gettext_lazy

from billing import stripe_client
from billing.models import Customer, Subscription
from billing.stripe_client import fetch, id_of, readers

from .refusals import AlreadySubscribed

ON_ITS_WAY = gettext_lazy(
    "Your first payment is on its way. Please wait until your bank has confirmed it, and don't pay a second time."
)
REFUSED = {"requires_payment_method"}


def is_refused(customer: Customer, subscription_id: str) -> bool:
    """Return whether an incomplete subscription waits for no payment any more: a debit came back, say."""
    return _intents(customer, stripe_client.get(f"/v1/subscriptions/{subscription_id}")) == REFUSED


def _intents(customer: Customer, subscription: dict[str, Any]) -> set[str]:
    invoice = fetch.invoice(id_of(subscription["latest_invoice"]), customer.pk)
    return {intent["status"] for intent in readers.payment_intents_of(invoice)}


def end(customer: Customer, incomplete: list[dict[str, Any]]) -> None:
    """End a subscription whose first payment was refused, so that it can never be paid beside the one bought now.

    Raises `AlreadySubscribed` where the payment may still come.
    """
    for subscription in incomplete:
        if subscription["status"] != Subscription.Status.INCOMPLETE:
            raise AlreadySubscribed
        statuses = _intents(customer, subscription)
        if "processing" in statuses:
            raise AlreadySubscribed(str(ON_ITS_WAY))
        if statuses != REFUSED:
            raise AlreadySubscribed
    for subscription in incomplete:
        path = f"/v1/subscriptions/{subscription['id']}"
        stripe_client.delete(path, idempotency_key=f"refused:{subscription['id']}")

"""Staff credit a customer at Stripe, invoice something once, send an open invoice again, and link a second customer."""

from typing import Any

from billing import lanes, stripe_account, stripe_client, subscriptions
from billing.models import Customer, Invoice
from billing.stripe_client import fetch
from billing.subscriptions import METADATA_KEY, paying_twice

from .customers import refuse_if_deleting, subscriber_key
from .refusals import Refused

NOT_FREE = "This customer belongs to somebody, is deleted at Stripe, or is not known here. Nothing was changed."
OTHER_CURRENCY = "Stripe keeps this customer's balance in {}. Nothing was changed."


class CannotLink(Refused):
    """The customer cannot become the subscriber's."""


class WrongCurrency(Refused):
    """Stripe keeps the customer's balance in one currency."""


def credit(customer: Customer, amount: int, currency: str, description: str, key: str) -> str:
    """Add `amount` minor units to the credit that reduces the next invoices. Returns the id of the movement."""
    settled = fetch.customer(customer.pk).get("currency") or customer.currency
    if settled and settled != currency:
        raise WrongCurrency(OTHER_CURRENCY.format(settled.upper()))
    made = stripe_client.post(
        f"/v1/customers/{customer.pk}/balance_transactions",
        idempotency_key=key,
        amount=-amount,
        currency=currency,
        description=description,
    )
    return str(made["id"])


def invoice_once(customer: Customer, amount: int, currency: str, description: str, days: int, key: str) -> str:
    """Invoice something once, to be paid within some days. Returns the id of the invoice, which Stripe has sent.

    1. An empty draft. 2. Its one line. 3. Send it, which finalizes it. Asked again with the same key, each step is
    answered with what was made before, so that a crash between two leaves one invoice.
    """
    draft = stripe_client.post(
        "/v1/invoices",
        idempotency_key=f"{key}:invoice",
        customer=customer.pk,
        currency=currency,
        collection_method="send_invoice",
        days_until_due=days,
        pending_invoice_items_behavior="exclude",
        auto_advance=False,
    )
    stripe_client.post(
        "/v1/invoiceitems",
        idempotency_key=f"{key}:item",
        customer=customer.pk,
        invoice=draft["id"],
        amount=amount,
        currency=currency,
        description=description,
    )
    stripe_client.post(f"/v1/invoices/{draft['id']}/send", idempotency_key=f"{key}:send")
    return str(draft["id"])


def send_again(invoice: Invoice, key: str) -> None:
    """Have Stripe mail an open invoice again."""
    stripe_client.post(f"/v1/invoices/{invoice.pk}/send", idempotency_key=key)


def linkable(customer_id: str) -> Customer | None:
    """Return the customer of that id whom nobody owns and whom Stripe has; None if there is none."""
    return Customer.objects.filter(pk=customer_id, subscriber=None, deleted_at=None, missing_since=None).first()


def link(subscriber: Any, customer_id: str) -> None:
    """Make the customer one of the subscriber's, beside those they have: at Stripe by its metadata, then here, in that
    customer's lane. Raises `CannotLink`, `AccountClosing`, `LaneBusy`, `StripeUnavailable`."""
    refuse_if_deleting(subscriber)
    other = linkable(customer_id)
    if other is None:
        raise CannotLink(NOT_FREE)
    stripe_account.refuse_if_elsewhere(other)
    key = subscriber_key(subscriber)
    stripe_client.post(
        f"/v1/customers/{customer_id}", idempotency_key=f"link:{customer_id}:{key}", metadata={METADATA_KEY: key}
    )
    with lanes.exclusive(customer_id) as commit:
        commit(lambda: _link(subscriber, customer_id))


def _link(subscriber: Any, customer_id: str) -> None:
    if not Customer.objects.link(customer_id, subscriber.pk):
        raise CannotLink(NOT_FREE)
    paying_twice.alert_linked([customer_id])
    subscriptions.refresh(Customer.objects.select_related("subscriber").get(pk=customer_id))

"""Events that tell of money: facts by natural key, then what they mean for access."""

from typing import Any

from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event

from billing import disputes, fetch, payments, refunds
from billing.fetch import id_of

from . import contents
from .customer import customer_of


@djstripe_receiver(list(contents.PAID))
def on_invoice_paid(sender: Any, event: Event, **kwargs: Any) -> None:
    payments.record_paid(customer_of(event), event.data["object"]["id"])


@djstripe_receiver(list(contents.UNPAID))
def on_invoice_not_paid(sender: Any, event: Event, **kwargs: Any) -> None:
    payments.record_failure(customer_of(event), event.data["object"])


@djstripe_receiver(list(contents.INVOICE_PAYMENT))
def on_invoice_payment_paid(sender: Any, event: Event, **kwargs: Any) -> None:
    customer, link = customer_of(event), event.data["object"]
    invoice = fetch.settled_invoice(id_of(link["invoice"]), customer.pk)
    payments.record_link(customer, link, payments.subscription_of(invoice))


@djstripe_receiver(list(contents.CHARGE_REFUNDED))
def on_charge_refunded(sender: Any, event: Event, **kwargs: Any) -> None:
    refunds.settle(customer_of(event), event.data["object"]["id"])


@djstripe_receiver(list(contents.REFUND))
def on_refund(sender: Any, event: Event, **kwargs: Any) -> None:
    refunds.settle(customer_of(event), refunds.charge_of(event.data["object"]))


@djstripe_receiver(list(contents.DISPUTE))
def on_dispute(sender: Any, event: Event, **kwargs: Any) -> None:
    disputes.settle(customer_of(event), event.data["object"]["id"])

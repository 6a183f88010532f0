"""Events that tell of money: facts by natural key, then what they mean for access."""

from djstripe.models import Event

from billing import payments
from billing.events import event_types
from billing.payments import disputes, notices, refunds
from billing.stripe_client import id_of

from .customer import customer_of, receiver


@receiver(event_types.PAID)
def on_invoice_paid(event: Event) -> None:
    payments.record_payment(customer_of(event), event.data["object"]["id"])


@receiver(event_types.UNPAID)
def on_invoice_not_paid(event: Event) -> None:
    payments.record_failure(customer_of(event), event.data["object"], event.created)


@receiver(event_types.NOT_FINALIZED)
def on_invoice_not_finalized(event: Event) -> None:
    notices.alert_not_finalized(customer_of(event), event.data["object"])


@receiver(event_types.INVOICE_PAYMENT)
def on_invoice_payment_paid(event: Event) -> None:
    payments.record_links(customer_of(event), id_of(event.data["object"]["invoice"]))


@receiver(event_types.CHARGE_REFUNDED)
def on_charge_refunded(event: Event) -> None:
    refunds.record_refunds(customer_of(event), event.data["object"]["id"])


@receiver(event_types.REFUND)
def on_refund(event: Event) -> None:
    customer = customer_of(event)
    refunds.record_refunds(customer, refunds.charge_of(customer, event.data["object"]))


@receiver(event_types.DISPUTE)
def on_dispute(event: Event) -> None:
    disputes.record_dispute(customer_of(event), event.data["object"]["id"])


@receiver(event_types.FRAUD_WARNING)
def on_early_fraud_warning(event: Event) -> None:
    notices.alert_fraud_warning(customer_of(event), event.data["object"])

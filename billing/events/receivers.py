"""These receivers record facts about money by their natural key, and then decide what follows for access."""

from djstripe.models import Event

from billing import payments
from billing.events import event_types
from billing.models import Customer
from billing.payments import disputes, notices, refunds
from billing.stripe_client import id_of

from .customer import receiver


@receiver(event_types.PAID)
def on_invoice_paid(customer: Customer, event: Event) -> None:
    payments.record_payment(customer, event.data["object"]["id"])


@receiver(event_types.UNPAID)
def on_invoice_not_paid(customer: Customer, event: Event) -> None:
    payments.record_failure(customer, event.data["object"], event.created)


@receiver(event_types.NOT_FINALIZED)
def on_invoice_not_finalized(customer: Customer, event: Event) -> None:
    notices.alert_not_finalized(customer, event.data["object"])


@receiver(event_types.INVOICE_PAYMENT)
def on_invoice_payment_paid(customer: Customer, event: Event) -> None:
    payments.record_links(customer, id_of(event.data["object"]["invoice"]))


@receiver(event_types.CHARGE_REFUNDED)
def on_charge_refunded(customer: Customer, event: Event) -> None:
    refunds.record_refunds(customer, event.data["object"]["id"])


@receiver(event_types.REFUND)
def on_refund(customer: Customer, event: Event) -> None:
    refunds.record_refunds(customer, refunds.charge_of(customer, event.data["object"]))


@receiver(event_types.DISPUTE)
def on_dispute(customer: Customer, event: Event) -> None:
    disputes.record_dispute(customer, event.data["object"]["id"])


@receiver(event_types.FRAUD_WARNING)
def on_early_fraud_warning(customer: Customer, event: Event) -> None:
    notices.alert_fraud_warning(customer, event.data["object"])

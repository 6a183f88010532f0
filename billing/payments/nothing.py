"""Staff are alerted to money that buys nothing, or that is paid while access is on hold."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from billing import signals
from billing.lanes import writes
from billing.models import Customer, InvoicePayment, Payment, Refund, StripeWrite, Subscription
from billing.monitoring import alerts

from .sums import UNDONE

LATELY = timedelta(days=90)


def announce(subscription: Subscription, payment: Payment) -> None:
    """Note that a payment bought nothing, and alert staff. The subscriber gets no receipt that promises access."""
    payment.bought_nothing = True
    payment.save(update_fields=["bought_nothing"])
    signals.payment_bought_nothing.send(sender=Payment, subscription=subscription, payment=payment)
    alerts.alert_staff(
        "payment_bought_nothing",
        f"The payment of invoice {payment.invoice_id} bought nothing",
        f"The customer {payment.customer_id} paid the invoice {payment.invoice_id}, but its subscription "
        f"{payment.subscription_id} has ended, or stays unpaid. They got no access for it.\n"
        "Open the customer in the admin and choose 'Refund a payment', or keep the payment if they owed it.",
    )


def waiting() -> QuerySet[Payment]:
    """Return the payments that bought nothing and were not given back, nor is their refund on its way."""
    refunded = Refund.objects.filter(invoice_id=OuterRef("invoice_id")).exclude(status__in=UNDONE)
    owed = StripeWrite.objects.filter(
        action=StripeWrite.Action.REFUND, reference=OuterRef("invoice_id"), withdrawn_at=None
    )
    return Payment.objects.filter(~Exists(refunded), ~Exists(owed), bought_nothing=True, kept_at=None)


def lasting(customer: str = "") -> list[str]:
    """Return a sentence for each matter of money that waits for staff, of one customer or of all: payments that bought
    nothing, and refunds that failed of late after a subscription was cancelled for them.
    """
    payments = waiting().order_by("pk")
    undone = Refund.objects.filter(status="failed", created_at__gt=timezone.now() - LATELY)
    undone = undone.exclude(ended_subscription="").order_by("pk")
    if customer:
        payments, undone = payments.filter(customer=customer), undone.filter(customer=customer)
    return [
        *(
            f"The payment of invoice {row.invoice_id} by the customer {row.customer_id} bought nothing. Refund or keep "
            "it on the customer's page in the admin."
            for row in payments
        ),
        *(
            f"The refund {row.pk} to the customer {row.customer_id} failed after {row.ended_subscription} was "
            "cancelled for it. Give access in the admin, or return the money another way."
            for row in undone
        ),
    ]


def owe_refund(customer: Customer, payment: Payment) -> None:
    """Owe the refund of all that was paid for the invoice."""
    links = InvoicePayment.objects.filter(customer=customer, invoice_id=payment.invoice_id)
    for intent in links.exclude(payment_intent="").values_list("payment_intent", flat=True):
        writes.owe(customer, intent, payment.invoice_id, StripeWrite.Action.REFUND)


def alert_if_held(subscription: Subscription, payment: Payment) -> None:
    """Alert staff that a subscriber on hold has paid: renewals go on until somebody stops them."""
    holds = subscription.customer.holds.active().filter(subscription_id__in=["", subscription.stripe_id])
    hold = holds.order_by("placed_at").first()
    if hold is None or payment.subscription_id != subscription.stripe_id:
        return
    alerts.alert_staff(
        "paid_while_held",
        f"The customer {payment.customer_id} pays while access is on hold",
        f"The customer {payment.customer_id} paid the invoice {payment.invoice_id}, but their access has been on hold "
        f"since {hold.placed_at:%Y-%m-%d} ({hold.kind}).\n"
        "Release the hold in the admin, or cancel the subscription and refund the payment.",
    )

"""A refund may fail days later, when its subscription was cancelled for it: subscriber and staff are alerted."""

from billing import signals
from billing.models import Invoice, InvoicePayment, Refund, StripeWrite, Subscription
from billing.monitoring import alerts


def announce_failure(subscription: Subscription, refund: Refund, link: InvoicePayment | None) -> None:
    """Announce that a refund failed, note which subscription had been ended for it, and alert staff."""
    refund.ended_subscription = _ended_for(refund, link)
    refund.save(update_fields=["ended_subscription"])
    signals.refund_failed.send(sender=Refund, subscription=subscription, refund=refund)
    ended = refund.ended_subscription
    undone = (
        f"The subscription {ended} was cancelled because of this refund, so they have neither the access nor the money."
        "\nIn the admin, give them access, and return the money another way."
        if ended
        else "Return the money another way."
    )
    alerts.alert_staff(
        "refund_failed",
        f"Refund {refund.pk} failed",
        f"The refund {refund.pk} to the customer {refund.customer_id} failed "
        f"({refund.failure_reason or 'no reason given'}). We have the money again.\n{undone}",
    )


def _ended_for(refund: Refund, link: InvoicePayment | None) -> str:
    """Return the subscription that was cancelled because of a refund; "" for none."""
    if link is None or not link.subscription_id:
        return ""
    cancelled = StripeWrite.objects.filter(
        action=StripeWrite.Action.CANCEL_SUBSCRIPTION, object_id=link.subscription_id, done_at__isnull=False
    )
    for_invoices = Invoice.objects.filter(subscription_id=link.subscription_id).values("pk")
    return link.subscription_id if cancelled.filter(reference__in=for_invoices).exists() else ""

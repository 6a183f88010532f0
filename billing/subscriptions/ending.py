"""A customer who was deleted at Stripe loses access; the row stays for events that still arrive."""

from billing import cause, clock, signals
from billing.models import Customer, Subscription

from . import mirror
from .announcing import STARTED, announce_access
from .mrr import record_change
from .projection import snapshot

Status = Subscription.Status


def end_for_deleted_customer(customer: Customer) -> None:
    """End access and unlink the subscriber. The row stays as a tombstone for events that still arrive."""
    if customer.deleted_at:
        return
    subscription, _ = Subscription.objects.get_or_create(customer=customer)
    before, was_started = snapshot(subscription), subscription.status in STARTED
    subscription.status = Status.CANCELED if subscription.stripe_id else Status.NONE
    subscription.ended_at = subscription.ended_at or clock.now()
    subscription.cancel_at = subscription.past_due_since = None
    subscription.save()
    record_change(before, subscription)
    customer.deleted_at = clock.now()
    customer.save(update_fields=["deleted_at"])
    if was_started:
        signals.subscription_ended.send(sender=Subscription, subscription=subscription, reason="customer_deleted")
    customer.comps.open().update(ended_at=clock.now(), ended_by=cause.current())
    announce_access(customer.pk)
    signals.customer_deleted.send(sender=Customer, subscription=subscription, customer=customer)
    customer.subscriber = None
    customer.save(update_fields=["subscriber"])
    mirror.unlink_customer(customer.pk)

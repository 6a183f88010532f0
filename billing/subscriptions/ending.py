"""A customer who was deleted at Stripe loses the access it paid for; the row stays for events that still arrive."""

from copy import copy

from billing import clock, signals
from billing.models import Customer, Subscription

from . import mirror, mrr
from .announcing import STARTED, announce_access
from .projection import rows_of

Status = Subscription.Status


def end_for_deleted_customer(customer: Customer) -> None:
    """End what the customer's subscriptions gave. The row stays, for the subscriber's history and for events that still
    arrive; another customer of theirs that lives becomes the current one.
    """
    if customer.deleted_at:
        return
    pairs = []
    for before in rows_of(customer):
        after = copy(before)
        if after.status not in Subscription.TERMINAL:
            after.status, after.ended_at = Status.CANCELED, after.ended_at or clock.now()
        after.cancel_at = after.past_due_since = None
        after.mrr = 0
        after.save()
        pairs.append((before, after))
    mrr.record_changes(pairs)
    customer.deleted_at = clock.now()
    customer.save(update_fields=["deleted_at"])
    for before, after in pairs:
        if before.has_announced_start and before.status in STARTED:
            signals.subscription_ended.send(sender=Subscription, subscription=after, reason="customer_deleted")
    announce_access(customer.pk, has_changed=True)
    signals.customer_deleted.send(sender=Customer, subscription=customer.subscription, customer=customer)
    Customer.objects.replace_current(customer)
    mirror.unlink_customer(customer.pk)

"""Each real change of a subscription adds a row to its history."""

from billing import cause, clock
from billing.models import Subscription, SubscriptionChange

from . import mrr


def record_change(before: Subscription, after: Subscription) -> bool:
    """Add a row if the state differs, in the transaction that changed it. Returns whether it did."""
    state = SubscriptionChange.state_of(after)
    if state == SubscriptionChange.state_of(before):
        return False
    SubscriptionChange.objects.create(
        customer_id=after.customer_id,
        recorded_at=clock.now(),
        cause=cause.current(),
        mrr=mrr.monthly_amount(after),
        **state,
    )
    mrr.record_movement(before, after)
    return True


def snapshot(subscription: Subscription) -> Subscription:
    """Return an unsaved copy, to be compared with what the row becomes."""
    return Subscription(**{f.attname: getattr(subscription, f.attname) for f in Subscription._meta.concrete_fields})

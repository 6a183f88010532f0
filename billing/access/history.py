"""What a subscription was: noted at each real change, looked up for any moment."""

from datetime import datetime

from billing import cause, clock
from billing.models import Customer, Subscription, SubscriptionChange
from billing.subscriptions import mrr

STATE = SubscriptionChange.STATE


def record_change(before: Subscription, after: Subscription) -> bool:
    """Add a row where the state differs, in the transaction that changed it; whether it did."""
    state = _state(after)
    if state == _state(before):
        return False
    SubscriptionChange.objects.create(
        customer_id=after.customer_id,
        recorded_at=clock.now(),
        cause=cause.current(),
        mrr=mrr.monthly(after),
        **state,
    )
    mrr.settle(before, after)
    return True


def state_at(customer: Customer, at: datetime) -> Subscription | None:
    """The subscription as we knew it `at` that moment, unsaved; None before the first we knew of it.

    One that was taken over with nothing recorded since is what it was when the customer came to us.
    """
    changes = customer.subscription_changes.order_by("-recorded_at", "-pk")
    change = changes.filter(recorded_at__lte=at).first()
    if change is None and (changes.exists() or at < customer.created_at):
        return None
    return Subscription(customer=customer, **_state(change)) if change else latest(customer)


def latest(customer: Customer) -> Subscription | None:
    """As we know it now, with `customer` as given."""
    known = Subscription.objects.filter(customer=customer).first()
    return Subscription(customer=customer, **_state(known)) if known else None


def _state(row: Subscription | SubscriptionChange) -> dict[str, object]:
    return {name: getattr(row, name) for name in STATE}

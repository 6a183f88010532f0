"""The history of a subscription tells its state at any moment."""

from datetime import datetime

from billing.models import Customer, Subscription, SubscriptionChange


def state_at(customer: Customer, at: datetime) -> Subscription | None:
    """Return the subscription as we knew it `at` that moment, unsaved; None before we knew of it.

    An imported subscription without recorded changes is taken to have been the same since the customer was imported.
    """
    changes = customer.subscription_changes.order_by("-recorded_at", "-pk")
    change = changes.filter(recorded_at__lte=at).first()
    if change is None and (changes.exists() or at < customer.created_at):
        return None
    return Subscription(customer=customer, **SubscriptionChange.state_of(change)) if change else latest_state(customer)


def latest_state(customer: Customer) -> Subscription | None:
    """Return the subscription as we know it now, unsaved, with `customer` as given."""
    known = Subscription.objects.filter(customer=customer).first()
    return Subscription(customer=customer, **SubscriptionChange.state_of(known)) if known else None

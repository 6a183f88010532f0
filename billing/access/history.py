"""The history of a subscription tells what it was at any moment."""

from datetime import datetime

from billing.models import Customer, Subscription, SubscriptionChange


def state_at(customer: Customer, at: datetime) -> Subscription | None:
    """The subscription as we knew it `at` that moment, unsaved; None before the first we knew of it.

    One that was taken over with nothing recorded since is what it was when the customer came to us.
    """
    changes = customer.subscription_changes.order_by("-recorded_at", "-pk")
    change = changes.filter(recorded_at__lte=at).first()
    if change is None and (changes.exists() or at < customer.created_at):
        return None
    return Subscription(customer=customer, **SubscriptionChange.state_of(change)) if change else latest_state(customer)


def latest_state(customer: Customer) -> Subscription | None:
    """As we know it now, with `customer` as given."""
    known = Subscription.objects.filter(customer=customer).first()
    return Subscription(customer=customer, **SubscriptionChange.state_of(known)) if known else None

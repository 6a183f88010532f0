"""The history of a subscription tells its state at any moment."""

from datetime import datetime

from billing.models import Customer, Subscription, SubscriptionChange


def states_at(customer: Customer, at: datetime) -> dict[str, Subscription]:
    """Return the subscription that counted in each line as we knew it `at` that moment, unsaved.

    An imported subscription without recorded changes is taken to have been the same since the customer was imported.
    """
    newest: dict[str, SubscriptionChange] = {}
    changes = customer.subscription_changes.select_related("plan", "price").order_by("-recorded_at", "-pk")
    for change in changes.filter(recorded_at__lte=at):
        newest.setdefault(change.stripe_id, change)
    counted: dict[str, Subscription] = {}
    for change in newest.values():
        if change.counts:
            counted.setdefault(change.line, _as_it_was(customer, change))
    if at >= customer.created_at:
        later = set(changes.values_list("stripe_id", flat=True))
        for line, row in latest_states(customer).items():
            if row.stripe_id not in later:
                counted.setdefault(line, row)
    return counted


def latest_states(customer: Customer) -> dict[str, Subscription]:
    """Return the subscription that counts in each line as we know it now, unsaved, with `customer` as given."""
    rows = Subscription.objects.select_related("plan", "price").filter(customer=customer, counts=True).order_by("line")
    return {row.line: _as_it_was(customer, row) for row in rows}


def _as_it_was(customer: Customer, row: Subscription | SubscriptionChange) -> Subscription:
    state = SubscriptionChange.state_of(row)
    return Subscription(customer=customer, **state)

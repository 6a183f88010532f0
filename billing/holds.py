"""Holds on access: placed and released by a cause, each change announced where it changes access."""

from billing import clock, subscriptions
from billing.models import Customer, Hold


def place(customer: Customer, kind: Hold.Kind, reference: str) -> None:
    """Hold access for this cause; a hold already placed stays as it is, one released before is placed again."""
    hold, is_new = Hold.objects.get_or_create(
        customer=customer, kind=kind, reference=reference, defaults={"placed_at": clock.now()}
    )
    if not is_new and hold.released_at:
        hold.placed_at, hold.released_at = clock.now(), None
        hold.save(update_fields=["placed_at", "released_at"])
    subscriptions.settle_access(customer.pk)


def release(customer: Customer, kind: Hold.Kind, reference: str) -> None:
    """End this cause's hold; others may still hold."""
    customer.holds.active().filter(kind=kind, reference=reference).update(released_at=clock.now())
    subscriptions.settle_access(customer.pk)

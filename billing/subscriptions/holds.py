"""Holds on access: placed and released by a cause, each change announced where it changes access."""

from billing import cause, clock
from billing.models import Customer, Hold

from .announcing import announce_access


def place(customer: Customer, kind: Hold.Kind, reference: str, reason: str = "") -> None:
    """Hold access for this cause; a hold already placed stays as it is, one released before is placed again.

    Unless staff released it: the next event about the same dispute does not overrule them.
    """
    hold, is_new = Hold.objects.get_or_create(
        customer=customer,
        kind=kind,
        reference=reference,
        defaults={"placed_at": clock.now(), "cause": cause.current(), "reason": reason},
    )
    if not is_new and hold.released_at and not hold.was_released_by_staff:
        hold.placed_at, hold.cause, hold.released_at, hold.released_by = clock.now(), cause.current(), None, ""
        hold.save(update_fields=["placed_at", "cause", "released_at", "released_by"])
    announce_access(customer.pk)


def release(customer: Customer, kind: Hold.Kind, reference: str) -> bool:
    """End this cause's hold, others may still hold; whether it was in force."""
    in_force = customer.holds.active().filter(kind=kind, reference=reference)
    was_in_force = bool(in_force.update(released_at=clock.now(), released_by=cause.current()))
    announce_access(customer.pk)
    return was_in_force

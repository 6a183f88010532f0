"""A hold withholds access for a cause, such as a dispute. Call these holding the lane."""

from billing import cause, clock
from billing.models import Customer, Hold, Subscription

from . import seats
from .announcing import announce_access


def place(customer: Customer, kind: Hold.Kind, reference: str, reason: str = "", *, subscription_id: str = "") -> None:
    """Hold access for this cause, of one subscription or, with "", of all that the customer has.

    A hold that is in force stays as it is; a released one is placed again.

    A hold that staff released stays released: the next event about the same dispute does not overrule them.
    """
    hold, is_new = Hold.objects.get_or_create(
        customer=customer,
        kind=kind,
        reference=reference,
        defaults={
            "placed_at": clock.now(),
            "cause": cause.current(),
            "reason": reason,
            "subscription_id": subscription_id,
        },
    )
    if not is_new and hold.released_at and not hold.was_released_by_staff:
        hold.placed_at, hold.cause, hold.released_at, hold.released_by = clock.now(), cause.current(), None, ""
        hold.save(update_fields=["placed_at", "cause", "released_at", "released_by"])
    announce_access(customer.pk, has_changed=True)


def release(customer: Customer, kind: Hold.Kind, reference: str) -> bool:
    """Release the hold of this cause; holds of other causes stay. Returns whether it was in force."""
    in_force = customer.holds.active().filter(kind=kind, reference=reference)
    was_in_force = bool(in_force.update(released_at=clock.now(), released_by=cause.current()))
    announce_access(customer.pk, has_changed=True)
    if was_in_force:
        seats.owe_seats(customer, f"released:{reference}")
    return was_in_force


def lasting(customer: str = "") -> list[str]:
    """Return a sentence for each customer, of one or of all, who is charged while a hold keeps their access away."""
    charged = Subscription.objects.filter(
        customer__in=Hold.objects.active().values("customer"),
        cancel_at=None,
        collection_paused="",
        status__in=("active", "trialing", "past_due"),
    )
    rows = charged.filter(customer=customer) if customer else charged
    return [
        f"The customer {pk} pays while their access is on hold. In the admin, release the hold, or cancel the "
        "subscription."
        for pk in rows.order_by("customer").values_list("customer", flat=True).distinct()
    ]

"""A subscriber pays for as many seats as BILLING_SEATS counts, by the quantity of the subscription.

A host project calls `changed` when somebody joins or leaves. The worker then sets the quantity to what BILLING_SEATS
counts at that moment, so the last state is billed, however many changes there were and in whatever order.
"""

from typing import Any, cast

from django.utils.module_loading import import_string

from billing.conf import conf
from billing.lanes import standing_writes
from billing.models import Customer, Plan, StripeWrite

ONE = 1


def changed(subscriber: Any) -> None:
    """Have the worker set the quantity at Stripe. Call it last in the transaction in which a member joins or leaves.

    Makes no Stripe call. More seats are paid from now on, fewer are credited: both stand on the next invoice. A
    subscriber without a subscription pays nothing; Checkout counts seats anew. Without BILLING_SEATS it does nothing.
    """
    for customer in Customer.objects.living_of(subscriber).in_lane_order():
        owe_seats(customer, "members")


def owe_seats(customer: Customer, reference: str, *, wakes: bool = True) -> None:
    """Owe Stripe the quantity, because of `reference`; `wakes` as in `standing_writes.owe`."""
    if is_counted() and customer.deleted_at is None:
        standing_writes.owe(customer, StripeWrite.Action.SET_SEATS, reference, wakes=wakes)


def is_counted() -> bool:
    return bool(conf.seats)


def seats_of(subscriber: Any, plan: Plan | None = None) -> int:
    """Return how many seats the subscriber has now, at least one; of a plan, at least those that it is sold for."""
    fewest = plan.min_seats if plan else ONE
    return max(cast("int", import_string(conf.seats)(subscriber)), fewest, ONE) if is_counted() else ONE


def seats_shown(subscriber: Any) -> int:
    """Return the seats that a page about prices shows: 0 if seats are not counted, or there is no subscriber."""
    return seats_of(subscriber) if is_counted() and subscriber is not None else 0

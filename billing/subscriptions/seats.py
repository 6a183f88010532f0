"""Seats: a subscriber pays for as many as BILLING_SEATS says, by the quantity of their subscription.

`changed` is what a project calls when somebody joins or leaves. It asks nobody: the worker sets the quantity to what
BILLING_SEATS says by then, so that however many changes there were, and in whatever order, the last truth is billed.
"""

from typing import Any, cast

from django.utils.module_loading import import_string

from billing.conf import conf
from billing.lanes import orders
from billing.models import Customer, StripeWrite

ONE = 1


def changed(subscriber: Any) -> None:
    """Call it inside the transaction in which a member joins or leaves, best as its last statement. No Stripe call.

    More seats are paid from now on, fewer are credited: both stand on the next invoice. Who has no subscription pays
    nothing; Checkout counts seats anew. Without BILLING_SEATS it does nothing.
    """
    customer = Customer.objects.of(subscriber)
    if customer:
        owe_seats(customer, "members")


def owe_seats(customer: Customer, reference: str, *, wakes: bool = True) -> None:
    """The quantity is to be looked at, because of `reference`; `wakes` as in `orders.place`."""
    if is_counted():
        orders.place(customer, StripeWrite.Action.SET_SEATS, reference, wakes=wakes)


def is_counted() -> bool:
    return bool(conf.seats)


def seats_of(subscriber: Any) -> int:
    """How many are paid for, now: one at least."""
    return max(cast("int", import_string(conf.seats)(subscriber)), ONE) if is_counted() else ONE


def seats_shown(subscriber: Any) -> int:
    """The same for a page about prices: 0 where seats are not counted, or there is nobody to count them for."""
    return seats_of(subscriber) if is_counted() and subscriber is not None else 0

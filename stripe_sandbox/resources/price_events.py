"""A recurring price is a plan too, and Stripe tells of both: `price.created` and `plan.created`, and likewise later.

Assumed: the plan's event follows the price's, and `plan.updated` comes only where what a plan shows has changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from ..books.items import plan_of
from ..events import emit, recorded
from ..store import Object, State


def tell(state: State, price: Object, what: str) -> None:
    """Announce that the price, and with it the plan, was `created` or `deleted`."""
    emit(state, f"price.{what}", price)
    if price["recurring"]:
        emit(state, f"plan.{what}", plan_of(price))


@contextmanager
def changes(state: State, price: Object) -> Iterator[None]:
    """Announce what the block changed in the price, and in the plan."""
    if not price["recurring"]:
        with recorded(state, price, "price.updated"):
            yield
        return
    plan = plan_of(price)
    with recorded(state, plan, "plan.updated"):
        with recorded(state, price, "price.updated"):
            yield
        plan.update(plan_of(price))

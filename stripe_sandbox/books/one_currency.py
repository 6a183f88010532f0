"""A customer has one currency at a time: what they subscribe to, what waits for them and what they are about to
subscribe to is all in one."""

from collections.abc import Callable, Iterator

from ..errors import invalid
from ..store import Object, State
from . import standing

# That a quote holds the currency once it is finalized is assumed.
HOLDING: dict[str, Callable[[Object], bool]] = {
    "subscription": lambda row: not standing.is_over(row),
    "invoiceitem": lambda row: row["invoice"] is None,
    "quote": lambda row: row["status"] == "open",
    "checkout.session": lambda row: row["status"] == "open" and row["mode"] == "subscription",
}


def check(state: State, customer: Object, currency: str, param: str = "currency") -> None:
    """Refuse a second currency, in Stripe's words as users report them."""
    other = next((used for used in _held(state, customer) if used != currency), None)
    if other:
        raise invalid(
            "You cannot combine currencies on a single customer. This customer has an active subscription, "
            "subscription schedule, discount, quote, invoice item or active subscription mode checkout session with "
            f"currency {other}.",
            param,
        )


def _held(state: State, customer: Object) -> Iterator[str]:
    for kind, is_held in HOLDING.items():
        rows = state.table(kind).read_where("customer", customer["id"])
        yield from (row["currency"] for row in rows if is_held(row) and row["currency"])
    for schedule in state.table("subscription_schedule").read_where("customer", customer["id"]):
        if schedule["status"] in ("not_started", "active"):
            yield from (phase["currency"] for phase in schedule["phases"])
    if customer["discount"]:
        coupon = state.find("coupon", customer["discount"]["source"]["coupon"])
        yield from (row["currency"] for row in [coupon] if row and row["currency"])

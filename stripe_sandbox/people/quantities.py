"""A buyer adjusts the quantities of a Checkout's lines, and adds the items that are optional."""

from typing import Any

from ..books import items, pricing
from ..errors import ApiError, invalid, missing_resource
from ..http.contract import Params
from ..store import Object, State
from . import sessions, totals

MOST_OPTIONAL, LARGEST, DEFAULT_LEAST, DEFAULT_MOST = 10, 999_999, 0, 99


def adjustable(given: Params | None, quantity: int, path: str) -> Object | None:
    """Return how far a buyer may change a quantity, with Stripe's defaults."""
    if quantity < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", f"{path}[quantity]", "parameter_invalid_integer"
        )
    if not given or not given["enabled"]:
        return None
    least, most = given.get("minimum", DEFAULT_LEAST), given.get("maximum", DEFAULT_MOST)
    if most > LARGEST:
        raise invalid(f"The maximum quantity is at most {LARGEST}.", f"{path}[adjustable_quantity][maximum]")
    if not 0 <= least <= quantity <= most:
        raise invalid(
            f"The quantity must be between the minimum ({least}) and the maximum ({most}) of `adjustable_quantity`.",
            f"{path}[quantity]",
        )
    return {"enabled": True, "maximum": most, "minimum": least}


def optional(state: State, given: list[Params]) -> list[Object]:
    if len(given) > MOST_OPTIONAL:
        raise invalid(f"A Checkout Session has at most {MOST_OPTIONAL} optional items.", "optional_items")
    return [_optional(state, entry, f"optional_items[{index}]") for index, entry in enumerate(given)]


def _optional(state: State, given: Params, path: str) -> Object:
    if pricing.is_metered(state.get("price", given["price"], f"{path}[price]")):
        items.refuse_quantity(given, f"{path}[quantity]")
    bounds = adjustable(given.get("adjustable_quantity"), given["quantity"], path)
    return {"adjustable_quantity": bounds, "price": given["price"], "quantity": given["quantity"]}


def change(state: State, session: Object, wanted: dict[str, Any]) -> None:
    """Set the quantities of lines, by line or price, and of optional items, by price; 0 leaves one out.

    Nothing is changed where one of them is refused.
    """
    note = state.note(session["id"])
    before = [dict(row) for row in note["items"]]
    try:
        for name, quantity in wanted.items():
            _set(state, session, name, _whole(quantity))
    except ApiError:
        note["items"] = before
        raise
    totals.recount(state, session)


def _whole(given: Any) -> int:
    if isinstance(given, bool) or not str(given).isdigit():
        raise invalid(f"Invalid integer: {given}", "quantities", "parameter_invalid_integer")
    return int(given)


def _set(state: State, session: Object, name: str, quantity: int) -> None:
    rows = state.note(session["id"])["items"]
    row = next((row for row in rows if name in (row["id"], row["price"]["id"])), None)
    row = row or _added(state, session, name)
    if quantity == row["quantity"]:
        return
    if quantity or not state.note(row["id"]).get("optional"):
        _check(rows, row, quantity)
    if quantity:
        row["quantity"] = quantity
    else:
        rows.remove(row)


def _added(state: State, session: Object, price: str) -> Object:
    """Add an optional item to the lines."""
    offered = next((entry for entry in session.get("optional_items") or [] if entry["price"] == price), None)
    if offered is None:
        raise missing_resource("item", price, "quantities")
    row = sessions.line(state, offered, session["currency"], session["mode"])
    state.note(row["id"])["optional"] = True
    state.note(session["id"])["items"].append(row)
    return row


def _check(rows: list[Object], row: Object, quantity: int) -> None:
    bounds = row["adjustable_quantity"]
    if bounds is None:
        raise invalid(f"The quantity of {row['description']} cannot be changed.", "quantities")
    if not bounds["minimum"] <= quantity <= bounds["maximum"]:
        raise invalid(
            f"The quantity of {row['description']} is between {bounds['minimum']} and {bounds['maximum']}.",
            "quantities",
        )
    rest = [other for other in rows if other is not row]
    lasting = any(other["price"]["recurring"] for other in rest) or not row["price"]["recurring"]
    if not quantity and (not rest or not lasting):
        raise invalid("The last item of a Checkout cannot be left out.", "quantities")


def check_rhythm(state: State, session: Object) -> None:
    """What is bought and what may be added recurs in one rhythm."""
    prices = [row["price"] for row in state.note(session["id"])["items"]]
    prices += [state.get("price", entry["price"]) for entry in session.get("optional_items") or []]
    items.check_rhythm(prices, "optional_items")

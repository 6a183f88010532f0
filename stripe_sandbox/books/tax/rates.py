"""Tax rates are made by hand, or by automatic tax: a rate of the table, archived from the start."""

import json
from decimal import Decimal
from typing import Any

from ...errors import invalid
from ...http.blanks import blank
from ...store import Object, State
from . import table
from .table import Location

KIND = "tax_rate"
AUTOMATIC = "automatic_tax_rates"
MOST = 5


def new(state: State, percentage: float, inclusive: bool, /, **values: Any) -> Object:
    return state.put(
        blank(
            KIND,
            state.new_id("txr"),
            **{
                "active": True,
                "created": state.now(),
                "inclusive": inclusive,
                "livemode": False,
                "metadata": {},
                "percentage": float(percentage),
                "rate_type": "percentage",
                **values,
            },
        )
    )


def chosen(state: State, ids: Any, param: str) -> list[Object]:
    """Return copies of the rates with these ids, or that are given as they are: more than five are refused."""
    if len(ids or []) > MOST:
        raise invalid(f"You may apply at most {MOST} tax rates.", param)
    return [dict(each) if isinstance(each, dict) else _active(state, each, param) for each in ids or []]


def _active(state: State, identifier: str, param: str) -> Object:
    row = state.get(KIND, identifier, param)
    if not row["active"]:
        raise invalid(f"The tax rate {identifier} is archived: it cannot be applied any more.", param)
    return dict(row)


def refuse_both(automatic: bool, given: bool, param: str = "automatic_tax") -> None:
    """Refuse rates by hand where tax is automatic (the SDK says that they are incompatible)."""
    if automatic and given:
        raise invalid("Automatic tax cannot be combined with tax rates that are set by hand.", param)


def automatic(state: State, entry: Object | None, place: Location, inclusive: bool) -> Object:
    """Return the rate of an entry of the table at a place, made at its first use; of no entry, a rate of nothing."""
    found = entry or {"country": place.country, "state": place.state, "percentage": 0}
    percentage = float(Decimal(str(found["percentage"])))
    kind, where = table.type_of(found), found.get("state") or found["country"]
    key = json.dumps([found["country"], found.get("state"), percentage, kind, table.name_of(found), inclusive])
    made = state.note(AUTOMATIC)
    if key not in made:
        named = {"country": found["country"], "state": found.get("state"), "tax_type": kind, "jurisdiction": where}
        level = "state" if found.get("state") else "country"
        made[key] = new(
            state, percentage, inclusive, active=False, display_name=table.name_of(found),
            description=f"{table.name_of(found)} {where}", effective_percentage=percentage, jurisdiction_level=level,
            **named,
        )["id"]  # fmt: skip
    return state.get(KIND, made[key])

"""These routes list events, the newest first; each is kept 30 days."""

from typing import Any

from ..errors import invalid
from ..events import KEPT, shown
from ..http.contract import Params
from ..http.listing import page
from ..http.routing import api
from ..store import Object, State

MOST_TYPES = 20


@api.add("GET", "/v1/events/{event}", "EventRetrieveParams")
def retrieve(state: State, event: str, params: Params) -> Object:
    return shown(state.get("event", event))


@api.add("GET", "/v1/events", "EventListParams", "created delivery_success type types")
def list_all(state: State, params: Params) -> Object:
    types = params.get("types")
    if types and "type" in params:
        raise invalid("You may only specify one of these parameters: type, types.", "type")
    if types and len(types) > MOST_TYPES:
        raise invalid(f"You may name at most {MOST_TYPES} types.", "types")
    wanted = types or ([params["type"]] if "type" in params else None)
    oldest = state.now() - KEPT

    def keep(row: Object) -> bool:
        return row["created"] >= oldest and _has_type(row, wanted) and _delivered(row, params)

    found = page(state, "event", "/v1/events", params, keep, ids=_narrowed(state, wanted, params))
    return {**found, "data": [shown(row) for row in found["data"]]}


def _narrowed(state: State, wanted: list[str] | None, params: Params) -> list[str] | None:
    """Return the ids of undelivered events, or of events of rare types, by their index; None to walk over all."""
    if params.get("delivery_success") is False:
        return list(state.undelivered)
    table = state.table("event")
    if wanted is None or any(name.endswith("*") for name in wanted):
        return None
    is_rare = table.count_where("type", *wanted) * 20 < len(table.rows)
    return table.ids_where("type", *wanted) if is_rare else None


def _has_type(row: Object, wanted: list[str] | None) -> bool:
    """Return whether the event has a type, given by name or by family: `customer.*`."""
    if wanted is None:
        return True
    return any(row["type"] == name or (name.endswith("*") and row["type"].startswith(name[:-1])) for name in wanted)


def _delivered(row: Object, params: dict[str, Any]) -> bool:
    return "delivery_success" not in params or params["delivery_success"] == (row["pending_webhooks"] == 0)

"""Thin events are listed and read here, each with its data; they are kept 30 days."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from .. import thin_events
from ..errors import invalid
from ..events import iso
from ..http import listing
from ..http.contract import Params
from ..http.routing import api
from ..store import Object, State

PATH = "/v2/core/events"
COVERED = "limit types object_id created.gt created.gte created.lt created.lte"
BOUNDS = {"gt": str.__gt__, "gte": str.__ge__, "lt": str.__lt__, "lte": str.__le__}


@api.add("GET", PATH + "/{event}", "v2.core.EventRetrieveParams")
def retrieve(state: State, event: str, params: Params) -> Object:
    return state.get(thin_events.KIND, event)


@api.add("GET", PATH, "v2.core.EventListParams", COVERED, "page")
def list_all(state: State, params: Params) -> dict[str, Any]:
    """Return a page, the newest first, with the address of the next one."""
    limit, skipped = params.get("limit", 20), listing.skipped(params)
    if not 1 <= limit <= 100:
        raise invalid(f"Invalid integer: {limit}. The limit is between 1 and 100.", "limit")
    bounds = {name: _normal(value) for name, value in (params.get("created") or {}).items()}
    rows = [row for row in state.table(thin_events.KIND).newest_first() if _is_wanted(row, params, bounds)]
    shown = rows[skipped : skipped + limit]
    return {
        "data": shown,
        "next_page_url": _url(params, skipped + limit) if skipped + limit < len(rows) else None,
        "previous_page_url": _url(params, max(skipped - limit, 0)) if skipped else None,
    }


def _normal(given: str) -> str:
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        raise invalid(f"Invalid timestamp: {given}", "created") from None
    return iso(int(at.astimezone(UTC).timestamp()))


def _is_wanted(row: Object, params: Params, bounds: dict[str, str]) -> bool:
    is_within = all(BOUNDS[name](row["created"], value) for name, value in bounds.items())
    is_about = params.get("object_id") in (None, (row.get("related_object") or {}).get("id"))
    return is_within and is_about and row["type"] in params.get("types", [row["type"]])


def _url(params: Params, skipped: int) -> str:
    kept: dict[str, Any] = {name: params[name] for name in ("limit", "object_id") if name in params}
    kept |= {f"types[{index}]": name for index, name in enumerate(params.get("types", []))}
    kept |= {f"created[{name}]": value for name, value in (params.get("created") or {}).items()}
    return f"{PATH}?{urlencode({**kept, 'page': skipped})}"

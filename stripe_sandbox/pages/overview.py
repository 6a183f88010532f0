"""The first page shows the sandbox live: buttons, objects, the latest events, deliveries and API calls."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from ..errors import ApiError
from ..http.messages import Request, Response
from ..store import Object, State
from . import acts, details, said
from .acting import sections as acting_sections
from .rendering import moment, page

SHOWN, MANY = 12, 200
TABS = {"": "Overview", "objects": "Objects", "events": "Events", "deliveries": "Deliveries", "calls": "API calls"}
Section = dict[str, Any]


def answer(state: State, request: Request, rest: list[str]) -> Response:
    """Answer `/`, a tab, a kind of objects, or one object with its JSON."""
    room, *names = rest
    if room == "act":
        return acts.answer(state, request, names)
    if room not in TABS or len(names) > 1:
        raise ApiError(404, "There is no such page.")
    if not names:
        acting = [] if room else acting_sections(state)
        shown = [section(state) for section in SECTIONS[room]]
        return _page(state, room, [*acting, *shown], is_live=True, **said.read(request.query))
    if room == "objects" and names[0] in state.tables:
        return _page(state, room, [_rows_of(state, names[0])], is_live=True)
    return _page(state, room, details.SECTIONS[room](state, names[0]), title=names[0])


def _page(
    state: State, room: str, sections: list[Section], title: str = "", is_live: bool = False, **message: Any
) -> Response:
    tabs = [{"href": f"/{name}", "words": words, "is_here": name == room} for name, words in TABS.items()]
    now = moment(state.now())
    title = title or TABS[room]
    return page("overview.html", title=title, tabs=tabs, now=now, sections=sections, is_live=is_live, **message)


def _objects(state: State) -> Section:
    kinds = [{"name": kind, "count": len(table.rows)} for kind, table in sorted(state.tables.items()) if table.rows]
    return {"title": "Objects", "kinds": kinds}


def _rows_of(state: State, kind: str) -> Section:
    rows = islice(state.table(kind).newest_first(), MANY)
    return {"title": kind, "columns": ["Id", "Created", "Is"], "rows": [_object(row) for row in rows]}


def _object(row: Object) -> list[Object]:
    kind = "events" if row["object"] == "event" else "objects"
    words = row.get("status") or row.get("type") or row.get("email") or row.get("name") or row.get("url")
    made = moment(row["created"]) if "created" in row else ""
    return [_link(row["id"], f"/{kind}/{row['id']}"), {"words": made}, {"words": words or ""}]


def _events(state: State, most: int = SHOWN) -> Section:
    rows = [
        [{"words": moment(row["created"])}, _link(row["type"], f"/events/{row['id']}"), {"words": row["id"]},
         {"words": row["pending_webhooks"] or ""}]
        for row in islice(state.table("event").newest_first(), most)
    ]  # fmt: skip
    columns = ["Created", "Type", "Id", "Undelivered"]
    return {"title": "Events", "columns": columns, "rows": rows, "href": _all("events", most)}


def _deliveries(state: State, most: int = SHOWN) -> Section:
    rows = [_delivery(row) for row in _latest(state.deliveries, most)]
    columns = ["At (wall clock)", "Type", "Answer", "Attempt", "To"]
    return {"title": "Deliveries", "columns": columns, "rows": rows, "href": _all("deliveries", most)}


def _delivery(row: Object) -> list[Object]:
    is_good = row["status"] is not None and 200 <= row["status"] < 300
    outcome = {"words": row["status"] or row["error"], "tag": "ok" if is_good else "failed"}
    attempt = f"{row['attempt']}{' (duplicate)' if row['copy'] > 1 else ''}"
    link = _link(row["type"], f"/deliveries/{details.name_of(row)}")
    return [{"words": moment(row["at"])}, link, outcome, {"words": attempt}, {"words": row["url"]}]


def _calls(state: State, most: int = SHOWN) -> Section:
    rows = [_call(row) for row in _latest(state.log, most)]
    columns = ["At", "Call", "Answer", "Request"]
    return {"title": "API calls", "columns": columns, "rows": rows, "href": _all("calls", most)}


def _call(row: Object) -> list[Object]:
    status = row["response"].status
    answer = {"words": status, "tag": "ok" if status < 400 else "failed"}
    link = _link(f"{row['method']} {row['path']}", f"/calls/{row['id']}")
    return [{"words": moment(row["at"])}, link, answer, {"words": row["id"]}]


def _latest(rows: Any, most: int) -> Iterable[Object]:
    return islice(reversed(rows), most)


def _link(words: str, href: str) -> Object:
    return {"words": words, "href": href}


def _all(room: str, most: int) -> str:
    return f"/{room}" if most == SHOWN else ""


SECTIONS = {
    "": (_objects, _events, _deliveries, _calls),
    "objects": (_objects,),
    "events": (lambda state: _events(state, MANY),),
    "deliveries": (lambda state: _deliveries(state, MANY),),
    "calls": (lambda state: _calls(state, MANY),),
}

"""These pages show an object, event, delivery or API call as JSON, with links from ids to their objects."""

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from markupsafe import escape

from ..errors import ApiError
from ..events import shown
from ..store import Object, State

Section = dict[str, Any]
QUOTED_ID = re.compile(r"&#34;([a-z]+_[A-Za-z0-9_]{10,})&#34;")


def name_of(delivery: Object) -> str:
    return f"{delivery['event']}.{delivery['attempt']}.{delivery['copy']}.{delivery['at']}"


def an_object(state: State, identifier: str) -> list[Section]:
    row = _found(state, identifier)
    if row is None:
        raise ApiError(404, "There is no such object.")
    return [_json(state, f"{row['object']} {identifier}", shown(row) if row["object"] == "event" else row)]


def an_event(state: State, identifier: str) -> list[Section]:
    event = state.get("event", identifier)
    sent = [row for row in state.deliveries if row["event"] == identifier]
    return [_json(state, event["type"], shown(event)), *(_json(state, _delivered(row), row) for row in sent)]


def a_delivery(state: State, name: str) -> list[Section]:
    for row in state.deliveries:
        if name_of(row) == name:
            event = state.find("event", row["event"])
            body = [_json(state, "What was posted", shown(event))] if event else []
            return [_json(state, _delivered(row), row), *body]
    raise ApiError(404, "There is no such delivery.")


def a_call(state: State, identifier: str) -> list[Section]:
    for row in state.log:
        if row["id"] == identifier:
            given = parse_qsl("&".join(part for part in (row["query"], row["body"].decode(errors="replace")) if part))
            answer = row["response"]
            return [
                _json(state, f"{row['method']} {row['path']}", dict(given)),
                _json(state, f"Answered {answer.status}", json.loads(answer.body)),
                _json(state, "Headers", answer.headers),
            ]
    raise ApiError(404, "There is no such call among the latest 500.")


def _delivered(row: Object) -> str:
    return f"Attempt {row['attempt']} to {row['url']}: {row['status'] or row['error']}"


def _found(state: State, identifier: str) -> Object | None:
    return next((row for table in state.tables.values() if (row := table.rows.get(identifier))), None)


def _json(state: State, title: str, value: Any) -> Section:
    def linked(found: re.Match[str]) -> str:
        name = found[1]
        return f'&#34;<a href="/objects/{name}">{name}</a>&#34;' if _found(state, name) else found[0]

    text = str(escape(json.dumps(value, indent=2, ensure_ascii=False)))
    return {"title": title, "json": QUOTED_ID.sub(linked, text)}


SECTIONS = {"objects": an_object, "events": an_event, "deliveries": a_delivery, "calls": a_call}

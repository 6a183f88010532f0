"""A thin event says that something happened to an object; a client that wants to know more asks for it
(https://docs.stripe.com/event-destinations#thin-payload)."""

from typing import Any

from .events import iso, targets, wants
from .store import Object, State

KIND = "v2.core.event"


def emit(
    state: State, kind: str, data: Object | None, related: Object | None = None, only_to: str | None = None
) -> Object:
    """Publish an event to those that want it, or to one destination alone."""
    row: dict[str, Any] = {
        "id": state.new_id("evt_test", 48),
        "object": KIND,
        "context": None,
        "created": iso(state.clock.outside if state.clock.outside is not None else state.now()),
        "livemode": False,
        "reason": None,
        "type": kind,
    }
    if data is not None:
        row["data"] = data
    if related is not None:
        path = related["object"].replace(".", "/")
        url = f"/{path if path.startswith('v2/') else f'v1/{path}'}s/{related['id']}"
        row["related_object"] = {"id": related["id"], "type": related["object"], "url": url}
    state.put(row)
    state.note(row["id"]).update(only_to=only_to, reached=[])
    state.note(row["id"])["pending_webhooks"] = sum(1 for target in targets(state) if is_for(state, target, row))
    state.published.append(row)
    return row


def is_for(state: State, target: dict[str, Any], row: Object) -> bool:
    """Return whether an event, thin or not, goes to a target."""
    only = state.notes.get(row["id"], {}).get("only_to")
    return bool(target["id"] == only) if only else wants(target, row["type"])


def notification(row: Object) -> Object:
    """Return what is delivered: the event without its data."""
    return {name: value for name, value in row.items() if name != "data"}

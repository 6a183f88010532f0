"""An event keeps its object as it was at that moment, and what an update changed."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from .http.embedding import shortened
from .store import Object, State, Table
from .versions import API_VERSION

KEPT = 30 * 86400
THIN = ("v1.", "v2.")
Follower = Callable[[State, str, str], None]
FOLLOWERS: list[Follower] = []  # called with each published event's type and snapshot


def emit(state: State, kind: str, obj: Object, previous: dict[str, Any] | None = None) -> None:
    entry = {"type": kind, "snapshot": json.dumps(obj), "previous": previous}
    if state.held is not None:
        state.held.append(entry)
    else:
        _publish(state, entry)


def _publish(state: State, entry: dict[str, Any]) -> None:
    waiting = sum(1 for target in targets(state) if wants(target, entry["type"]))
    row = {
        "id": state.new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": state.clock.outside if state.clock.outside is not None else state.now(),
        "livemode": False,
        "pending_webhooks": waiting,
        "request": dict(state.request),
        "reached": [],
        **entry,
    }
    state.put(row)
    state.published.append(row)
    if waiting:
        state.undelivered[row["id"]] = None
    for follow in FOLLOWERS:
        follow(state, entry["type"], entry["snapshot"])


def iso(instant: int) -> str:
    """Return an instant as the second API writes it."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def shown(row: Object) -> Object:
    """Return the event as the API answers and delivers it."""
    event = {name: value for name, value in row.items() if name not in {"snapshot", "previous", "reached"}}
    event["data"] = {"object": shortened(json.loads(row["snapshot"]))}
    if row["previous"] is not None:
        event["data"]["previous_attributes"] = row["previous"]
    return event


@contextmanager
def recorded(state: State, obj: Object, kind: str) -> Iterator[Object]:
    """Announce what the block changed in `obj`; announce nothing if it changed nothing."""
    before = json.loads(json.dumps(obj))
    yield obj
    previous = difference(before, obj)
    if previous:
        emit(state, kind, obj, previous)


@contextmanager
def in_order(state: State, order: Sequence[str]) -> Iterator[None]:
    """Publish the block's events in Stripe's observed order; a failed block publishes what it did before failing."""
    held: list[dict[str, Any]] = []
    outer, state.held = state.held, held
    try:
        yield
    finally:
        state.held = outer
        rank = {kind: index for index, kind in enumerate(order)}
        for entry in sorted(held, key=lambda e: rank.get(e["type"], len(rank))):
            if outer is not None:
                outer.append(entry)
            else:
                _publish(state, entry)


def forget(state: State, kind: str, obj: Object) -> None:
    """Take back the events of an object in the surrounding block, which announces the object as a whole at its end."""
    if state.held is not None:
        state.held[:] = [
            entry for entry in state.held if entry["type"] != kind or json.loads(entry["snapshot"])["id"] != obj["id"]
        ]


def difference(before: Any, after: Any) -> dict[str, Any]:
    """Return the earlier values of what changed; objects are compared key by key, lists as a whole."""
    changed: dict[str, Any] = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        both = isinstance(old, dict) and isinstance(new, dict)
        changed[name] = difference(old, new) if both else old
    return changed


def targets(state: State) -> list[dict[str, Any]]:
    """Return where events go: the enabled endpoints and destinations, and the addresses given by --forward and
    --forward-thin."""
    endpoints = [
        {"id": row["id"], "url": row["url"], "events": row["enabled_events"], "secret": state.note(row["id"])["secret"]}
        for row in state.table("webhook_endpoint").rows.values()
        if row["status"] == "enabled"
    ]
    endpoints += [
        {"id": row["id"], "events": row["enabled_events"], "payload": row["event_payload"], **state.note(row["id"])}
        for row in state.table("v2.core.event_destination").rows.values()
        if row["status"] == "enabled"
    ]
    if state.forward:
        endpoints.append({"id": "forward", "url": state.forward, "events": ["*"], "secret": state.webhook_secret})
    if state.forward_thin:
        thin = {"id": "forward_thin", "url": state.forward_thin, "events": ["*"], "payload": "thin"}
        endpoints.append({**thin, "secret": state.webhook_secret})
    return endpoints


def wants(target: dict[str, Any], kind: str) -> bool:
    """Return whether the target takes events of this type."""
    return has_form(target, kind) and ("*" in target["events"] or kind in target["events"])


def has_form(target: dict[str, Any], kind: str) -> bool:
    """Return whether the target takes events of this form: a thin one goes only where thin payloads are asked for."""
    return kind.startswith(THIN) == (target.get("payload") == "thin")


def forget_old(state: State) -> None:
    """Delete events after 30 days, as Stripe does."""
    oldest = state.now() - KEPT
    for kind in ("event", "v2.core.event"):
        _forget(state, state.table(kind), oldest if kind == "event" else iso(oldest))


def _forget(state: State, table: Table, oldest: int | str) -> None:
    gone = []
    for row in table.rows.values():
        if row["created"] >= oldest:
            break
        gone.append(row["id"])
    for identifier in gone:
        table.remove(identifier)
        state.undelivered.pop(identifier, None)

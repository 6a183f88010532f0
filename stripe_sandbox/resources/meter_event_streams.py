"""Meter events are reported in version 2 of the API: one by one, examined at once, or by the hundred in a session of
fifteen minutes, examined afterwards."""

import hashlib
from datetime import datetime
from typing import Any

from ..books import meter_events
from ..books.meter_events import Wrong
from ..errors import ApiError, invalid
from ..events import iso
from ..http.contract import Params
from ..http.routing import api
from ..store import Object, State
from . import meter_events as first_version

SESSIONS, LASTS, MOST = "meter event sessions", 15 * 60, 100
NOTHING: set[str] = set()
STREAM = "/v2/billing/meter_event_stream"
EVENT = "event_name identifier payload timestamp"


@api.add("POST", "/v2/billing/meter_events", "v2.billing.MeterEventCreateParams", EVENT)
def create(state: State, params: Params) -> Object:
    event = first_version.read(state, params, _instant(params))
    try:
        timestamp = meter_events.take(state, event, None)
    except Wrong as wrong:
        raise invalid(wrong.message, None, wrong.code) from None
    times = {"created": iso(state.now()), "timestamp": iso(timestamp)}
    return {"object": "v2.billing.meter_event", "livemode": False, **first_version.shown(event), **times}


def _instant(params: dict[str, Any]) -> int | None:
    given = params.get("timestamp")
    try:
        return None if given is None else int(datetime.fromisoformat(given).timestamp())
    except ValueError:
        raise invalid(f"Invalid timestamp: {given}", "timestamp") from None


@api.add("POST", "/v2/billing/meter_event_adjustments", "v2.billing.MeterEventAdjustmentCreateParams",
         first_version.ADJUSTMENT)  # fmt: skip
def adjust(state: State, params: Params) -> Object:
    made = {"id": state.new_id("mtr_event_adj_test", 32), "object": "v2.billing.meter_event_adjustment"}
    return {**made, "created": iso(state.now()), "livemode": False, **first_version.canceled(state, params)}


@api.add("POST", "/v2/billing/meter_event_session", "v2.billing.MeterEventSessionCreateParams")
def begin_session(state: State, params: Params) -> Object:
    identifier = state.new_id("mes_test", 32)
    token = "token_" + hashlib.sha256(f"{state.seed}:{identifier}".encode()).hexdigest()
    state.note(SESSIONS)[token] = state.now() + LASTS
    return {
        "id": identifier,
        "object": "v2.billing.meter_event_session",
        "authentication_token": token,
        "created": iso(state.now()),
        "expires_at": iso(state.now() + LASTS),
        "livemode": False,
    }


def check_session(state: State, token: str) -> None:
    """A stream is opened by the token of a session, not by a key."""
    until = state.note(SESSIONS).get(token)
    if until is None:
        raise ApiError(401, "Meter event streams are for the authentication token of a meter event session.")
    if until <= state.now():
        message = "The billing meter event session has expired. Make a new one."
        raise ApiError(400, message, "temporary_session_expired", code="billing_meter_event_session_expired")


@api.add(
    "POST", STREAM, "v2.billing.MeterEventStreamCreateParams", " ".join(f"events.{name}" for name in EVENT.split())
)
def stream(state: State, params: Params) -> Object:
    """Take every event; one that is wrong, or whose identifier was used before, bills nothing."""
    if not 1 <= len(params["events"]) <= MOST:
        raise invalid(f"A request has between 1 and {MOST} events.", "events")
    for entry in params["events"]:
        try:
            event = first_version.read(state, entry, _instant(entry))
        except ApiError:
            continue
        meter_events.take(state, event, NOTHING)
    return {}

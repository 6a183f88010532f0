"""Clients report meter events here, and may cancel each within a day."""

from typing import Any

from ..books import meter_events
from ..books.meter_events import Event, Wrong
from ..errors import ApiError, invalid, missing_parameter
from ..http.contract import Params
from ..http.routing import api
from ..store import Object, State

LONGEST = 100
ADJUSTMENT = "cancel.identifier event_name type"


@api.add(
    "POST", "/v1/billing/meter_events", "billing.MeterEventCreateParams", "event_name identifier payload timestamp"
)
def create(state: State, params: Params) -> Object:
    """Refuse what is refused at once; an unknown customer or a value that is none is reported later."""
    event = read(state, params, params.get("timestamp"))
    try:
        timestamp = meter_events.take(state, event, meter_events.AT_ONCE)
    except Wrong as wrong:
        raise _refusal(event, wrong) from None
    return {
        "object": "billing.meter_event",
        "created": state.now(),
        "livemode": False,
        **shown(event),
        "timestamp": timestamp,
    }


def read(state: State, params: dict[str, Any], timestamp: int | None) -> Event:
    """Return the event, whose identifier was not used within a day."""
    identifier = params.get("identifier") or state.new_id("mtrevt", 32)
    if len(identifier) > LONGEST:
        raise invalid(f"An identifier has at most {LONGEST} characters.", "identifier")
    meter_events.check_unused(state, identifier)
    return Event(params["event_name"], params["payload"], identifier, timestamp)


def shown(event: Event) -> dict[str, Any]:
    return {"event_name": event.event_name, "identifier": event.identifier, "payload": dict(event.payload)}


def _refusal(event: Event, wrong: Wrong) -> ApiError:
    if wrong.code in ("no_meter", "archived_meter"):
        return invalid(f'No active meter found for event name "{event.event_name}".', "event_name")
    return invalid(wrong.message, "timestamp", wrong.code)


@api.add("POST", "/v1/billing/meter_event_adjustments", "billing.MeterEventAdjustmentCreateParams", ADJUSTMENT)
def adjust(state: State, params: Params) -> Object:
    return {"object": "billing.meter_event_adjustment", "livemode": False, **canceled(state, params)}


def canceled(state: State, params: Params) -> dict[str, Any]:
    """Cancel an event; Stripe works through the adjustment afterwards, so that it is pending at first."""
    identifier = (params.get("cancel") or {}).get("identifier")
    if not identifier:
        raise missing_parameter("cancel[identifier]")
    meter_events.cancel(state, params["event_name"], identifier)
    named = {"cancel": {"identifier": identifier}, "event_name": params["event_name"]}
    return {**named, "status": "pending", "type": params["type"]}

"""Meter events are taken, examined and filed; what is wrong with one is refused at once or reported later.

Version 1 refuses an unknown event name, an identifier that was used, and a time out of bounds; the rest it examines
afterwards. Version 2 refuses all of it, and its stream none (the SDK says so).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from ..errors import ApiError, invalid
from ..store import Object, State
from . import clocks, meter_errors, metering, thresholds
from .periods import DAY

OLDEST, AHEAD, UNIQUE = 35 * DAY, 5 * 60, DAY
RECEIVED = "meter events"
MOST_DIGITS, MOST_DECIMALS = 15, 12
AT_ONCE = {"no_meter", "archived_meter", "timestamp_too_far_in_past", "timestamp_in_future"}


@dataclass(frozen=True)
class Event:
    event_name: str
    payload: Mapping[str, str]
    identifier: str
    timestamp: int | None


class Wrong(Exception):
    """An event cannot be filed; `code` is that of the error reports."""

    def __init__(self, code: str, message: str, meter: Object | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.meter = code, message, meter


def take(state: State, event: Event, refused: set[str] | None) -> int:
    """File an event and return its time. What is wrong is raised if its code is in `refused` (None: every code),
    otherwise reported later."""
    timestamp = event.timestamp
    try:
        meter = _meter(state, event.event_name)
        customer = _customer(state, meter, event.payload)
        with clocks.within(state, customer["test_clock"]):
            timestamp = state.now() if timestamp is None else timestamp
            _check_time(state, meter, timestamp)
            metering.record(state, meter, customer["id"], timestamp, _value(meter, event.payload), event.identifier)
            thresholds.after_usage(state, meter["id"], customer["id"])
        _remember(state, event, timestamp, meter["id"], customer["id"])
    except Wrong as wrong:
        if refused is None or wrong.code in refused:
            raise
        meter_errors.note(state, wrong.meter, wrong.code, wrong.message, event.identifier)
        timestamp = state.now() if timestamp is None else timestamp
        _remember(state, event, timestamp, None, None)
    return timestamp


def by_name(state: State, name: str, status: str = "active") -> Object | None:
    """Return the latest meter for an event name; at most one is active."""
    rows = state.table("billing.meter").where("event_name", name)
    return next((row for row in reversed(rows) if row["status"] == status), None)


def _meter(state: State, name: str) -> Object:
    meter = by_name(state, name)
    if meter is None and (archived := by_name(state, name, "inactive")) is not None:
        raise Wrong("archived_meter", f"The meter for event_name {name} is archived.", archived)
    if meter is None:
        raise Wrong("no_meter", f"No meter was found matching event_name {name}.")
    return meter


def _customer(state: State, meter: Object, payload: Mapping[str, str]) -> Object:
    key = meter["customer_mapping"]["event_payload_key"]
    if not payload.get(key):
        raise Wrong("meter_event_no_customer_defined", f"Customer mapping key {key} not found in payload.", meter)
    customer = state.find("customer", payload[key])
    if customer is None:
        raise Wrong("meter_event_customer_not_found", f"No customer was found with the id {payload[key]}.", meter)
    return customer


def _check_time(state: State, meter: Object, timestamp: int) -> None:
    if timestamp < state.now() - OLDEST:
        raise Wrong("timestamp_too_far_in_past", "The timestamp must be within the past 35 calendar days.", meter)
    if timestamp > state.now() + AHEAD:
        raise Wrong("timestamp_in_future", "The timestamp must not be more than 5 minutes in the future.", meter)


def _value(meter: Object, payload: Mapping[str, str]) -> Decimal:
    """Return the usage; a meter that counts events needs none."""
    key = meter["value_settings"]["event_payload_key"]
    if meter["default_aggregation"]["formula"] == "count":
        return Decimal(1)
    if not payload.get(key):
        raise Wrong("meter_event_invalid_value", f"Value key {key} not found in payload.", meter)
    try:
        value = Decimal(payload[key])
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise Wrong("meter_event_invalid_value", f"The value {payload[key]} is not a number.", meter)
    decimals = -int(value.as_tuple().exponent)
    if decimals > MOST_DECIMALS or value.adjusted() >= MOST_DIGITS:
        raise Wrong("meter_event_value_too_many_digits", f"The value {payload[key]} has too many digits.", meter)
    return value


def check_unused(state: State, identifier: str) -> None:
    """Refuse an identifier that was received within a day."""
    received = state.note(RECEIVED)
    while received:
        oldest = next(iter(received))
        if state.now() - received[oldest]["received"] < UNIQUE:
            break
        del received[oldest]
    if identifier in received:
        raise duplicate(identifier)


def duplicate(identifier: str) -> ApiError:
    return invalid(f"An event already exists with identifier {identifier}.")


def _remember(state: State, event: Event, timestamp: int, meter: str | None, customer: str | None) -> None:
    state.note(RECEIVED)[event.identifier] = {
        "event_name": event.event_name,
        "timestamp": timestamp,
        "received": state.now(),
        "meter": meter,
        "customer": customer,
    }


def cancel(state: State, event_name: str, identifier: str) -> None:
    """Take back an event that was received within a day."""
    known = state.note(RECEIVED).get(identifier)
    if known is None or known["event_name"] != event_name or state.now() - known["received"] >= UNIQUE:
        raise invalid(
            f"No event was received within the last 24 hours for {event_name} with identifier {identifier}.",
            "cancel[identifier]",
            "resource_missing",
        )
    taken = known["meter"] and metering.cancel(state, known["meter"], known["customer"], known["timestamp"], identifier)
    if not taken:
        raise invalid(f"The event with identifier {identifier} does not count: it was canceled.", "cancel[identifier]")

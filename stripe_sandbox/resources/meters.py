"""Meters are made, changed, switched off and on again; their summaries say what a customer has used."""

import hashlib
from collections.abc import Iterator
from typing import Any

from ..books import meter_events, metering
from ..errors import invalid
from ..events import emit, recorded
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import of_list, page
from ..http.routing import api
from ..store import Object, State

KIND, PATH = "billing.meter", "/v1/billing/meters"
MAPPING = {"event_payload_key": "stripe_customer_id", "type": "by_id"}
LONGEST_NAME = 100


@api.add(
    "POST",
    PATH,
    "billing.MeterCreateParams",
    "display_name event_name default_aggregation.formula customer_mapping.event_payload_key customer_mapping.type "
    "value_settings.event_payload_key event_time_window",
)
def create(state: State, params: Params) -> Object:
    _check_name(state, params["event_name"])
    if len(params["event_name"]) > LONGEST_NAME:
        raise invalid(f"An event name has at most {LONGEST_NAME} characters.", "event_name")
    meter = blank(
        KIND,
        state.new_id("mtr_test", 36),
        created=state.now(),
        customer_mapping=params.get("customer_mapping") or dict(MAPPING),
        default_aggregation=params["default_aggregation"],
        display_name=params["display_name"],
        event_name=params["event_name"],
        event_time_window=params.get("event_time_window"),
        livemode=False,
        status="active",
        status_transitions={"deactivated_at": None},
        updated=state.now(),
        value_settings=params.get("value_settings") or {"event_payload_key": "value"},
    )
    emit(state, "billing.meter.created", state.put(meter))
    return meter


def _check_name(state: State, name: str) -> None:
    if meter_events.by_name(state, name) is not None:
        raise invalid(f"There is an active meter with the event name `{name}` already.", "event_name")


@api.add("GET", PATH + "/{meter}", "billing.MeterRetrieveParams")
def retrieve(state: State, meter: str, params: Params) -> Object:
    return state.get(KIND, meter)


@api.add("GET", PATH, "billing.MeterListParams", "status")
def list_all(state: State, params: Params) -> Object:
    return page(state, KIND, PATH, params, same="status")


@api.add("POST", PATH + "/{meter}", "billing.MeterUpdateParams", "display_name")
def update(state: State, meter: str, params: Params) -> Object:
    row = state.get(KIND, meter)
    with recorded(state, row, "billing.meter.updated"):
        row.update(display_name=params.get("display_name", row["display_name"]), updated=state.now())
    return row


@api.add("POST", PATH + "/{meter}/deactivate", "billing.MeterDeactivateParams")
def deactivate(state: State, meter: str, params: Params) -> Object:
    return _switch(state, state.get(KIND, meter), "inactive")


@api.add("POST", PATH + "/{meter}/reactivate", "billing.MeterReactivateParams")
def reactivate(state: State, meter: str, params: Params) -> Object:
    row = state.get(KIND, meter)
    if row["status"] != "active":
        _check_name(state, row["event_name"])
    return _switch(state, row, "active")


def _switch(state: State, row: Object, status: str) -> Object:
    if row["status"] == status:
        raise invalid(f"The meter {row['id']} is {status} already.")
    name = "deactivated" if status == "inactive" else "reactivated"
    with recorded(state, row, f"billing.meter.{name}"):
        row.update(status=status, updated=state.now())
        row["status_transitions"] = {"deactivated_at": state.now() if status == "inactive" else None}
    return row


@api.add(
    "GET",
    PATH + "/{meter}/event_summaries",
    "billing.MeterListEventSummariesParams",
    "customer start_time end_time value_grouping_window",
)
def list_summaries(state: State, meter: str, params: Params) -> Object:
    """Return the newest first: one for all, or one for each hour or day in which there was usage."""
    row = state.get(KIND, meter)
    customer = state.get("customer", params["customer"], "customer")
    window = params.get("value_grouping_window")
    _check_bounds(params, metering.WINDOWS[window] if window else 60, window or "minute")
    found = [_summary(state, row, customer["id"], *bounds) for bounds in _spans(state, row, params)]
    return of_list(found, params, f"{PATH}/{meter}/event_summaries")


def _check_bounds(params: Params, unit: int, name: str) -> None:
    for bound in ("start_time", "end_time"):
        if params[bound] % unit:
            raise invalid(f"`{bound}` must be aligned with {name} boundaries.", bound)
    if params["start_time"] >= params["end_time"]:
        raise invalid("`start_time` must be before `end_time`.", "start_time")


def _spans(state: State, meter: Object, params: Params) -> Iterator[tuple[int, int]]:
    start, end = params["start_time"], params["end_time"]
    if "value_grouping_window" not in params:
        yield start, end
        return
    step = metering.WINDOWS[params["value_grouping_window"]]
    times = metering.times(state, meter["id"], params["customer"], start, end)
    for at in sorted({time - time % step for time in times}, reverse=True):
        yield at, at + step


def _summary(state: State, meter: Object, customer: str, start: int, end: int) -> dict[str, Any]:
    value = metering.aggregated(state, meter, customer, start, end)
    digest = hashlib.sha256(f"{meter['id']}:{customer}:{start}:{end}".encode()).hexdigest()
    return {
        "id": f"mtrusg_test_{digest[:36]}",
        "object": "billing.meter_event_summary",
        "aggregated_value": int(value) if value == value.to_integral_value() else float(value),
        "end_time": end,
        "livemode": False,
        "meter": meter["id"],
        "start_time": start,
    }

"""Test clocks are created, read, advanced and deleted here."""

from typing import Any

from ..books import periods, standing
from ..books.clocks import KIND, within
from ..books.periods import DAY
from ..errors import ApiError, invalid
from ..events import emit
from ..http.blanks import blank
from ..http.contract import Params
from ..http.listing import page
from ..http.routing import api
from ..store import Object, State
from . import customers

PATH = "/v1/test_helpers/test_clocks"


@api.add("POST", PATH, "test_helpers.TestClockCreateParams", "frozen_time name")
def create(state: State, params: Params) -> Object:
    clock = blank(
        KIND,
        state.new_id("clock"),
        created=state.now(),
        deletes_after=state.now() + 30 * DAY,
        frozen_time=params["frozen_time"],
        livemode=False,
        name=params.get("name"),
        status="ready",
        status_details={"advancing": None},
    )
    state.put(clock)
    emit(state, f"{KIND}.created", clock)
    return clock


@api.add("GET", PATH, "test_helpers.TestClockListParams")
def list_all(state: State, params: Params) -> Object:
    return page(state, KIND, PATH, params)


@api.add("GET", PATH + "/{clock}", "test_helpers.TestClockRetrieveParams")
def retrieve(state: State, clock: str, params: Params) -> Object:
    return state.get(KIND, clock)


@api.add("POST", PATH + "/{clock}/advance", "test_helpers.TestClockAdvanceParams", "frozen_time")
def advance(state: State, clock: str, params: Params) -> Object:
    """Advance the clock. The answer says `advancing`; it is `ready` when all that fell due has happened, which here is
    at once."""
    row, to = state.get(KIND, clock), params["frozen_time"]
    if row["status"] != "ready":
        raise ApiError(429, f"The test clock {clock} is advancing already.", code="lock_timeout")
    if to <= row["frozen_time"]:
        raise invalid("The clock only goes forward: `frozen_time` must be later than it is now.", "frozen_time")
    if to > _furthest(state, row):
        raise invalid("A test clock advances at most two intervals of its shortest subscription, or two years.",
                      "frozen_time")  # fmt: skip
    row.update(status="advancing", status_details={"advancing": {"target_frozen_time": to}})
    emit(state, f"{KIND}.advancing", row)
    state.schedule(state.now(), "test_clock_advances", clock, str(to))
    return row


def _furthest(state: State, clock: Object) -> int:
    now = int(clock["frozen_time"])
    limits = [periods.add(now, "year", 2)]
    for customer in _customers(state, clock["id"]):
        for sub in state.table("subscription").where("customer", customer["id"]):
            if not standing.is_over(sub):
                recurring = sub["items"]["data"][0]["price"]["recurring"]
                limits.append(periods.add(now, recurring["interval"], 2 * recurring["interval_count"]))
    return min(limits)


def _customers(state: State, clock: str) -> list[Object]:
    return [row for row in state.table("customer").rows.values() if row["test_clock"] == clock]


@api.add("DELETE", PATH + "/{clock}", "test_helpers.TestClockDeleteParams")
def delete(state: State, clock: str, params: Params) -> Object:
    """Delete the clock with its customers, and their subscriptions."""
    row = state.get(KIND, clock)
    with within(state, clock):
        for customer in _customers(state, clock):
            customers.delete(state, customer["id"], {})
    emit(state, f"{KIND}.deleted", row)
    state.table(KIND).remove(clock)
    gone: dict[str, Any] = {"id": clock, "object": KIND, "deleted": True}
    return gone

"""Usage is filed by meter and customer in the order of its time, and added up over a span of it.

An event is `[timestamp, number, value, identifier]`; numbers rise with the receipt. What is canceled or replaced moves
to `gone`, with the number at which it went.
"""

from bisect import bisect_left, insort
from decimal import Decimal
from typing import Any

from ..store import Object, State
from .periods import DAY

HOUR = 3600
WINDOWS = {"hour": HOUR, "day": DAY}
Event = list[Any]


def log(state: State, meter: str, customer: str) -> dict[str, Any]:
    """Return the usage of a customer on a meter, as it is kept."""
    kept = state.note(f"{meter}/{customer}")
    if not kept:
        kept.update(events=[], gone=[], changed=0)
    return kept


def changed(state: State, meter: str, customer: str) -> int:
    """Return the number of the latest event that came or went."""
    return int(state.notes.get(f"{meter}/{customer}", {}).get("changed", 0))


def record(state: State, meter: Object, customer: str, timestamp: int, value: Decimal, identifier: str) -> None:
    """File an event. Where a meter takes values that are added up already, the latest of an hour or day replaces those
    before."""
    state.made += 1
    kept = log(state, meter["id"], customer)
    window = WINDOWS.get(meter["event_time_window"])
    if window:
        start = timestamp - timestamp % window
        for event in _within(kept["events"], start, start + window):
            _remove(state, kept, event)
    insort(kept["events"], [timestamp, state.made, str(value), identifier])
    kept["changed"] = state.made
    held = kept.get("sum")  # what was added up last, kept so that each event need not add up all again
    if held and held[0] <= timestamp < held[1]:
        held[3] = str(Decimal(held[3]) + value)


def cancel(state: State, meter: str, customer: str, timestamp: int, identifier: str) -> bool:
    """Take an event back; False where it is not there any more."""
    kept = log(state, meter, customer)
    found = [event for event in _within(kept["events"], timestamp, timestamp + 1) if event[3] == identifier]
    for event in found:
        state.made += 1
        _remove(state, kept, event)
    return bool(found)


def _within(events: list[Event], start: int, end: int) -> list[Event]:
    return events[bisect_left(events, [start]) : bisect_left(events, [end])]


def _remove(state: State, kept: dict[str, Any], event: Event) -> None:
    kept["events"].remove(event)
    kept["gone"].append([*event, state.made])
    kept["changed"] = state.made
    kept.pop("sum", None)


def aggregated(state: State, meter: Object, customer: str, start: int, end: int, since: int = 0) -> Decimal:
    """Return the usage from `start` until before `end`, by the meter's formula, of events numbered above `since`."""
    kept = state.notes.get(f"{meter['id']}/{customer}")
    if not kept:
        return Decimal(0)
    formula, events = meter["default_aggregation"]["formula"], kept["events"]
    first, after = bisect_left(events, [start]), bisect_left(events, [end])
    if formula == "count":
        return Decimal(sum(1 for i in range(first, after) if events[i][1] > since) if since else after - first)
    if formula == "last":
        return next(
            (Decimal(events[i][2]) for i in range(after - 1, first - 1, -1) if events[i][1] > since), Decimal(0)
        )
    held = kept.get("sum")
    if not held or held[:3] != [start, end, since]:
        values = (Decimal(event[2]) for event in events[first:after] if event[1] > since)
        held = kept["sum"] = [start, end, since, str(sum(values, Decimal(0)))]
    return Decimal(held[3])


def times(state: State, meter: str, customer: str, start: int, end: int) -> list[int]:
    """Return the times of the events from `start` until before `end`."""
    return [event[0] for event in _within(state.notes.get(f"{meter}/{customer}", {}).get("events", []), start, end)]

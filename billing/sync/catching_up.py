"""Missed events put through the ledger and their lanes drained: each has the effect its webhook would have had."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from billing import ledger, worker
from billing.models import StripeEvent, SyncRun

from . import comparing, report
from .missed import Missed, lane_of
from .parallel import each

AT_ONCE = 5_000

Events = list[dict[str, Any]]


def catch_up(run: SyncRun, missed: Missed, tick: Callable[[], None]) -> None:
    """Record and drain, oldest first; what the drains changed was drift, and the event is its cause."""
    for events in _portions(missed.oldest_first()):
        lanes = _by_lane(events)
        before = comparing.snapshot(list(lanes))
        for event in events:
            if ledger.record(event, source=StripeEvent.Source.SYNC) != "duplicate":
                run.events[event["type"]] = run.events.get(event["type"], 0) + 1
            tick()
        first, *others = lanes
        worker.drain(first)  # alone: what many share, such as a product, is then here for the others
        each(worker.drain, others, tick)
        _report(run, lanes, before)


def _report(run: SyncRun, lanes: dict[str, str], before: dict[str, dict[str, Any]]) -> None:
    after = comparing.snapshot(list(lanes))
    for customer, event in lanes.items():
        differences = comparing.between(before.get(customer), after.get(customer))
        report.drift(run, customer, differences, f"missed event {event}")
        run.healed += len(differences)
        run.compared += customer in after


def _by_lane(events: Events) -> dict[str, str]:
    """Lane → the last event on it."""
    return {lane: event["id"] for event in events if (lane := lane_of(event))}


def _portions(events: Iterator[dict[str, Any]]) -> Iterator[Events]:
    while portion := list(islice(events, AT_ONCE)):
        yield portion

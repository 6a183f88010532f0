"""Catching up records missed events and drains their lanes: each has the effect its webhook would have had."""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from billing.events import Event, ledger, worker
from billing.models import StripeEvent, SyncRun

from . import comparing, report
from .missed import Missed, lane_of
from .parallel import each

AT_ONCE = 5_000

Events = list[dict[str, Any]]


def catch_up(run: SyncRun, missed: Missed, tick: Callable[[], None]) -> None:
    """Record and drain missed events, oldest first; what the drains changed was drift, and the event is its cause."""
    for events in _portions(missed.oldest_first()):
        before = comparing.snapshot([lane for event in events if (lane := lane_of(event))])
        for event in events:
            if ledger.record(Event.of(event), source=StripeEvent.Source.SYNC) != "duplicate":
                run.events[event["type"]] = run.events.get(event["type"], 0) + 1
            tick()
        _drain([event["id"] for event in events], run, before, tick)


def _drain(ids: list[str], run: SyncRun, before: dict[str, dict[str, Any]], tick: Callable[[], None]) -> None:
    """Drain a payment's lane first: its events move to their customer's lane, which is then drained once."""
    each(worker.drain, [lane for lane in _lanes(ids) if not lane.startswith("cus_")], tick)
    customers = {lane: event for lane, event in _lanes(ids).items() if lane.startswith("cus_")}
    before = {**comparing.snapshot([customer for customer in customers if customer not in before]), **before}
    first = list(customers)[:1]
    each(worker.drain, first, tick)  # alone: what many share, such as a product, is then here for the others
    each(worker.drain, list(customers)[1:], tick)
    _report(run, customers, before)


def _report(run: SyncRun, customers: dict[str, str], before: dict[str, dict[str, Any]]) -> None:
    after = comparing.snapshot(list(customers))
    for customer, event in customers.items():
        differences = comparing.changes_between(before.get(customer, {}), after.get(customer, {}))
        report.drift(run, customer, differences, f"missed event {event}")
        run.healed += len(differences)
        run.compared += customer in after


def _lanes(ids: list[str]) -> dict[str, str]:
    """Return the last of these events on each lane, by lane."""
    return dict(StripeEvent.objects.filter(pk__in=ids).order_by("created", "id").values_list("lane", "pk"))


def _portions(events: Iterator[dict[str, Any]]) -> Iterator[Events]:
    while portion := list(islice(events, AT_ONCE)):
        yield portion

"""The customers attached to a test clock live in its time, which stands still until it is advanced.

While something happens to such a customer, the state's clock stands at the test clock's time and what falls due is
kept in the test clock's own queue. Events carry the sandbox's own time (assumed), so that their list stays in order.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ..events import emit
from ..http.expansion import KINDS
from ..store import Object, State
from . import due
from .due import job

KIND = "test_helpers.test_clock"
PORTAL = ["billing_portal.session"]  # which nothing expands to


@contextmanager
def within(state: State, identifier: str | None) -> Iterator[None]:
    if identifier is None or state.clock.outside is not None:
        yield
        return
    note, outer = state.note(identifier), (state.due, state.clock.standing)
    state.clock.outside = state.now()
    state.due = [(at, urgency, made, name, list(given)) for at, urgency, made, name, given in note.get("due", [])]
    state.clock.standing = state.get(KIND, identifier)["frozen_time"]
    try:
        yield
        due.run_due(state, state.clock.standing)
    finally:
        note["due"] = state.due
        state.due, state.clock.standing = outer
        state.clock.outside = None


def of(state: State, identifiers: Iterable[object]) -> str | None:
    """Return the test clock of whoever one of the ids belongs to."""
    if not state.table(KIND).rows:
        return None
    for identifier in identifiers:
        if isinstance(identifier, str) and (clock := _of_one(state, identifier)):
            return clock
    return None


def _of_one(state: State, identifier: str) -> str | None:
    prefix = identifier.split("_", 1)[0]
    if prefix == "clock":
        return identifier if state.find(KIND, identifier) else None
    holder = state.notes.get(identifier, {}).get("subscription") if prefix == "si" else None
    for kind in KINDS.get(prefix, PORTAL if prefix == "bps" else []):
        row = state.find(kind, identifier)
        customer = row if row and kind == "customer" else state.find("customer", (row or {}).get("customer"))
        if customer and customer["test_clock"]:
            return str(customer["test_clock"])
    return _of_one(state, holder) if holder else None


def step(state: State, clock: Object, to: int) -> None:
    """Do all that falls due for the clock's customers, up to the instant."""
    with within(state, clock["id"]):
        state.clock.standing = None
        due.run_due(state, to)
        state.clock.standing = to
        clock.update(frozen_time=to, status="ready")
        clock["status_details"] = {"advancing": None}
    emit(state, f"{KIND}.ready", clock)


@job
def test_clock_advances(state: State, identifier: str, to: str) -> None:
    clock = state.find(KIND, identifier)
    if clock is not None and clock["status"] == "advancing":
        step(state, clock, int(to))

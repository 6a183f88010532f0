"""The gate asks home, circuit and budget before a call goes to Stripe, and tells them afterwards how it went."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from . import budget, call_counts, circuit, home
from .call_counts import Outcome
from .errors import StripeBusy, StripeUnavailable


class Calls:
    """This counts the calls made during a `with`."""

    def __init__(self) -> None:
        self.made = 0


_is_patient: ContextVar[bool] = ContextVar("stripe_is_patient", default=False)
# Where the calls that were let through together leave what came of them; None for one that was not let through yet.
_outcomes: ContextVar[list[Outcome] | None] = ContextVar("stripe_outcomes", default=None)
_counted: ContextVar[Calls | None] = ContextVar("stripe_counted", default=None)


@contextmanager
def patient() -> Iterator[None]:
    """Wait for a slow or busy Stripe and ask it again, as the worker may: nobody waits for a page."""
    token = _is_patient.set(True)
    try:
        yield
    finally:
        _is_patient.reset(token)


@contextmanager
def counted() -> Iterator[Calls]:
    """Count every call sent to Stripe meanwhile, those of threads that run in a copy of this context included."""
    calls = Calls()
    token = _counted.set(calls)
    try:
        yield calls
    finally:
        _counted.reset(token)


def is_patient() -> bool:
    return _is_patient.get()


def is_passed() -> bool:
    """Return whether this call was let through, with others or alone."""
    return _outcomes.get() is not None


def count_one() -> None:
    if calls := _counted.get():
        calls.made += 1


def note(outcome: Outcome) -> None:
    """Note the outcome of a call that was let through."""
    outcomes = _outcomes.get()
    if outcomes is not None:
        outcomes.append(outcome)


@contextmanager
def let_through(calls: int) -> Iterator[None]:
    """Let so many calls go out inside, from this thread or others; afterwards tell all processes how they went.

    Only this thread asks and tells: the cache may be the database, and others have no connection to it.
    """
    if text := home.why_away():
        raise StripeUnavailable(text)
    if not circuit.lets_through():
        raise StripeUnavailable(f"Stripe does not answer, and we call it again in {circuit.open_for()} s")
    if not budget.take(calls, is_patient=_is_patient.get()):
        circuit.give_probe_back()
        raise StripeBusy("We have used up the calls that we may send to Stripe now")
    outcomes: list[Outcome] = []
    token = _outcomes.set(outcomes)
    try:
        yield
    finally:
        _outcomes.reset(token)
        _record_outcomes(outcomes)


def _record_outcomes(outcomes: list[Outcome]) -> None:
    failed = sum(outcome.is_failure for outcome in outcomes)
    if failed < len(outcomes):
        circuit.succeeded()
    elif failed:
        circuit.failed(failed)
    if waits := [outcome.retry_after for outcome in outcomes if outcome.status == 429]:
        budget.pause(max(waits))
    call_counts.count(outcomes, at_once=not _is_patient.get())

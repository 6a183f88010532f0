"""The circuit stops all calls for a while when Stripe has failed several times in a row; then one call tries.

Closed: calls go out. Open: none does, and whoever wants one is told at once. Half open, when the time is over: a single
probe goes out; its success closes the circuit, its failure opens it again.
"""

import logging
import time

from billing.cache import CacheAway
from billing.conf import conf

from . import shared_state
from .shared_state import FAILURES, OPEN_SINCE, OPEN_UNTIL, PROBE

log = logging.getLogger(__name__)

REMEMBERED_SECONDS = 300
# As long as a probe may take with its time-outs and retries: one whose process died does not stand in the way for ever.
PROBE_SECONDS = 90


def lets_through() -> bool:
    """Return whether a call may go out now. Half open, only the first process that asks may call."""
    opened = shared_state.get(OPEN_UNTIL)
    if not opened:
        return True
    return opened <= time.time() and shared_state.is_first(PROBE, PROBE_SECONDS)


def give_probe_back() -> None:
    """Let the next process try, because this one made no call after all."""
    shared_state.drop(PROBE)


def is_open() -> bool:
    """Return whether the circuit is open, half open too: until a probe has been answered."""
    return bool(shared_state.get(OPEN_UNTIL))


def open_for() -> int:
    """Return the seconds until the circuit lets a probe through, 0 when it does already or is closed."""
    return max(round(shared_state.get(OPEN_UNTIL) - time.time() + 0.5), 0)


def away_for() -> int:
    """Return the seconds since Stripe stopped answering, whatever was tried meanwhile; 0 while the circuit is
    closed.
    """
    is_open = shared_state.get(OPEN_UNTIL) and shared_state.get(OPEN_SINCE)
    return round(time.time() - shared_state.get(OPEN_SINCE)) if is_open else 0


def succeeded() -> None:
    """Close the circuit, because Stripe answered."""
    if shared_state.get(OPEN_UNTIL):
        log.warning("stripe answers again, circuit closed")
    elif not shared_state.get(FAILURES):
        return
    shared_state.drop(FAILURES, OPEN_SINCE, OPEN_UNTIL, PROBE)


def failed(calls: int) -> None:
    """Count calls that Stripe did not answer, or answered 5xx: enough of them in a row open the circuit."""
    try:
        failures = float(shared_state.count(FAILURES, calls, REMEMBERED_SECONDS))
    except CacheAway:
        failures = shared_state.get(FAILURES) + calls
    shared_state.note(FAILURES, failures)
    is_probe = is_open()  # whatever was counted: an outage outlasts what is remembered
    if (is_probe or failures >= conf.circuit_failures) and not open_for():
        log.error("stripe does not answer, circuit opened", extra={"failures": failures})
        since = shared_state.get(OPEN_SINCE) if is_probe else 0
        shared_state.put(OPEN_SINCE, since or time.time(), REMEMBERED_SECONDS)
        shared_state.put(OPEN_UNTIL, time.time() + conf.circuit_seconds, REMEMBERED_SECONDS)
        shared_state.drop(PROBE)

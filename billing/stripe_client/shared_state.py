"""All processes share through the cache what they know of Stripe: calls counted, a pause it asked for, an outage.

A process reads it at most every quarter of a second, and knows at once what it wrote itself. Without its cache every
process goes by what it has seen itself, and asks the cache again after a few seconds.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from billing.cache import CacheAway, ask, ask_again, counting_cache

READ_EVERY_SECONDS = 0.25
PREFIX = "billing.stripe."
PAUSED_UNTIL, OPEN_SINCE, OPEN_UNTIL, FAILURES, PROBE = (
    PREFIX + name for name in ("paused_until", "open_since", "open_until", "failures", "probe")
)
KEPT = (PAUSED_UNTIL, OPEN_SINCE, OPEN_UNTIL, FAILURES)


@dataclass
class Known:
    """This is what the process knows; times are seconds of the wall clock, which the machines share."""

    values: dict[str, float] = field(default_factory=dict)
    read_at: float = float("-inf")


_known = Known()


def reset() -> None:
    """Forget what this process knows. The cache keeps what it has."""
    _known.values.clear()
    _known.read_at = float("-inf")
    ask_again()


def get(key: str) -> float:
    """Return the value of one of `KEPT`, 0 for none."""
    if time.monotonic() - _known.read_at > READ_EVERY_SECONDS:
        _known.read_at = time.monotonic()
        with suppress(CacheAway):
            _known.values = dict(ask(lambda: counting_cache().get_many(KEPT)))
    return _known.values.get(key, 0)


def put(key: str, value: float, seconds: float) -> None:
    """Share a value with all processes, for so many seconds."""
    note(key, value)
    _try(lambda: counting_cache().set(key, value, max(round(seconds), 1)))


def note(key: str, value: float) -> None:
    """Note a value in this process alone."""
    _known.values[key] = value


def drop(*keys: str) -> None:
    for key in keys:
        _known.values.pop(key, None)
    _try(lambda: counting_cache().delete_many(keys))


def count(key: str, by: int, seconds: int) -> int:
    """Add to a number that all processes count together; return the sum. Raises CacheAway."""

    def add() -> int:
        try:
            return counting_cache().incr(key, by)
        except ValueError:
            return by if counting_cache().add(key, by, seconds) else counting_cache().incr(key, by)

    return ask(add)


def is_first(key: str, seconds: int) -> bool:
    """Return whether no other process has claimed `key` in that time; without a cache this process alone decides."""
    try:
        return bool(ask(lambda: counting_cache().add(key, 1, seconds)))
    except CacheAway:
        return True


def _try(work: Callable[[], Any]) -> None:
    with suppress(CacheAway):
        ask(work)

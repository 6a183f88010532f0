"""Counters of what may happen so often in so many seconds, in Django's cache.

A window is cut from the clock: all processes and hosts count in the same one. While the cache is away each process
counts for itself. Nothing here raises.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.core.cache.backends.locmem import LocMemCache

log = logging.getLogger(__name__)

# A cache that hangs costs a second a call: after a failure it is left alone for a while.
AWAY_SECONDS = 30


@dataclass(frozen=True)
class Rate:
    limit: int
    seconds: int


@dataclass(frozen=True)
class Counter:
    """How often `name` has happened in the present window of its rate."""

    name: str
    rate: Rate

    def take(self) -> int:
        """Count one and return 0; or count nothing and return the seconds until the window ends, when it is full."""
        if self._add(1) <= self.rate.limit:
            return 0
        self.give_back()
        return self.rate.seconds - int(time.time()) % self.rate.seconds

    def give_back(self) -> None:
        self._add(-1)

    def reset(self) -> None:
        store.call("delete", self._key)

    @property
    def is_full(self) -> bool:
        return int(store.call("get", self._key) or 0) >= self.rate.limit

    @property
    def _key(self) -> str:
        return f"accounts.count:{self.name}:{self.rate.seconds}:{int(time.time()) // self.rate.seconds}"

    def _add(self, by: int) -> int:
        store.call("add", self._key, 0, self.rate.seconds)
        return int(store.call("incr", self._key, by))


class Store:
    """Django's cache, or this process's own while that one is away."""

    def __init__(self) -> None:
        self.process = LocMemCache("accounts.counting", {})
        self.away_until = 0.0

    def call(self, method: str, key: str, *given: Any) -> Any:
        if time.monotonic() >= self.away_until:
            try:
                return getattr(cache, method)(key, *given)
            except Exception as problem:  # noqa: BLE001 (a backend may raise whatever it likes)
                log.warning("The cache is away, so each process counts for itself: %s", type(problem).__name__)
                self.away_until = time.monotonic() + AWAY_SECONDS
        self.process.add(key, 0, 3600)
        return getattr(self.process, method)(key, *given)


store = Store()

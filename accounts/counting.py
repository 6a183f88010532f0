"""Counters limit how often something may happen in so many seconds. They live in Django's cache.

All processes and hosts use the same window, which is cut from the clock. While the cache is away, each process counts
for itself; no counter raises.
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
# What was counted in the cache when it went away is missing here: it begins at 0.
KEPT_SECONDS = 3600


@dataclass(frozen=True)
class Rate:
    limit: int
    seconds: int


@dataclass(frozen=True)
class Counter:
    """Count how often `name` has happened in the present window of its rate."""

    name: str
    rate: Rate

    def take(self) -> int:
        """Count one and return 0; if the window is full, count nothing and return the seconds until it ends."""
        # The key changes with the window. It is kept a little longer, for caches round its time down.
        store.call("add", self._key, 0, self.rate.seconds + 5)
        if self._change(1) <= self.rate.limit:
            return 0
        self.give_back()
        return self.rate.seconds - int(time.time()) % self.rate.seconds

    def give_back(self) -> None:
        self._change(-1)

    def reset(self) -> None:
        store.call("delete", self._key)

    @property
    def is_full(self) -> bool:
        return int(store.call("get", self._key) or 0) >= self.rate.limit

    @property
    def _key(self) -> str:
        return f"accounts.count:{self.name}:{self.rate.seconds}:{int(time.time()) // self.rate.seconds}"

    def _change(self, by: int) -> int:
        """Return the new count; 0 if somebody has reset the counter at this moment."""
        try:
            return int(store.call("incr", self._key, by))
        except ValueError:
            return 0


class Store:
    """Use Django's cache, or a cache of this process while that one is away."""

    def __init__(self) -> None:
        self.process = LocMemCache("accounts.counting", {"OPTIONS": {"MAX_ENTRIES": 100_000}})
        self.away_until = 0.0

    def call(self, method: str, key: str, *given: Any) -> Any:
        """Call the cache; raises ValueError if the key to count up does not exist."""
        if time.monotonic() >= self.away_until:
            try:
                return getattr(cache, method)(key, *given)
            except ValueError:
                raise
            except Exception as problem:  # noqa: BLE001 (a backend may raise whatever it likes)
                log.warning("The cache is away, so each process counts for itself: %s", type(problem).__name__)
                self.away_until = time.monotonic() + AWAY_SECONDS
        if method == "incr":
            self.process.add(key, 0, KEPT_SECONDS)
        return getattr(self.process, method)(key, *given)


store = Store()

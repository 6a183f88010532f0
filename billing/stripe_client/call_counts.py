"""Calls to Stripe are counted by outcome and time in a table that all processes share, for /metrics.

A process keeps its counts for up to a second while it makes many calls, so that counting costs less than they do; the
worker writes down the rest when its task ends.
"""

import logging
import time
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from threading import Lock
from typing import Any

from django.db import Error as DatabaseProblem
from django.db import connection

from billing.conf import conf

log = logging.getLogger(__name__)

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
BUCKETS = (*map(str, SECONDS), "+Inf")
KEPT_SECONDS = 1.0
TABLE = f"{conf.app_label}_stripecalls"
ADD = f"""
INSERT INTO {TABLE} (outcome, at_most, calls, seconds) VALUES (%s, %s, %s, %s)
ON CONFLICT (outcome, at_most) DO UPDATE SET
    calls = {TABLE}.calls + excluded.calls, seconds = {TABLE}.seconds + excluded.seconds
"""  # noqa: S608


@dataclass(frozen=True)
class Outcome:
    """The outcome of one call: its HTTP status, 0 for no answer; how long it took; how long Stripe asked us to wait."""

    status: int
    seconds: float
    retry_after: float = 0

    @property
    def is_failure(self) -> bool:
        return self.status == 0 or self.status >= 500

    @property
    def name(self) -> str:
        if self.is_failure:
            return "failed"
        if self.status == 429:
            return "limited"
        return "refused" if self.status >= 400 else "answered"


class _Kept:
    """This process keeps counts that it has not yet written down: calls and their seconds by outcome and bucket."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.since = time.monotonic()
        self.counts: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0, 0.0])

    def add(self, outcome: Outcome) -> None:
        count = self.counts[outcome.name, BUCKETS[bisect_left(SECONDS, outcome.seconds)]]
        count[0] += 1
        count[1] += outcome.seconds

    def take(self) -> list[tuple[Any, ...]]:
        with self.lock:
            taken, self.counts, self.since = self.counts, defaultdict(lambda: [0, 0.0]), time.monotonic()
        return [(outcome, at_most, *count) for (outcome, at_most), count in sorted(taken.items())]


_kept = _Kept()


def reset() -> None:
    """Forget the counts of this process that are not written down yet."""
    _kept.take()


def count(outcomes: list[Outcome], *, at_once: bool) -> None:
    """Add to the counts, and write them down: at once, or when they are a second old."""
    with _kept.lock:
        for outcome in outcomes:
            _kept.add(outcome)
    if at_once or time.monotonic() - _kept.since > KEPT_SECONDS:
        write()


def write(**kwargs: Any) -> None:
    """Write the counts down. If that fails they are lost: nothing but a graph depends on them."""
    try:
        for row in _kept.take():
            with connection.cursor() as cursor:
                cursor.execute(ADD, row)
    except DatabaseProblem as error:
        log.warning("stripe calls not counted", extra={"error": type(error).__name__})

"""Only one sync runs at a time, since it takes a lane of its own; after a crash the lease runs out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.utils import timezone

from billing import lanes
from billing.conf import conf
from billing.models import Lane

KEY = "sync"


class AnotherRuns(Exception):
    """Another sync is under way."""

    def __init__(self) -> None:
        super().__init__("Another sync is running: this one did nothing.")


@contextmanager
def alone() -> Iterator[Callable[[], None]]:
    """Take the sync's lane and yield a function that renews the lease, to be called often. Raises `AnotherRuns`,
    `LaneLost`.
    """
    Lane.objects.get_or_create(pk=KEY, defaults={"woken_at": timezone.now()})
    claim = lanes.take(KEY)
    if claim is None:
        raise AnotherRuns
    every, renewed_at = conf.lease.total_seconds() / 4, time.monotonic()

    def renew() -> None:
        nonlocal renewed_at
        if time.monotonic() - renewed_at > every:
            lanes.renew(claim)
            renewed_at = time.monotonic()

    try:
        yield renew
    finally:
        lanes.let_go(claim)


def is_free() -> bool:
    """Return whether no sync runs, for a dry run, which takes no lane."""
    return not Lane.objects.filter(pk=KEY, token__isnull=False, leased_until__gte=timezone.now()).exists()

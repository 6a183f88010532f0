"""Work for many keys runs on several threads, so that one waits for Stripe while another is applied."""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from types import TracebackType
from typing import Any

from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

AT_ONCE = 8


class Threads(ThreadPoolExecutor):
    """The threads work in the caller's context, and their database connections end with them.

    Each keeps a connection until the end, so a small connection pool of the project's allows fewer of them.
    """

    def __init__(self) -> None:
        super().__init__(min(AT_ONCE, max(_spare_connections(), 1)), thread_name_prefix="sync")
        self.opened: set[BaseDatabaseWrapper] = set()

    def start(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        return self.submit(copy_context().run, self._noted, work, *arguments)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.shutdown(wait=True, cancel_futures=error is not None)
        for opened in self.opened:
            opened.close()

    def _noted(self, work: Callable[..., Any], *arguments: Any) -> Any:
        own = connections[connection.alias]
        if own not in self.opened:
            own.inc_thread_sharing()
            self.opened.add(own)
        return work(*arguments)


def each(work: Callable[[str], Any], keys: Iterable[str], tick: Callable[[], None]) -> None:
    """Do `work` for each key; the first error ends it, once the work that has begun is done.

    SQLite has one writer, and inside a transaction other threads would not see its rows: there one after another.
    """
    if connection.vendor == "sqlite" or connection.in_atomic_block or not _spare_connections():
        for key in keys:
            work(key)
            tick()
        return
    with Threads() as threads:
        under_way: set[Future[Any]] = set()
        for key in keys:
            under_way.add(threads.start(work, key))
            if len(under_way) >= 2 * AT_ONCE:
                under_way = _still_running(under_way, tick)
        while under_way:
            under_way = _still_running(under_way, tick)


def _spare_connections() -> int:
    """Return how many connections there may be beside the caller's own."""
    pool = getattr(connection, "pool", None)
    return pool.max_size - 1 if pool else AT_ONCE


def _still_running(under_way: set[Future[Any]], tick: Callable[[], None]) -> set[Future[Any]]:
    done, left = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    tick()
    return left

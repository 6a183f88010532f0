"""A thread hands tasks to the broker while the door answers. What it cannot hand over, the sweep finds."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from queue import Full, Queue
from threading import Lock, Thread

from django.db import close_old_connections

log = logging.getLogger(__name__)

MOST_WAITING = 1000

_is_wanted: ContextVar[bool] = ContextVar("in_background", default=False)
_sends: Queue[Callable[[], None]] = Queue(MOST_WAITING)
_starting = Lock()
_thread: Thread | None = None


@contextmanager
def in_background() -> Iterator[None]:
    """Let a thread hand over the tasks that are enqueued inside, so that nobody waits for the broker."""
    token = _is_wanted.set(True)
    try:
        yield
    finally:
        _is_wanted.reset(token)


def is_wanted() -> bool:
    return _is_wanted.get()


def put(send: Callable[[], None]) -> None:
    global _thread  # noqa: PLW0603
    with _starting:
        # A process that was forked has no threads of its parent.
        if _thread is None or not _thread.is_alive():
            _thread = Thread(target=_run, name="billing.queues", daemon=True)
            _thread.start()
    try:
        _sends.put_nowait(send)
    except Full:
        log.error("too many tasks for a slow broker, one is left to the sweep")


def is_idle() -> bool:
    """Return whether everything was handed over, or given up."""
    return not _sends.unfinished_tasks


def _run() -> None:
    while True:
        send = _sends.get()
        close_old_connections()
        try:
            send()
        except Exception as error:  # noqa: BLE001 (a broker's client may raise whatever it likes)
            log.warning(
                "task not enqueued, it is left to the sweep", extra={"error": f"{type(error).__name__}: {error}"}
            )
        finally:
            close_old_connections()
            _sends.task_done()

"""A task is enqueued in the caller's transaction where that is possible, else after its commit. No broker stops
anybody: a task that it did not take is found by the sweep."""

import time
from collections.abc import Callable
from functools import partial

from billing.after_commit import after_commit

from . import background
from .chosen import BrokerAway, Queue, queue

# So long nobody waits again for a broker that was away.
LEFT_ALONE_SECONDS = 5.0
_left_alone_until = 0.0


def _nothing() -> None:
    pass


def enqueue(task: str, *args: str, if_away: Callable[[], object] = _nothing) -> None:
    """Enqueue a declared task. `if_away` is called, outside any transaction, if the broker did not take it."""
    chosen = queue()
    if chosen.is_in_database():
        chosen.enqueue(task, *args)
    else:
        after_commit(_hand_over, chosen, if_away, task, args)


def waiting() -> int:
    """Return how many tasks are on the queue. Raises `BrokerAway`; a broker that answers is asked for more at once."""
    try:
        found = queue().waiting()
    except Exception as error:
        raise BrokerAway(str(error)) from error
    reset()
    return found


def reset() -> None:
    """Forget that the broker was away."""
    global _left_alone_until  # noqa: PLW0603
    _left_alone_until = 0.0


def _hand_over(chosen: Queue, if_away: Callable[[], object], task: str, args: tuple[str, ...]) -> None:
    send = partial(_send, chosen, if_away, task, args)
    if background.is_wanted():
        background.put(send)
    else:
        send()


def _send(chosen: Queue, if_away: Callable[[], object], task: str, args: tuple[str, ...]) -> None:
    global _left_alone_until  # noqa: PLW0603
    try:
        if time.monotonic() < _left_alone_until:
            raise BrokerAway("The broker was away a moment ago, and is not asked yet.")
        chosen.enqueue(task, *args)
    except Exception as error:
        if not isinstance(error, BrokerAway):
            _left_alone_until = time.monotonic() + LEFT_ALONE_SECONDS
        if_away()
        raise

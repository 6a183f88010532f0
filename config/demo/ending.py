"""The demo ends on Ctrl-C, on a service manager's signal, and when its terminal is closed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(KeyboardInterrupt):
    """A signal has told the demo to end."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def heed() -> None:
    """Raise `Ended` on these signals from now on, also for signals that `postpone` has held."""
    for number in _heeded():
        signal.signal(number, _end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def postpone() -> None:
    """Hold these signals until `heed`, even if another program replaces this process."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def ignore() -> None:
    """Ignore these signals until the process ends. Python would remove handlers of its own before that."""
    for number in _heeded():
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def held_back() -> Iterator[None]:
    """Raise for a signal only at the end of the block. (A mask would not do: a child would inherit it.)"""
    came: list[int] = []
    before = {number: signal.signal(number, lambda told, _: came.append(told)) for number in _heeded()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        _end(came[0], None)


def _heeded() -> list[signal.Signals]:
    """Return the signals that the demo's caller has not switched off, as `nohup` does."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def _end(number: int, _: Any) -> NoReturn:
    """Raise `Ended` for the first signal and ignore the next, which must not interrupt the stopping."""
    ignore()
    raise Ended(number)

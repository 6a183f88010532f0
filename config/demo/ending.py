"""How the demo is told to end: by Ctrl-C, by a service manager, by a terminal that is closed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(KeyboardInterrupt):
    """The demo was told to end, by this signal."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def heed() -> None:
    """Raise `Ended` on these signals from now on, also for those that `postpone` kept waiting."""
    for number in _heeded():
        signal.signal(number, _end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def postpone() -> None:
    """Keep them waiting until `heed`, even where another program takes this process over."""
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def ignore() -> None:
    """From now on to the process's end. Python forgets handlers of its own before that."""
    for number in _heeded():
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def held_back() -> Iterator[None]:
    """A signal that comes meanwhile raises only at the end. (A mask would not do: a child would inherit it.)"""
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
    """Those that whoever started the demo has not switched off, as `nohup` does."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def _end(number: int, _: Any) -> NoReturn:
    """Told once is enough: being told again must not stop the stopping half-way."""
    ignore()
    raise Ended(number)

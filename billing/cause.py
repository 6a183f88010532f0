"""The cause of the running code is kept in the context, so that rows can record what caused them.

It is an event's id (`evt_…`) while that event is applied, or a word of ours: `sync`, `return page`, `subscriber`,
`grace lapsed`, `grant lapsed`, `deletion`, `seats`, `calendar`, `price move`, `agreement`, `staff:<user pk>`; "" if
nothing set it. Threads started with the context know it too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_cause: ContextVar[str] = ContextVar("billing_cause", default="")


def current() -> str:
    return _cause.get()


@contextmanager
def recorded_as(name: str) -> Iterator[None]:
    """Set the cause of everything that runs within; the innermost counts."""
    token = _cause.set(name)
    try:
        yield
    finally:
        _cause.reset(token)


@contextmanager
def recorded_by_default_as(name: str) -> Iterator[None]:
    """Set the cause only if none is set yet: staff may do what subscribers do."""
    with recorded_as(current() or name):
        yield

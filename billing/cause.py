"""On whose account the code runs now, so that what is recorded can say what caused it.

An event's id (`evt_…`) while it is applied; else a word of ours: `sync`, `return page`, `subscriber`, `grace lapsed`,
`comp lapsed`, `deletion`, `seats`, `staff:<user pk>`; empty where nobody said. It is kept in the context:
threads started with it know it too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_cause: ContextVar[str] = ContextVar("billing_cause", default="")


def current() -> str:
    return _cause.get()


@contextmanager
def recorded_as(name: str) -> Iterator[None]:
    """What runs within is on the account of `name`; the innermost is the one that counts."""
    token = _cause.set(name)
    try:
        yield
    finally:
        _cause.reset(token)


@contextmanager
def recorded_by_default_as(name: str) -> Iterator[None]:
    """The same where nobody has said yet on whose account: staff may do what subscribers do."""
    with recorded_as(current() or name):
        yield

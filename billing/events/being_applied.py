"""The worker says here which event it applies now: receivers run for that event and for no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_event_id: ContextVar[str] = ContextVar("billing_event_being_applied", default="")


@contextmanager
def applying(event_id: str) -> Iterator[None]:
    """Mark everything that runs within as part of applying this event."""
    token = _event_id.set(event_id)
    try:
        yield
    finally:
        _event_id.reset(token)


def is_being_applied(event_id: str) -> bool:
    return _event_id.get() == event_id

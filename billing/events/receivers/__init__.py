"""Receivers lead from event type to rule: each finds the customer whose lane is locked, and calls one rule.

They are called by dj-stripe, inside the event's savepoint. dj-stripe's own are disconnected for our types (see mirror).
"""

from importlib import import_module

from djstripe import event_handlers
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS

from billing.events.event_types import EVENT_TYPES

from .customer import receiving

__all__ = ["connect", "receiving"]

MODULES = ("state", "money")
DJSTRIPE_RECEIVERS = [
    handler for name, handler in vars(event_handlers).items() if name.startswith("handle_") and callable(handler)
]


def connect() -> None:
    """Disconnect dj-stripe's receivers from our event types, and connect ours."""
    for event_type in EVENT_TYPES:
        for handler in DJSTRIPE_RECEIVERS:
            WEBHOOK_SIGNALS[event_type].disconnect(handler, sender=Event)
    for module in MODULES:
        import_module(f"{__name__}.{module}")

"""The webhook's whole way, from the door to the receivers, and the worker that walks it."""

from . import ledger, placement, receivers, sweep, webhooks, worker
from .event_json import NotBearable
from .event_types import EVENT_TYPES
from .ledger import Event, NotAnEvent

__all__ = [
    "EVENT_TYPES",
    "Event",
    "NotAnEvent",
    "NotBearable",
    "ledger",
    "placement",
    "receivers",
    "sweep",
    "webhooks",
    "worker",
]

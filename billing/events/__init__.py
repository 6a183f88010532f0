"""Events take their whole way here: from the webhook door to the receivers, driven by the worker."""

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

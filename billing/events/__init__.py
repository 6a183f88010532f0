"""Events take their whole way here: from the webhook door to the receivers, driven by the worker."""

from . import ledger, receivers, sweep, webhooks, worker
from .event_types import CATALOGUE, EVENT_TYPES
from .parsing import Event, NotAnEvent, NotBearable
from .signing import sign

__all__ = [
    "CATALOGUE",
    "EVENT_TYPES",
    "Event",
    "NotAnEvent",
    "NotBearable",
    "ledger",
    "receivers",
    "sign",
    "sweep",
    "webhooks",
    "worker",
]

"""Events take their whole way here: from the webhook door to the receivers, driven by the worker."""

from . import ledger, polling, receivers, sweep, webhooks, worker
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
    "polling",
    "receivers",
    "sign",
    "sweep",
    "webhooks",
    "worker",
]

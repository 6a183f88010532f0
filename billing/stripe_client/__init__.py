"""The one way out to Stripe: calls, what was read once per drain, and what Stripe answers with."""

from . import budget, call_counts, circuit, fetch, shared_state
from .client import (
    NotFetched,
    Reads,
    StripeDiffers,
    StripeRefused,
    StripeUnanswered,
    StripeUnavailable,
    answers,
    counted,
    delete,
    drain_reads,
    get,
    get_in_parallel,
    install,
    once,
    patient,
    post,
    server_time,
    undone_on_error,
)
from .fetch import id_of
from .fields import FIELDS

__all__ = [
    "FIELDS",
    "NotFetched",
    "Reads",
    "StripeDiffers",
    "StripeRefused",
    "StripeUnanswered",
    "StripeUnavailable",
    "answers",
    "budget",
    "call_counts",
    "circuit",
    "counted",
    "delete",
    "drain_reads",
    "fetch",
    "get",
    "get_in_parallel",
    "id_of",
    "install",
    "once",
    "patient",
    "post",
    "server_time",
    "shared_state",
    "undone_on_error",
]

"""Stripe's answer becomes our rows here, and each real change is announced."""

from . import comps, customer_details, holds, mirror, mrr, seats
from .mirror_redaction import redact_rows
from .mrr import unit_amount
from .pending import PendingChange, of
from .projection import (
    LIVE,
    announce_trial_end,
    columns,
    current,
    end_for_deleted_customer,
    is_live,
    lapsed,
    past_due_since,
    refresh,
    settle_access,
)
from .redaction import redacted_event, without_words

__all__ = [
    "LIVE",
    "PendingChange",
    "announce_trial_end",
    "columns",
    "comps",
    "current",
    "customer_details",
    "end_for_deleted_customer",
    "holds",
    "is_live",
    "lapsed",
    "mirror",
    "mrr",
    "of",
    "past_due_since",
    "redact_rows",
    "redacted_event",
    "refresh",
    "seats",
    "settle_access",
    "unit_amount",
    "without_words",
]

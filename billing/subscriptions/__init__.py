"""Stripe's answer becomes our rows here, and each real change is announced."""

from . import comps, customer_details, holds, mirror, mrr, seats
from .announcing import announce_access, announce_trial_end, lapsed
from .choosing import LIVE, current, is_live
from .columns import columns_of, past_due_since
from .ending import end_for_deleted_customer
from .mirror_redaction import redact_rows
from .mrr import unit_amount
from .pending import PendingChange, of
from .projection import refresh
from .redaction import redacted_event, without_words

__all__ = [
    "LIVE",
    "PendingChange",
    "announce_access",
    "announce_trial_end",
    "columns_of",
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
    "unit_amount",
    "without_words",
]

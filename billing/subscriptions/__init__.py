"""This room turns Stripe's answers into our rows, and announces each real change."""

from . import comps, customer_details, doubts, duplicates, holds, mirror, mrr, seats
from .announcing import announce_access, announce_trial_end, customers_past_grace, is_started
from .belonging import ATTEMPT_KEY, METADATA_KEY, belonging_of
from .choosing import LIVE, mark_counting
from .columns import PendingChange, columns_of, payment_method_of, pending_change_of
from .ending import end_for_deleted_customer
from .mirror_redaction import redact_rows
from .mrr import unit_amount
from .projection import is_live, project, projected_now, refresh, refresh_rows, row_for, rows_of
from .redaction import error_class, redacted_event

__all__ = [
    "ATTEMPT_KEY",
    "LIVE",
    "METADATA_KEY",
    "PendingChange",
    "announce_access",
    "announce_trial_end",
    "belonging_of",
    "columns_of",
    "comps",
    "customer_details",
    "customers_past_grace",
    "doubts",
    "duplicates",
    "end_for_deleted_customer",
    "error_class",
    "holds",
    "is_live",
    "is_started",
    "mark_counting",
    "mirror",
    "mrr",
    "payment_method_of",
    "pending_change_of",
    "project",
    "projected_now",
    "redact_rows",
    "redacted_event",
    "refresh",
    "refresh_rows",
    "row_for",
    "rows_of",
    "seats",
    "unit_amount",
]

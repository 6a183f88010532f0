"""This room turns Stripe's answers into our rows, and announces each real change."""

from . import comps, customer_details, holds, invoices, mirror, mrr, seats
from .announcing import announce_access, announce_trial_end, customers_past_grace
from .columns import PendingChange, columns_of, pending_change_of
from .ending import end_for_deleted_customer
from .mirror_redaction import redact_rows
from .mrr import unit_amount
from .projection import LIVE, current_subscription, date_grace, is_live, refresh
from .redaction import error_class, redacted_event

__all__ = [
    "LIVE",
    "PendingChange",
    "announce_access",
    "announce_trial_end",
    "columns_of",
    "comps",
    "current_subscription",
    "customer_details",
    "customers_past_grace",
    "date_grace",
    "end_for_deleted_customer",
    "error_class",
    "holds",
    "invoices",
    "is_live",
    "mirror",
    "mrr",
    "pending_change_of",
    "redact_rows",
    "redacted_event",
    "refresh",
    "seats",
    "unit_amount",
]

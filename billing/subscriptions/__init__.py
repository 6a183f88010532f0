"""This room turns Stripe's answers into our rows, and announces each real change."""

from . import (
    coming_prices,
    customer_details,
    discounts,
    doubts,
    duplicates,
    grants,
    holds,
    invoices,
    mirror,
    mirror_failures,
    mrr,
    next_charges,
    overage,
    paying_twice,
    renewals,
    seats,
    tax_ids,
    trials,
)
from .announcing import announce_access, announce_trial_end, customers_past_grace, is_started
from .awaited import awaited_change
from .belonging import ATTEMPT_KEY, METADATA_KEY, belonging_of
from .choosing import LIVE, mark_counting
from .columns import PendingChange, columns_of, has_payment_method, payment_method_of, pays_in_days, pending_change_of
from .ending import end_for_deleted_customer
from .items import write_items
from .mirror_redaction import redact_rows
from .projection import (
    date_grace,
    is_live,
    is_live_status,
    project,
    projected_now,
    refresh,
    refresh_rows,
    row_for,
    rows_of,
)
from .redaction import error_class, redacted_event

__all__ = [
    "ATTEMPT_KEY",
    "LIVE",
    "METADATA_KEY",
    "PendingChange",
    "announce_access",
    "announce_trial_end",
    "awaited_change",
    "belonging_of",
    "columns_of",
    "coming_prices",
    "customer_details",
    "customers_past_grace",
    "date_grace",
    "discounts",
    "doubts",
    "duplicates",
    "end_for_deleted_customer",
    "error_class",
    "grants",
    "has_payment_method",
    "holds",
    "invoices",
    "is_live",
    "is_live_status",
    "is_started",
    "mark_counting",
    "mirror",
    "mirror_failures",
    "mrr",
    "next_charges",
    "overage",
    "paying_twice",
    "payment_method_of",
    "pays_in_days",
    "pending_change_of",
    "project",
    "projected_now",
    "redact_rows",
    "redacted_event",
    "refresh",
    "refresh_rows",
    "renewals",
    "row_for",
    "rows_of",
    "seats",
    "tax_ids",
    "trials",
    "write_items",
]

"""One realistic context of each mail and its variants, and the extremes: for the gallery and for tests."""

from typing import Any

from notifications.models import Mail

Kind = Mail.Kind

INVOICE_URL = "https://invoice.stripe.com/i/acct_1/test_invoice_1?s=ap"
PDF_URL = "https://pay.stripe.com/invoice/acct_1/test_invoice_1/pdf?s=ap"

RECEIVED: dict[str, Any] = {
    "amount": 1900,
    "currency": "usd",
    "plan": "Pro",
    "period_start": "2026-12-01T09:30:00+00:00",
    "period_end": "2027-01-01T09:30:00+00:00",
    "paid_at": "2026-12-01T09:31:00+00:00",
    "invoice_url": INVOICE_URL,
    "pdf_url": PDF_URL,
}
FAILED: dict[str, Any] = {
    "amount": 1900,
    "currency": "usd",
    "invoice": "in_1",
    "plan": "Pro",
    "next_attempt_at": "2026-12-04T09:30:00+00:00",
    "grace_ends_at": "2026-12-04T10:30:00+00:00",
    "is_grace_over": False,
    "pay_url": INVOICE_URL,
}
DISPUTE: dict[str, Any] = {
    "amount": 1900,
    "currency": "usd",
    "dispute": "dp_1",
    "opened_at": "2026-12-09T14:00:00+00:00",
}
REFUND: dict[str, Any] = {
    "amount": 1900,
    "currency": "usd",
    "refund": "re_1",
    "is_full": True,
    "refunded_at": "2026-12-10T14:00:00+00:00",
}
SCHEDULED: dict[str, Any] = {"subscription": "sub_1", "plan": "Pro", "ends_at": "2027-01-01T09:30:00+00:00"}
ENDED: dict[str, Any] = {
    "subscription": "sub_1",
    "plan": "Pro",
    "ended_at": "2027-01-01T09:30:00+00:00",
    "cause": "cancellation_requested",
}
OVERFLOW: dict[str, Any] = {
    "usage": 1,
    "feature": "generations",
    "plan": "Free",
    "used": 900,
    "limit": 10,
    "over": 890,
    "resets_at": "2027-01-01T09:30:00+00:00",
}

LONG_NAME = "The Extraordinarily Complete Professional Plan for Very Large Organisations & <Friends> " * 3

SAMPLES: dict[str, tuple[Mail.Kind, dict[str, Any]]] = {
    "payment_received": (Kind.PAYMENT_RECEIVED, RECEIVED),
    "payment_received_in_yen_without_period": (
        Kind.PAYMENT_RECEIVED,
        {**RECEIVED, "amount": 198000, "currency": "jpy", "period_start": "", "period_end": "", "invoice_url": ""},
    ),
    "payment_received_in_dinar_with_a_long_name": (
        Kind.PAYMENT_RECEIVED,
        {**RECEIVED, "amount": 1234567890, "currency": "kwd", "plan": LONG_NAME},
    ),
    "payment_received_without_plan_or_start": (
        Kind.PAYMENT_RECEIVED,
        {**RECEIVED, "plan": "", "period_start": "", "pdf_url": ""},
    ),
    "payment_failed": (Kind.PAYMENT_FAILED, FAILED),
    "payment_failed_last_try": (Kind.PAYMENT_FAILED, {**FAILED, "next_attempt_at": "", "is_grace_over": True}),
    "payment_failed_bare": (
        Kind.PAYMENT_FAILED,
        {**FAILED, "plan": "", "next_attempt_at": "", "grace_ends_at": "", "pay_url": ""},
    ),
    "action_required": (Kind.ACTION_REQUIRED, {**FAILED, "next_attempt_at": ""}),
    "dispute_opened": (Kind.DISPUTE_OPENED, DISPUTE),
    "refund_in_full": (Kind.REFUND, REFUND),
    "refund_in_part": (Kind.REFUND, {**REFUND, "amount": 500, "is_full": False}),
    "cancellation_scheduled": (Kind.SUBSCRIPTION_CANCELLED, SCHEDULED),
    "subscription_ended": (Kind.SUBSCRIPTION_CANCELLED, ENDED),
    "subscription_ended_by_refund": (Kind.SUBSCRIPTION_CANCELLED, {**ENDED, "cause": "refund"}),
    "subscription_ended_by_dispute": (Kind.SUBSCRIPTION_CANCELLED, {**ENDED, "cause": "dispute"}),
    "subscription_ended_unpaid": (Kind.SUBSCRIPTION_CANCELLED, {**ENDED, "cause": "payment_failed", "plan": ""}),
    "quota_overflow": (Kind.QUOTA_OVERFLOW, OVERFLOW),
    "account_deleted": (Kind.ACCOUNT_DELETED, {"deleted_at": "2027-01-01T09:30:00+00:00"}),
}

"""The mails: one function each, saying by which key it is told once and which facts it needs.

Called inside the transaction that made the reason true; nothing is sent here. Amounts stay in minor units and dates
in ISO, for the templates to write.
"""

from datetime import datetime
from typing import Any

from billing import access, clock
from billing.models import (
    AccountDeletion,
    Customer,
    Dispute,
    Payment,
    PaymentFailure,
    Refund,
    StripeWrite,
    Subscription,
    Usage,
)
from billing.usage import allowance

from . import outbox
from .models import Mail

Kind = Mail.Kind


def payment_received(subscription: Subscription, payment: Payment) -> Mail:
    return outbox.reserve(
        Kind.PAYMENT_RECEIVED,
        f"payment_received:{payment.invoice_id}",
        **_to(subscription.customer),
        **_money(payment),
        plan=_plan(subscription),
        period_start=_iso(payment.period_start),
        period_end=_iso(payment.period_end),
        paid_at=_iso(payment.paid_at),
        invoice_url=payment.hosted_invoice_url,
        pdf_url=payment.invoice_pdf,
    )


def payment_failed(subscription: Subscription, failure: PaymentFailure) -> Mail:
    return _unpaid(Kind.PAYMENT_FAILED, subscription, failure)


def action_required(subscription: Subscription, failure: PaymentFailure) -> Mail:
    """Under the key of the failed payment, which Stripe announces as well: one of the two is sent, and it is this."""
    return _unpaid(Kind.ACTION_REQUIRED, subscription, failure)


def dispute_opened(subscription: Subscription, dispute: Dispute) -> Mail:
    return outbox.reserve(
        Kind.DISPUTE_OPENED,
        f"dispute_opened:{dispute.pk}",
        **_to(subscription.customer),
        **_money(dispute),
        dispute=dispute.pk,
        opened_at=_iso(dispute.opened_at),
    )


def refund(subscription: Subscription, refund: Refund) -> Mail:
    return outbox.reserve(
        Kind.REFUND,
        f"refund:{refund.pk}",
        **_to(subscription.customer),
        **_money(refund),
        refund=refund.pk,
        is_full=refund.is_full,
        refunded_at=_iso(refund.created_at),
    )


def cancellation_scheduled(subscription: Subscription, cancel_at: datetime) -> Mail:
    """One for each date: a cancellation that is taken back and asked for again says nothing new."""
    return outbox.reserve(
        Kind.SUBSCRIPTION_CANCELLED,
        f"subscription_cancelled:{subscription.stripe_id}:{cancel_at.date().isoformat()}",
        **_to(subscription.customer),
        subscription=subscription.stripe_id,
        plan=_plan(subscription),
        ends_at=_iso(cancel_at),
    )


def subscription_ended(subscription: Subscription, reason: str) -> Mail:
    return outbox.reserve(
        Kind.SUBSCRIPTION_CANCELLED,
        f"subscription_cancelled:{subscription.stripe_id}:ended",
        **_to(subscription.customer),
        subscription=subscription.stripe_id,
        plan=_plan(subscription),
        ended_at=_iso(subscription.ended_at or clock.now()),
        cause=_cause(subscription, reason),
    )


def quota_overflow(subscription: Subscription, usage: Usage, used: int, limit: int, resets_at: datetime) -> Mail:
    """Once for each limit in a period; the plan is the one in effect."""
    effective = allowance(usage.subscriber).plan
    return outbox.reserve(
        Kind.QUOTA_OVERFLOW,
        f"quota_overflow:{usage.pk}:{limit}",
        **_to(subscription.customer),
        usage=usage.pk,
        feature=usage.feature.replace("_", " ").replace("-", " "),
        plan=effective.name if effective else "",
        used=used,
        limit=limit,
        over=used - limit,
        resets_at=_iso(resets_at),
    )


def account_deleted(deletion: AccountDeletion, email: str) -> Mail:
    """The last one: to the address that was known until now, which the outbox forgets once the mail is sent."""
    return outbox.reserve(
        Kind.ACCOUNT_DELETED,
        f"account_deleted:{deletion.pk}",
        customer=deletion.customer,
        recipient=email,
        deleted_at=_iso(deletion.done_at),
    )


def _unpaid(kind: Mail.Kind, subscription: Subscription, failure: PaymentFailure) -> Mail:
    grace_ends_at = access.grace_end(subscription) if failure.subscription_id else None
    return outbox.reserve(
        kind,
        f"payment_failed:{failure.invoice_id}:{failure.attempt}",
        **_to(subscription.customer),
        **_money(failure),
        invoice=failure.invoice_id,
        plan=_plan(subscription),
        next_attempt_at=_iso(failure.next_attempt_at),
        grace_ends_at=_iso(grace_ends_at),
        is_grace_over=grace_ends_at is not None and grace_ends_at <= clock.now(),
        pay_url=failure.hosted_invoice_url,
    )


def _cause(subscription: Subscription, reason: str) -> str:
    """Why it ended: `dispute` or `refund` where we had it cancelled, else Stripe's word for it."""
    ours = StripeWrite.objects.filter(object_id=subscription.stripe_id, withdrawn_at=None).order_by("requested_at")
    references = list(ours.values_list("reference", flat=True))
    if reason == "payment_disputed" or Dispute.objects.filter(pk__in=references).exists():
        return "dispute"
    return "refund" if references else reason


def _money(row: Payment | PaymentFailure | Dispute | Refund) -> dict[str, Any]:
    return {"amount": row.amount, "currency": row.currency}


def _plan(subscription: Subscription) -> str:
    return subscription.plan.name if subscription.plan else ""


def _iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""


def _to(customer: Customer) -> dict[str, Any]:
    """Whose mail it is and where it goes: the address Stripe has, else the subscriber's own."""
    return {"customer": customer, "recipient": customer.email or getattr(customer.subscriber, "email", "")}

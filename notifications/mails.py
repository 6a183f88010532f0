"""The mails: one function each, saying by which key it is told once and which facts it needs.

Called inside the transaction that made the reason true; nothing is sent here. Amounts stay in minor units and dates
in ISO, for the templates to write. A project has its own function called by NOTIFICATIONS_FUNCTIONS.
"""

from datetime import date, datetime
from typing import Any

from billing import access, clock
from billing.models import AccountDeletion, Dispute, Payment, PaymentFailure, Plan, Price, Refund, Subscription, Usage
from billing.usage import allowance

from . import facts, language, outbox
from .models import Mail

Kind = Mail.Kind


# The subscription


def welcome(subscription: Subscription) -> Mail:
    trial_end = subscription.trial_end
    return outbox.reserve(
        Kind.WELCOME,
        f"welcome:{subscription.stripe_id}",
        **facts.about(subscription),
        trial_end=facts.iso(trial_end if trial_end and trial_end > clock.now() else None),
    )


def trial_ending(subscription: Subscription, trial_end: datetime) -> Mail:
    return outbox.reserve(
        Kind.TRIAL_ENDING,
        f"trial_ending:{subscription.stripe_id}:{trial_end.date().isoformat()}",
        **facts.about(subscription),
        **facts.price(subscription, subscription.price),
        trial_end=facts.iso(trial_end),
        card=facts.card(subscription),
    )


def renewal_coming(subscription: Subscription, renews_at: datetime) -> Mail:
    """At the price that will be charged: of the plan that is scheduled for that day, if one is."""
    return outbox.reserve(
        Kind.RENEWAL_COMING,
        f"renewal_coming:{subscription.stripe_id}:{renews_at.date().isoformat()}",
        **facts.about(subscription),
        **facts.price(subscription, subscription.pending_price or subscription.price),
        renews_at=facts.iso(renews_at),
        card=facts.card(subscription),
    )


def card_expiring(subscription: Subscription, expires_on: date) -> Mail:
    return outbox.reserve(
        Kind.CARD_EXPIRING,
        f"card_expiring:{subscription.stripe_id}:{subscription.card_last4}:{expires_on.isoformat()}",
        **facts.about(subscription),
        card=facts.card(subscription),
        last4=subscription.card_last4,
        expires_on=expires_on.isoformat(),
        charged_at=facts.iso(subscription.current_period_end),
    )


def plan_changed(subscription: Subscription, previous_plan: Plan | None) -> Mail:
    """Once for each change: its row in the subscription's history is the key."""
    change = subscription.customer.subscription_changes.order_by("-recorded_at", "-pk").first()
    return outbox.reserve(
        Kind.PLAN_CHANGED,
        f"plan_changed:{subscription.stripe_id}:{change.pk if change else subscription.price_id}",
        **facts.about(subscription),
        **facts.price(subscription, subscription.price),
        previous_plan=previous_plan.name if previous_plan else "",
        price=subscription.price_id,
        quantity=subscription.quantity,
        since=facts.iso(subscription.current_period_start),
    )


def downgrade_scheduled(subscription: Subscription, price: Price | None, at: datetime) -> Mail:
    return outbox.reserve(
        Kind.DOWNGRADE_SCHEDULED,
        facts.downgrade_key(subscription.stripe_id, price.pk if price else "", at),
        **facts.about(subscription),
        **facts.price(subscription, price),
        next_plan=price.plan.name if price else "",
        price=price.pk if price else "",
        changes_at=facts.iso(at),
    )


def cancellation_scheduled(subscription: Subscription, cancel_at: datetime) -> Mail:
    """One for each date: a cancellation that is taken back and asked for again says nothing new."""
    return outbox.reserve(
        Kind.SUBSCRIPTION_CANCELLED,
        f"subscription_cancelled:{subscription.stripe_id}:{cancel_at.date().isoformat()}",
        **facts.about(subscription),
        ends_at=facts.iso(cancel_at),
    )


def subscription_ended(subscription: Subscription, reason: str) -> Mail:
    return outbox.reserve(
        Kind.SUBSCRIPTION_CANCELLED,
        f"subscription_cancelled:{subscription.stripe_id}:ended",
        **facts.about(subscription),
        ended_at=facts.iso(subscription.ended_at or clock.now()),
        cause=facts.cause(subscription, reason),
    )


def access_restored(subscription: Subscription, revoked_because: str) -> Mail:
    """Where no other mail says so: `reasons` knows which do."""
    return outbox.reserve(
        Kind.ACCESS_RESTORED,
        f"access_restored:{subscription.customer_id}:{clock.now().isoformat()}",
        **facts.about(subscription),
        revoked_because=revoked_because,
    )


# Money


def payment_received(subscription: Subscription, payment: Payment) -> Mail:
    return _receipt(Kind.PAYMENT_RECEIVED, subscription, payment)


def payment_recovered(subscription: Subscription, payment: Payment) -> Mail:
    """Under the key of the receipt, and says all that is in it: one of the two is sent, and it is this."""
    return _receipt(Kind.PAYMENT_RECOVERED, subscription, payment, has_access=facts.has_access(subscription))


def payment_failed(subscription: Subscription, failure: PaymentFailure) -> Mail:
    return _unpaid(Kind.PAYMENT_FAILED, subscription, failure)


def action_required(subscription: Subscription, failure: PaymentFailure) -> Mail:
    """Under the key of the failed payment, which Stripe announces as well: one of the two is sent, and it is this."""
    return _unpaid(Kind.ACTION_REQUIRED, subscription, failure)


def dispute_opened(subscription: Subscription, dispute: Dispute) -> Mail:
    return outbox.reserve(
        Kind.DISPUTE_OPENED,
        f"dispute_opened:{dispute.pk}",
        **facts.about(subscription),
        **facts.money(dispute),
        dispute=dispute.pk,
        opened_at=facts.iso(dispute.opened_at),
    )


def dispute_closed(subscription: Subscription, dispute: Dispute) -> Mail:
    return outbox.reserve(
        Kind.DISPUTE_CLOSED,
        f"dispute_closed:{dispute.pk}",
        **facts.about(subscription),
        **facts.money(dispute),
        dispute=dispute.pk,
        is_won=dispute.status == "won",
        has_access=facts.has_access(subscription),
    )


def refund(subscription: Subscription, refund: Refund) -> Mail:
    return outbox.reserve(
        Kind.REFUND,
        f"refund:{refund.pk}",
        **facts.about(subscription),
        **facts.money(refund),
        refund=refund.pk,
        is_full=refund.is_full,
        refunded_at=facts.iso(refund.created_at),
    )


# The rest


def quota_overflow(subscription: Subscription, usage: Usage, used: int, limit: int, resets_at: datetime) -> Mail:
    """Once for each limit in a period; the plan is the one in effect."""
    effective = allowance(usage.subscriber).plan
    return outbox.reserve(
        Kind.QUOTA_OVERFLOW,
        f"quota_overflow:{usage.pk}:{limit}",
        **{**facts.about(subscription), **facts.plan(effective)},
        usage=usage.pk,
        feature=usage.feature.replace("_", " ").replace("-", " "),
        used=used,
        limit=limit,
        over=used - limit,
        resets_at=facts.iso(resets_at),
    )


def account_deleted(deletion: AccountDeletion, email: str) -> Mail:
    """The last one: to the address that was known until now, which the outbox forgets once the mail is sent."""
    return outbox.reserve(
        Kind.ACCOUNT_DELETED,
        f"account_deleted:{deletion.pk}",
        customer=deletion.customer,
        recipient=email,
        language=language.of(deletion.customer, deletion.subscriber),
        deleted_at=facts.iso(deletion.done_at),
    )


def _receipt(kind: Mail.Kind, subscription: Subscription, payment: Payment, **more: Any) -> Mail:
    return outbox.reserve(
        kind,
        f"payment_received:{payment.invoice_id}",
        **facts.about(subscription),
        **facts.money(payment),
        invoice=payment.invoice_id,
        period_start=facts.iso(payment.period_start),
        period_end=facts.iso(payment.period_end),
        paid_at=facts.iso(payment.paid_at),
        **more,
    )


def _unpaid(kind: Mail.Kind, subscription: Subscription, failure: PaymentFailure) -> Mail:
    grace_ends_at = access.grace_end(subscription) if failure.subscription_id else None
    return outbox.reserve(
        kind,
        f"payment_failed:{failure.invoice_id}:{failure.attempt}",
        **facts.about(subscription),
        **facts.money(failure),
        invoice=failure.invoice_id,
        next_attempt_at=facts.iso(failure.next_attempt_at),
        grace_ends_at=facts.iso(grace_ends_at),
        is_grace_over=grace_ends_at is not None and grace_ends_at <= clock.now(),
    )

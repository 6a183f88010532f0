"""Which signal of billing's brings which mail."""

from typing import Any

from django.dispatch import Signal

from billing import signals

from . import forgetting, mails


def on_payment_succeeded(*, subscription: Any, payment: Any, **_: Any) -> None:
    mails.payment_received(subscription, payment)


def on_payment_failed(*, subscription: Any, failure: Any, **_: Any) -> None:
    mails.payment_failed(subscription, failure)


def on_payment_action_required(*, subscription: Any, failure: Any, **_: Any) -> None:
    mails.action_required(subscription, failure)


def on_dispute_opened(*, subscription: Any, dispute: Any, **_: Any) -> None:
    mails.dispute_opened(subscription, dispute)


def on_refund_issued(*, subscription: Any, refund: Any, **_: Any) -> None:
    mails.refund(subscription, refund)


def on_cancellation_scheduled(*, subscription: Any, cancel_at: Any, **_: Any) -> None:
    mails.cancellation_scheduled(subscription, cancel_at)


def on_subscription_ended(*, subscription: Any, reason: str, **_: Any) -> None:
    mails.subscription_ended(subscription, reason)


def on_quota_overflowed(*, subscription: Any, usage: Any, used: int, limit: int, resets_at: Any, **_: Any) -> None:
    mails.quota_overflow(subscription, usage, used, limit, resets_at)


def on_account_closed(*, deletion: Any, email: str, **_: Any) -> None:
    forgetting.forget_settled(deletion, email)
    mails.account_deleted(deletion, email)


RECEIVERS: dict[Any, Signal] = {
    on_payment_succeeded: signals.payment_succeeded,
    on_payment_failed: signals.payment_failed,
    on_payment_action_required: signals.payment_action_required,
    on_dispute_opened: signals.dispute_opened,
    on_refund_issued: signals.refund_issued,
    on_cancellation_scheduled: signals.cancellation_scheduled,
    on_subscription_ended: signals.subscription_ended,
    on_quota_overflowed: signals.quota_overflowed,
    on_account_closed: signals.account_closed,
}


def connect() -> None:
    for receiver, signal in RECEIVERS.items():
        signal.connect(receiver, dispatch_uid=f"notifications.{receiver.__name__}")

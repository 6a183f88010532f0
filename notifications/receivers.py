"""These receivers mail a subscriber when `billing` sends a signal: one for each signal."""

from collections.abc import Callable
from typing import Any

from django.dispatch import Signal
from django.utils.module_loading import import_string

from billing import signals

from . import mails, reasons, redaction
from .conf import conf


def on_subscription_started(*, subscription: Any, **_: Any) -> None:
    _mail(mails.welcome, subscription)


def on_subscription_changed(*, subscription: Any, previous_plan: Any, **_: Any) -> None:
    _mail(mails.plan_changed, subscription, previous_plan)


def on_trial_ending(*, subscription: Any, trial_end: Any, **_: Any) -> None:
    _mail(mails.trial_ending, subscription, trial_end)


def on_trial_extended(*, subscription: Any, trial_end: Any, **_: Any) -> None:
    _mail(mails.trial_extended, subscription, trial_end)


def on_renewal_coming(*, subscription: Any, renews_at: Any, **_: Any) -> None:
    _mail(mails.renewal_coming, subscription, renews_at)


def on_price_change_coming(*, subscription: Any, change: Any, **_: Any) -> None:
    _mail(mails.price_change, subscription, change)


def on_price_change_withdrawn(*, subscription: Any, change: Any, **_: Any) -> None:
    _mail(mails.price_stays, subscription, change)


def on_card_expiring(*, subscription: Any, expires_on: Any, **_: Any) -> None:
    _mail(mails.card_expiring, subscription, expires_on)


def on_change_scheduled(*, subscription: Any, price: Any, at: Any, **_: Any) -> None:
    _mail(mails.downgrade_scheduled, subscription, price, at)


def on_cancellation_scheduled(*, subscription: Any, cancel_at: Any, **_: Any) -> None:
    _mail(mails.cancellation_scheduled, subscription, cancel_at)


def on_subscription_ended(*, subscription: Any, reason: str, **_: Any) -> None:
    _mail(mails.subscription_ended, subscription, reason)


def on_collection_paused(*, subscription: Any, **_: Any) -> None:
    _mail(mails.payments_paused, subscription)


def on_collection_resumed(*, subscription: Any, **_: Any) -> None:
    _mail(mails.payments_resumed, subscription)


def on_discount_given(*, subscription: Any, discount: Any, **_: Any) -> None:
    _mail(mails.discount_given, subscription, discount)


def on_discount_ended(*, subscription: Any, discount: Any, **_: Any) -> None:
    _mail(mails.discount_ended, subscription, discount)


def on_access_granted(*, subscription: Any, revoked_because: str, was_written_off: bool = False, **_: Any) -> None:
    if subscription is not None:  # who never bought was never told of an end either
        _mail(mails.access_restored, subscription, revoked_because, was_written_off)


def on_access_revoked(*, subscription: Any, reason: str, **_: Any) -> None:
    if reason in reasons.ON_HOLD:
        _mail(mails.access_on_hold, subscription, reason)
    elif reason == "paused":
        _mail(mails.trial_paused, subscription)


def on_payment_succeeded(*, subscription: Any, payment: Any, **_: Any) -> None:
    _mail(mails.payment_received, subscription, payment)


def on_payment_recovered(*, subscription: Any, payment: Any, **_: Any) -> None:
    _mail(mails.payment_recovered, subscription, payment)


def on_payment_failed(*, subscription: Any, failure: Any, **_: Any) -> None:
    _mail(mails.payment_failed, subscription, failure)


def on_payment_action_required(*, subscription: Any, failure: Any, **_: Any) -> None:
    _mail(mails.action_required, subscription, failure)


def on_payment_processing(*, subscription: Any, invoice: Any, **_: Any) -> None:
    _mail(mails.payment_processing, subscription, invoice)


def on_invoice_sent(*, subscription: Any, invoice: Any, **_: Any) -> None:
    _mail(mails.invoice_sent, subscription, invoice)


def on_invoice_due_soon(*, subscription: Any, invoice: Any, **_: Any) -> None:
    _mail(mails.invoice_due_soon, subscription, invoice)


def on_invoice_overdue(*, subscription: Any, invoice: Any, **_: Any) -> None:
    _mail(mails.invoice_overdue, subscription, invoice)


def on_tax_address_missing(*, subscription: Any, invoice: Any, **_: Any) -> None:
    _mail(mails.address_needed, subscription, invoice)


def on_refund_failed(*, subscription: Any, refund: Any, **_: Any) -> None:
    _mail(mails.refund_failed, subscription, refund)


def on_refund_issued(*, subscription: Any, refund: Any, **_: Any) -> None:
    _mail(mails.refund, subscription, refund)


def on_dispute_opened(*, subscription: Any, dispute: Any, **_: Any) -> None:
    _mail(mails.dispute_opened, subscription, dispute)


def on_dispute_closed(*, subscription: Any, dispute: Any, **_: Any) -> None:
    _mail(mails.dispute_closed, subscription, dispute)


def on_quota_overflowed(*, subscription: Any, usage: Any, used: int, limit: int, resets_at: Any, **_: Any) -> None:
    _mail(mails.quota_overflow, subscription, usage, used, limit, resets_at)


def on_purchase_waiting(*, purchase: Any, **_: Any) -> None:
    _mail(mails.pack_waiting, purchase)


def on_purchase_completed(*, purchase: Any, **_: Any) -> None:
    _mail(mails.pack_delivered, purchase)


def on_purchase_reversed(*, purchase: Any, taken: int, used: int, **_: Any) -> None:
    if taken or used:  # of a plan, part of the money takes nothing
        _mail(mails.pack_reversed, purchase, taken, used)


def on_credits_low(*, subscriber: Any, credit: Any, left: int, given: int, **_: Any) -> None:
    _mail(mails.credits_low, subscriber, credit, left, given)


def on_credits_expiring(*, credit: Any, expires_at: Any, **_: Any) -> None:
    _mail(mails.credits_expiring, credit, expires_at)


def on_spend_cap_reached(
    *, subscription: Any, subscriber: Any, amount: int, currency: str, policy: str, resets_at: Any, **_: Any
) -> None:
    _mail(mails.spend_cap_reached, subscription, subscriber, amount, currency, policy, resets_at)


def on_account_closed(*, deletion: Any, email: str, **_: Any) -> None:
    redaction.redact_finished(deletion, email)
    _mail(mails.account_deleted, deletion, email)


def _mail(ours: Callable[..., Any], *facts: Any) -> None:
    """Call the project's own function if NOTIFICATIONS_FUNCTIONS has one by the name of `ours`, else call `ours`."""
    path = conf.functions.get(ours.__name__)
    function = import_string(path) if path else ours
    function(*facts)


RECEIVERS: dict[Any, Signal] = {
    on_subscription_started: signals.subscription_started,
    on_subscription_changed: signals.subscription_changed,
    on_trial_ending: signals.trial_ending,
    on_trial_extended: signals.trial_extended,
    on_renewal_coming: signals.renewal_coming,
    on_price_change_coming: signals.price_change_coming,
    on_price_change_withdrawn: signals.price_change_withdrawn,
    on_card_expiring: signals.card_expiring,
    on_change_scheduled: signals.change_scheduled,
    on_cancellation_scheduled: signals.cancellation_scheduled,
    on_subscription_ended: signals.subscription_ended,
    on_collection_paused: signals.collection_paused,
    on_collection_resumed: signals.collection_resumed,
    on_discount_given: signals.discount_given,
    on_discount_ended: signals.discount_ended,
    on_access_granted: signals.access_granted,
    on_access_revoked: signals.access_revoked,
    on_payment_succeeded: signals.payment_succeeded,
    on_payment_recovered: signals.payment_recovered,
    on_payment_failed: signals.payment_failed,
    on_payment_action_required: signals.payment_action_required,
    on_payment_processing: signals.payment_processing,
    on_invoice_sent: signals.invoice_sent,
    on_invoice_due_soon: signals.invoice_due_soon,
    on_invoice_overdue: signals.invoice_overdue,
    on_tax_address_missing: signals.tax_address_missing,
    on_refund_failed: signals.refund_failed,
    on_refund_issued: signals.refund_issued,
    on_dispute_opened: signals.dispute_opened,
    on_dispute_closed: signals.dispute_closed,
    on_quota_overflowed: signals.quota_overflowed,
    on_purchase_waiting: signals.purchase_waiting,
    on_purchase_completed: signals.purchase_completed,
    on_purchase_reversed: signals.purchase_reversed,
    on_credits_low: signals.credits_low,
    on_credits_expiring: signals.credits_expiring,
    on_spend_cap_reached: signals.spend_cap_reached,
    on_account_closed: signals.account_closed,
}


def connect() -> None:
    """Connect every receiver of RECEIVERS to its signal."""
    for receiver, signal in RECEIVERS.items():
        signal.connect(receiver, dispatch_uid=f"billing_mail.{receiver.__name__}")

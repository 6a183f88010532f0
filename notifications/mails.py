"""Each function here reserves one kind of mail: it names the key under which the mail goes out once, and the facts it
needs.

They are called inside the transaction that made the reason true, and send nothing. Amounts stay in minor units and
dates in ISO, for the templates to format. A project may replace any of these functions with NOTIFICATIONS_FUNCTIONS.
"""

from datetime import date, datetime
from typing import Any

from billing import clock
from billing.lifecycle import price_moves
from billing.models import (
    AccountDeletion,
    Credit,
    Discount,
    Dispute,
    Invoice,
    Payment,
    PaymentFailure,
    Plan,
    Price,
    PriceMoveRow,
    Purchase,
    Refund,
    Subscription,
    Usage,
)
from billing.usage import allowance

from . import facts, invoice_mails, outbox, pack_mails, spending_mails
from .models import Mail

Kind = Mail.Kind


# The subscription


def welcome(subscription: Subscription) -> Mail:
    """Reserve the mail that a subscription has started."""
    trial_end = subscription.trial_end
    return outbox.reserve(
        Kind.WELCOME,
        f"welcome:{subscription.stripe_id}",
        **facts.about(subscription),
        **facts.discount(subscription),
        trial_end=facts.iso(trial_end if trial_end and trial_end > clock.now() else None),
        needs_card=facts.needs_card(subscription),
    )


def trial_ending(subscription: Subscription, trial_end: datetime) -> Mail:
    """Reserve the mail that a trial ends soon. It asks for a card where there is none."""
    return outbox.reserve(
        Kind.TRIAL_ENDING,
        f"trial_ending:{subscription.stripe_id}:{trial_end.date().isoformat()}",
        **facts.about(subscription),
        **facts.discounted_price(subscription, price_moves.price_charged_at(subscription, trial_end)),
        trial_end=facts.iso(trial_end),
        card=facts.card(subscription),
        needs_card=facts.needs_card(subscription),
        by_invoice=facts.is_by_invoice(subscription),
    )


def trial_extended(subscription: Subscription, trial_end: datetime) -> Mail:
    """Reserve the mail that a trial ends later than it did, once for each day."""
    return outbox.reserve(
        Kind.TRIAL_EXTENDED,
        f"trial_extended:{subscription.stripe_id}:{trial_end.date().isoformat()}",
        **facts.about(subscription),
        **facts.price(subscription, subscription.price),
        trial_end=facts.iso(trial_end),
        card=facts.card(subscription),
        needs_card=facts.needs_card(subscription),
        by_invoice=facts.is_by_invoice(subscription),
    )


def trial_paused(subscription: Subscription) -> Mail:
    """Reserve the mail that a trial has ended without a card, and that a card takes the subscription up again."""
    ended_at = facts.iso(subscription.trial_end)
    return outbox.reserve(
        Kind.TRIAL_PAUSED,
        f"trial_paused:{subscription.stripe_id}:{ended_at}",
        **facts.about(subscription),
        **facts.price(subscription, subscription.price),
        trial_end=ended_at,
    )


def renewal_coming(subscription: Subscription, renews_at: datetime) -> Mail:
    """Reserve the mail that a subscription of half a year or longer renews soon, with the amount that will be charged,
    if it is known; of one that is paid by invoice, it says that an invoice will come."""
    by_invoice = facts.is_by_invoice(subscription)
    return outbox.reserve(
        Kind.RENEWAL_COMING,
        f"renewal_coming:{subscription.stripe_id}:{renews_at.date().isoformat()}",
        **facts.about(subscription),
        **facts.next_charge(subscription, renews_at),
        **facts.discount(subscription),
        renews_at=facts.iso(renews_at),
        card="" if by_invoice else facts.card(subscription),
        by_invoice=by_invoice,
    )


def price_change(subscription: Subscription, change: PriceMoveRow) -> Mail:
    """Reserve the mail that the price changes from a renewal on, once for each time that it is told."""
    return outbox.reserve(
        Kind.PRICE_CHANGE,
        facts.price_change_key(change),
        **facts.about(subscription),
        **facts.price_change(change),
    )


def price_stays(subscription: Subscription, change: PriceMoveRow) -> Mail:
    """Reserve the mail that an announced change of the price does not come."""
    return outbox.reserve(
        Kind.PRICE_STAYS,
        f"price_stays:{subscription.stripe_id}:{change.pk}:{change.tellings}",
        **facts.about(subscription),
        **facts.price_change(change),
    )


def card_expiring(subscription: Subscription, expires_on: date) -> Mail:
    """Reserve the mail that the card expires before the next payment."""
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
    """Reserve the mail that the plan has changed, once for each change. The change's row in the subscription's history
    is the key."""
    changes = subscription.customer.subscription_changes.filter(stripe_id=subscription.stripe_id)
    change = changes.order_by("-recorded_at", "-pk").first()
    return outbox.reserve(
        Kind.PLAN_CHANGED,
        f"plan_changed:{subscription.stripe_id}:{change.pk if change else subscription.price_id}",
        **facts.about(subscription),
        **facts.discounted_price(subscription, subscription.price),
        previous_plan=previous_plan.name if previous_plan else "",
        price=subscription.price_id,
        quantity=subscription.quantity,
        since=facts.iso(subscription.current_period_start),
    )


def downgrade_scheduled(subscription: Subscription, price: Price | None, at: datetime) -> Mail:
    """Reserve the mail that a change of plan is scheduled."""
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
    """Reserve the mail that the subscription ends on a date, once for each date. Cancelling a second time for the same
    date sends no second mail."""
    return outbox.reserve(
        Kind.SUBSCRIPTION_CANCELLED,
        f"subscription_cancelled:{subscription.stripe_id}:{cancel_at.date().isoformat()}",
        **facts.about(subscription),
        cancel_at=facts.iso(cancel_at),
        ends_at=facts.iso(facts.access_end(subscription) or cancel_at),
        has_access=facts.has_access(subscription),
        has_other_access=facts.has_other_access(subscription),
        still_charged=facts.is_charged_before(subscription, cancel_at),
        **facts.open_amount(subscription),
    )


def subscription_ended(subscription: Subscription, reason: str) -> Mail:
    """Reserve the mail that the subscription has ended."""
    return outbox.reserve(
        Kind.SUBSCRIPTION_CANCELLED,
        f"subscription_cancelled:{subscription.stripe_id}:ended",
        **facts.about(subscription),
        ended_at=facts.iso(subscription.ended_at or clock.now()),
        cause=facts.cause(subscription, reason),
        has_any_access=facts.has_any_access(subscription),
        **facts.open_amount(subscription),
    )


def payments_paused(subscription: Subscription) -> Mail:
    """Reserve the mail that payments are paused, once for each change of that: it says until when, and what becomes of
    access."""
    return outbox.reserve(
        Kind.PAYMENTS_PAUSED,
        f"payments_paused:{subscription.stripe_id}:{clock.now().isoformat()}",
        **facts.about(subscription),
        **facts.paused(subscription),
    )


def payments_resumed(subscription: Subscription) -> Mail:
    """Reserve the mail that payments are collected again, with the day of the next one."""
    return outbox.reserve(
        Kind.PAYMENTS_RESUMED,
        f"payments_resumed:{subscription.stripe_id}:{clock.now().isoformat()}",
        **facts.about(subscription),
        next_at=facts.iso(facts.renewal(subscription)),
    )


def discount_given(subscription: Subscription, discount: Discount) -> Mail:
    """Reserve the mail that a live subscription was given a discount, with what it saves and until when."""
    return outbox.reserve(
        Kind.DISCOUNT_GIVEN,
        facts.discount_given_key(subscription.stripe_id, discount.stripe_id),
        **facts.about(subscription),
        **facts.discounted_price(subscription, subscription.price),
        discount=discount.stripe_id,
        coupon=discount.coupon,
        name=discount.code or discount.name,
        is_once=discount.duration == Discount.Duration.ONCE,
    )


def discount_ended(subscription: Subscription, discount: Discount) -> Mail:
    """Reserve the mail that a discount has ended, with what is charged from the next payment on."""
    return outbox.reserve(
        Kind.DISCOUNT_ENDED,
        f"discount_ended:{subscription.stripe_id}:{discount.stripe_id}",
        **facts.about(subscription),
        **facts.discounted_price(subscription, subscription.price),
        discount=discount.stripe_id,
        coupon=discount.coupon,
        name=discount.code or discount.name,
        is_once=discount.duration == Discount.Duration.ONCE,
        next_at=facts.iso(facts.renewal(subscription)),
    )


def access_restored(subscription: Subscription, revoked_because: str, was_written_off: bool = False) -> Mail:
    """Reserve the mail that access is back in a line, to the plan that gives it. `reasons` drops it if another mail
    says so already; of an invoice that was voided, credited or written off (`was_written_off`), no receipt does.
    """
    return outbox.reserve(
        Kind.ACCESS_RESTORED,
        f"access_restored:{subscription.customer_id}:{subscription.line}:{clock.now().isoformat()}",
        **{**facts.about(subscription), **facts.plan_in_effect(subscription)},
        revoked_because=revoked_because,
        was_written_off=was_written_off,
    )


def access_on_hold(subscription: Subscription, reason: str) -> Mail:
    """Reserve the mail that access is on hold, once for each line and hold; `reason` is that of access. Disputes and
    refunds have mails of their own."""
    held_since = facts.iso(facts.held_since(subscription))
    return outbox.reserve(
        Kind.ACCESS_ON_HOLD,
        f"access_on_hold:{subscription.customer_id}:{subscription.line}:{held_since}",
        **facts.about(subscription),
        reason=reason,
        is_held=True,
        held_since=held_since,
        renews_at=facts.iso(facts.renewal(subscription)),
    )


# Money


def payment_received(subscription: Subscription, payment: Payment) -> Mail:
    """Reserve the receipt of a payment."""
    return invoice_mails.receipt(Kind.PAYMENT_RECEIVED, subscription, payment)


def payment_recovered(subscription: Subscription, payment: Payment) -> Mail:
    """Reserve the receipt of a payment that had failed before. It shares its key with the plain receipt and replaces
    it."""
    return invoice_mails.receipt(
        Kind.PAYMENT_RECOVERED, subscription, payment, has_access=facts.has_access(subscription)
    )


def payment_failed(subscription: Subscription, failure: PaymentFailure) -> Mail:
    """Reserve the mail that a payment has failed."""
    return invoice_mails.unpaid(Kind.PAYMENT_FAILED, subscription, failure)


def action_required(subscription: Subscription, failure: PaymentFailure) -> Mail:
    """Reserve the mail that asks for 3D Secure. It shares its key with the mail of a failed payment, which Stripe
    announces too, and replaces it."""
    return invoice_mails.unpaid(Kind.ACTION_REQUIRED, subscription, failure)


def payment_processing(subscription: Subscription, invoice: Invoice) -> Mail:
    """Reserve the mail that a payment is on its way, once for each try."""
    return invoice_mails.to_pay(Kind.PAYMENT_PROCESSING, subscription, invoice, f":{invoice.attempts}")


def invoice_sent(subscription: Subscription, invoice: Invoice) -> Mail:
    """Reserve the mail with an invoice that is paid on its page by a date."""
    return invoice_mails.to_pay(Kind.INVOICE_SENT, subscription, invoice, stage="sent")


def invoice_due_soon(subscription: Subscription, invoice: Invoice) -> Mail:
    """Reserve the reminder that such an invoice is due soon."""
    return invoice_mails.to_pay(Kind.INVOICE_DUE_SOON, subscription, invoice, stage="soon")


def invoice_overdue(subscription: Subscription, invoice: Invoice) -> Mail:
    """Reserve the mail that such an invoice is overdue, with the end of access, if access depends on it."""
    depends = subscription.latest_invoice == invoice.pk
    return invoice_mails.to_pay(
        Kind.INVOICE_OVERDUE, subscription, invoice, stage="overdue", **facts.grace(subscription if depends else None)
    )


def address_needed(subscription: Subscription, invoice: Invoice) -> Mail:
    """Reserve the mail that asks for the address that the tax of an invoice depends on, once for each invoice."""
    return outbox.reserve(
        Kind.ADDRESS_NEEDED,
        f"address_needed:{invoice.pk}",
        **{**facts.about(subscription), **facts.what_for(subscription, invoice)},
        invoice=invoice.pk,
        is_draft=invoice.status == Invoice.Status.DRAFT,
    )


def dispute_opened(subscription: Subscription, dispute: Dispute) -> Mail:
    """Reserve the mail that a payment is disputed, and that access is on hold if it is."""
    return outbox.reserve(
        Kind.DISPUTE_OPENED,
        f"dispute_opened:{dispute.pk}",
        **{**facts.about(subscription), **facts.what_money_was_for(subscription, dispute)},
        **facts.money(dispute),
        dispute=dispute.pk,
        opened_at=facts.iso(dispute.opened_at),
        is_held=facts.is_held(subscription, dispute.pk),
        has_any_access=facts.has_any_access(subscription),
        renews_at=facts.iso(facts.renewal(subscription)),
    )


def dispute_closed(subscription: Subscription, dispute: Dispute) -> Mail:
    """Reserve the mail that a dispute is closed."""
    return outbox.reserve(
        Kind.DISPUTE_CLOSED,
        f"dispute_closed:{dispute.pk}",
        **{**facts.about(subscription), **facts.what_money_was_for(subscription, dispute)},
        **facts.money(dispute),
        dispute=dispute.pk,
        is_won=dispute.status == "won",
        was_held=facts.was_held_by(dispute),
        has_access=facts.has_access(subscription),
    )


def refund(subscription: Subscription, refund: Refund) -> Mail:
    """Reserve the mail about a refund."""
    return outbox.reserve(
        Kind.REFUND,
        f"refund:{refund.pk}",
        **{**facts.about(subscription), **facts.what_money_was_for(subscription, refund)},
        **facts.money(refund),
        refund=refund.pk,
        is_full=refund.is_full,
        refunded_at=facts.iso(refund.created_at),
    )


def refund_failed(subscription: Subscription, refund: Refund) -> Mail:
    """Reserve the mail that a refund did not arrive."""
    return outbox.reserve(
        Kind.REFUND_FAILED,
        f"refund_failed:{refund.pk}",
        **{**facts.about(subscription), **facts.what_money_was_for(subscription, refund)},
        **facts.money(refund),
        refund=refund.pk,
        ended=bool(refund.ended_subscription),
        refunded_at=facts.iso(refund.created_at),
    )


# The rest


def quota_overflow(subscription: Subscription | None, usage: Usage, used: int, limit: int, resets_at: datetime) -> Mail:
    """Reserve the mail that a limit was exceeded, once for each limit and period. It names the plan in effect."""
    effective = allowance(usage.subscriber).plan
    about = facts.about(subscription) if subscription else facts.about_subscriber(usage.subscriber)
    return outbox.reserve(
        Kind.QUOTA_OVERFLOW,
        f"quota_overflow:{usage.pk}:{limit}",
        **{**about, **facts.plan(effective)},
        usage=usage.pk,
        feature=usage.feature.replace("_", " ").replace("-", " "),
        used=used,
        limit=limit,
        over=used - limit,
        resets_at=facts.iso(resets_at),
    )


def pack_waiting(purchase: Purchase) -> Mail:
    """Reserve the mail that tells a guest how they get what they paid for."""
    return pack_mails.waiting(purchase)


def pack_delivered(purchase: Purchase) -> Mail:
    """Reserve the mail that a pack is delivered."""
    return pack_mails.delivered(purchase)


def pack_reversed(purchase: Purchase, taken: int, used: int) -> Mail:
    """Reserve the mail that what a pack gave was taken back with its money."""
    return pack_mails.reversed_(purchase, taken, used)


def credits_low(subscriber: Any, credit: Credit, left: int, given: int) -> Mail:
    """Reserve the mail that credits run low."""
    return pack_mails.low(subscriber, credit, left, given)


def credits_expiring(credit: Credit, expires_at: datetime) -> Mail:
    """Reserve the mail that credits expire soon."""
    return pack_mails.expiring(credit, expires_at)


def spend_cap_reached(
    subscription: Subscription, subscriber: Any, amount: int, currency: str, policy: str, resets_at: datetime
) -> Mail:
    """Reserve the mail that the cap on what use beyond the limits costs is reached."""
    return spending_mails.cap_reached(subscription, subscriber, amount, currency, policy, resets_at)


def account_deleted(deletion: AccountDeletion, email: str) -> Mail:
    """Reserve the mail that the account was deleted, to the address known until now. The outbox empties that address
    once the mail is sent."""
    return outbox.reserve(
        Kind.ACCOUNT_DELETED,
        f"account_deleted:{deletion.pk}",
        customer=deletion.customer,
        recipient=email,
        language=facts.language_of(deletion.customer, deletion.subscriber),
        deleted_at=facts.iso(deletion.done_at),
    )

"""This module decides whether a mail still has a reason, when it is reserved and again before it is sent.

Each rule reads the database anew. An empty answer sends the mail; otherwise the answer says why it is skipped.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from billing import access, clock
from billing.conf import conf as billing
from billing.models import AccountDeletion, Dispute, Invoice, Payment, Refund, StripeWrite, Subscription, Usage
from billing.payments import UNDONE

from . import facts as facts_of
from . import pack_notices, price_notices, spending_mails
from .conf import conf
from .models import Mail

NO_ADDRESS = "No e-mail address is known."
NOTHING_CHARGED = "Nothing was charged."
PAID = "The invoice is paid."
INQUIRY = "This is only an inquiry: no money moved and access stays."
NO_HOLD = "Disputes do not hold access here (BILLING_DISPUTE_HOLDS)."
DISPUTE_CLOSED = "The dispute is closed."
NOT_OPEN = "The invoice is no longer open, or would buy nothing."
ON_ITS_WAY = "The payment is on its way."
NOT_ON_ITS_WAY = "The payment is no longer on its way."
ADDRESS_KNOWN = "The address is known now, or nothing waits for it."
REFUND_ARRIVED = "The refund has not failed."
REFUND_UNDONE = "The refund did not go through."
NOT_SCHEDULED = "The cancellation is no longer scheduled for that day."
BEING_DELETED = "The account is being deleted, and another mail says so."
FITS_AGAIN = "The usage is within the plan again."
NEVER_STARTED = "The subscription never started."
OFF = "NOTIFICATIONS_OFF switches this kind of mail off."
BY_STRIPE = "Stripe sends this kind of mail itself (NOTIFICATIONS_BY_STRIPE)."
OVER = "The subscription has ended since."
MOVED = "The date has changed, or nothing will be charged then."
TRIAL_NOT_PAUSED = "The subscription is not paused any more, or there is a card now."
NEW_CARD = "The customer has another card now."
CHANGED_AGAIN = "The subscription has changed again since."
TOLD_AHEAD = "The subscriber got a mail when the change was scheduled."
NO_ACCESS = "The subscriber has no access now."
TOLD_BETTER = "Another mail says so: about the start, the payment or the dispute."
NOT_HELD = "The access is not on hold for that reason any more."
NOT_BACK = "The access begins, and is not back."
NOT_PAUSED = "The payments are not paused any more, or in another way."
PAUSED_AGAIN = "The payments are paused again."
NO_DISCOUNT = "The subscription does not have this discount any more, or it takes nothing off."
ONE_PAYMENT = "The discount was for one payment, whose receipt shows it."
NEVER_TOLD = "It had ended before the mail about it went out."
DISCOUNT_BACK = "The subscription has this discount again, or nothing is charged any more."
THE_END_SAYS_IT = "The mail about the end of the subscription says so."

# The reasons of access that no other mail tells of.
ON_HOLD = frozenset({"hold_staff", "hold_fraud"})
# After one of these, the mail about a start or a payment says that access is back.
TOLD_BY_OTHERS = frozenset(
    {"", "no_subscription", "incomplete", "canceled", "grace_over", "unpaid", "collection_paused"}
)
SAY_THAT_ACCESS_IS_BACK = (Mail.Kind.WELCOME, Mail.Kind.PAYMENT_RECOVERED, Mail.Kind.DISPUTE_CLOSED)
OF_ONE_MOMENT = timedelta(hours=1)


def not_to_send(mail: Mail) -> str:
    """Return why `mail` is not sent, or an empty string to send it."""
    if mail.kind in conf.off:
        return OFF
    if mail.kind in conf.by_stripe:
        return BY_STRIPE
    if not mail.recipient:
        return NO_ADDRESS
    return RULES[mail.kind]({**mail.context, "customer": mail.customer_id})


def _live(facts: dict[str, Any]) -> Subscription | str:
    """Return the subscription that a mail is about, or why the mail has no reason any more."""
    row = Subscription.objects.filter(stripe_id=facts["subscription"]).select_related("customer").first()
    if row is None or row.status in Subscription.TERMINAL:
        return OVER
    return BEING_DELETED if AccountDeletion.objects.filter(customer=row.customer_id).exists() else row


def _welcome(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    return "" if facts_of.has_access(row) else NO_ACCESS


def _trial_ending(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    is_so = row.status == Subscription.Status.TRIALING and _is_charged_on(row, row.trial_end, facts["trial_end"])
    return "" if is_so else MOVED


def _trial_paused(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    is_so = row.status == Subscription.Status.PAUSED and row.trial_end is not None and row.has_payment_method is False
    return "" if is_so else TRIAL_NOT_PAUSED


def _renewal_coming(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    return "" if _is_charged_on(row, row.current_period_end, facts["renews_at"]) else MOVED


def _card_expiring(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    if (row.card_last4, str(row.card_expires_on)) != (facts["last4"], facts["expires_on"]):
        return NEW_CARD
    return "" if _is_charged_on(row, row.current_period_end, facts["charged_at"]) else MOVED


def _is_charged_on(row: Subscription, day: datetime | None, told: str) -> bool:
    """Return whether the subscription is charged on the day that the mail names. Days are compared, not seconds;
    nothing is charged after a cancellation."""
    if day is None or day.date() != datetime.fromisoformat(told).date():
        return False
    return not row.collection_paused and (row.cancel_at is None or row.cancel_at > day)


def _price_change(facts: dict[str, Any]) -> str:
    row = _live(facts)
    return row if isinstance(row, str) else price_notices.not_to_announce(row, facts)


def _price_stays(facts: dict[str, Any]) -> str:
    row = _live(facts)
    return row if isinstance(row, str) else price_notices.not_to_withdraw(facts)


def _plan_changed(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    if (row.price_id, row.quantity) != (facts["price"], facts["quantity"]):
        return CHANGED_AGAIN
    if facts.get("previous_plan") == facts.get("plan") and price_notices.was_told(facts):
        return TOLD_AHEAD
    if not facts["since"]:
        return ""
    since = datetime.fromisoformat(facts["since"])
    ahead = Mail.objects.filter(key=facts_of.downgrade_key(facts["subscription"], facts["price"], since))
    return TOLD_AHEAD if ahead.exclude(status=Mail.Status.SKIPPED).exists() else ""


def _downgrade_scheduled(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    if facts.get("next_plan") == facts.get("plan") and price_notices.was_told(facts):
        return TOLD_AHEAD
    day = row.pending_at.date() if row.pending_at else None
    is_so = day == datetime.fromisoformat(facts["changes_at"]).date() and (row.pending_price_id or "") == facts["price"]
    return "" if is_so and row.pending_kind == Subscription.Pending.SCHEDULED else CHANGED_AGAIN


def _access_restored(facts: dict[str, Any]) -> str:
    """Skip the mail if another one says that access is back in this line; docs/mail.md lists which. Of access that no
    subscription gives, none does.
    """
    because, is_bought = facts["revoked_because"], _gives_access(facts["subscription"])
    if is_bought and because in TOLD_BY_OTHERS and not facts.get("was_written_off"):
        return TOLD_BETTER
    if not because:
        return NOT_BACK
    better = Mail.objects.filter(customer=facts["customer"], kind__in=SAY_THAT_ACCESS_IS_BACK)
    better = better.filter(created_at__gt=clock.now() - OF_ONE_MOMENT).exclude(status=Mail.Status.SKIPPED)
    if any(_says_that_access_is_back(mail.context, facts) for mail in better):
        return TOLD_BETTER
    return "" if access.of_customer(facts["customer"], facts["line"]).has_access else NO_ACCESS


def _gives_access(subscription: str) -> bool:
    """Return whether a subscription by itself, apart from what staff gave and from holds, gives access now."""
    row = Subscription.objects.filter(stripe_id=subscription).select_related("customer", "plan", "price").first()
    return row is not None and access.decide(access.AccessFacts(row), clock.now()).has_access


def _says_that_access_is_back(told: dict[str, Any], facts: dict[str, Any]) -> bool:
    """Return whether a mail about a start, a payment or a dispute speaks of the access of this line. One about a
    one-off payment does not, nor one about a dispute that held nothing.
    """
    return bool(told.get("line") == facts["line"] and told.get("plan") and told.get("was_held", True))


def _access_on_hold(facts: dict[str, Any]) -> str:
    return "" if access.of_customer(facts["customer"], facts["line"]).reason == facts["reason"] else NOT_HELD


def _dispute_closed(facts: dict[str, Any]) -> str:
    dispute = Dispute.objects.filter(pk=facts["dispute"]).first()
    if dispute is None or dispute.status not in {"won", "lost"}:
        return INQUIRY
    cancels = StripeWrite.objects.filter(reference=dispute.pk, withdrawn_at=None)
    return THE_END_SAYS_IT if dispute.is_lost and cancels.exists() else ""


def _payment_received(facts: dict[str, Any]) -> str:
    return "" if facts["amount"] > 0 else NOTHING_CHARGED


def _unpaid(facts: dict[str, Any]) -> str:
    if Payment.objects.filter(invoice_id=facts["invoice"]).exists():
        return PAID
    row = Invoice.objects.filter(pk=facts["invoice"]).first()
    return _not_to_pay(row) if row else ""


def _not_to_pay(row: Invoice) -> str:
    """Return why an invoice is not asked to be paid."""
    if row.status == Invoice.Status.PAID:
        return PAID
    if not Invoice.objects.owed().filter(pk=row.pk).exists():
        return NOT_OPEN
    return ON_ITS_WAY if row.payment == Invoice.Standing.PROCESSING else ""


def _invoice_to_pay(facts: dict[str, Any]) -> str:
    row = Invoice.objects.filter(pk=facts["invoice"]).first()
    if row is None:
        return NOT_OPEN
    is_late = facts["stage"] != "overdue" and row.is_overdue(clock.now())
    return NOT_OPEN if is_late else _not_to_pay(row)


def _payment_processing(facts: dict[str, Any]) -> str:
    processing = Invoice.objects.owed().filter(pk=facts["invoice"], payment=Invoice.Standing.PROCESSING)
    return "" if processing.exists() else NOT_ON_ITS_WAY


def _address_needed(facts: dict[str, Any]) -> str:
    """Skip the mail once the invoice has gone out with its tax, or Stripe taxes the subscription again."""
    row = Invoice.objects.filter(pk=facts["invoice"]).first()
    if row is None or not row.lacks_address:
        return ADDRESS_KNOWN
    untaxed = Subscription.objects.filter(stripe_id=row.subscription_id, lacks_address=True)
    is_waited_for = row.status == Invoice.Status.DRAFT or untaxed.exists()
    if not is_waited_for:
        return ADDRESS_KNOWN
    is_leaving = AccountDeletion.objects.filter(customer=row.customer_id).exists()
    return BEING_DELETED if is_leaving else ""


def _refund_failed(facts: dict[str, Any]) -> str:
    undone = Refund.objects.filter(pk=facts["refund"], status__in=UNDONE)
    return "" if undone.exists() else REFUND_ARRIVED


def _dispute_opened(facts: dict[str, Any]) -> str:
    dispute = Dispute.objects.filter(pk=facts["dispute"]).first()
    if dispute is None or not dispute.is_open:
        return DISPUTE_CLOSED
    if dispute.is_inquiry:
        return INQUIRY
    return "" if billing.dispute_holds else NO_HOLD


def _refund(facts: dict[str, Any]) -> str:
    undone = Refund.objects.filter(pk=facts["refund"], status__in=UNDONE)
    return REFUND_UNDONE if undone.exists() else ""


def _subscription_cancelled(facts: dict[str, Any]) -> str:
    """Skip the mail unless the subscription still ends on that day. Days are compared, not seconds, as in the mail's
    key."""
    subscription = Subscription.objects.filter(stripe_id=facts["subscription"]).first()
    if AccountDeletion.objects.filter(customer__subscriptions__stripe_id=facts["subscription"]).exists():
        return BEING_DELETED
    if "ended_at" in facts:
        never = subscription is not None and subscription.status == Subscription.Status.INCOMPLETE_EXPIRED
        return NEVER_STARTED if never else ""
    day = datetime.fromisoformat(facts.get("cancel_at") or facts["ends_at"]).date()
    still = subscription is not None and subscription.cancel_at is not None and subscription.cancel_at.date() == day
    return "" if still else NOT_SCHEDULED


def _payments_paused(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    same = bool(row.collection_paused) and facts_of.iso(row.collection_resumes_at) == facts["resumes_at"]
    is_draft = row.collection_paused == "keep_as_draft"
    same = same and is_draft == facts["is_draft"] and facts_of.iso(row.paid_until) == facts["paid_until"]
    return "" if same else NOT_PAUSED


def _payments_resumed(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    return PAUSED_AGAIN if row.collection_paused else ""


def _discount_given(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    return "" if _its_discounts(row, facts).exclude(saves=0).exists() else NO_DISCOUNT


def _discount_ended(facts: dict[str, Any]) -> str:
    row = _live(facts)
    if isinstance(row, str):
        return row
    if facts["is_once"]:
        return ONE_PAYMENT
    given = Mail.objects.filter(key=facts_of.discount_given_key(facts["subscription"], facts["discount"]))
    if given.filter(status__in=[Mail.Status.QUEUED, Mail.Status.SKIPPED]).exists():
        return NEVER_TOLD
    is_over = not _its_discounts(row, facts).exists()
    return "" if is_over and facts_of.renewal(row) else DISCOUNT_BACK


def _its_discounts(row: Subscription, facts: dict[str, Any]) -> Any:
    """Return the discount that a mail is about, or one by the same coupon that took its place."""
    return row.discounts.filter(Q(stripe_id=facts["discount"]) | Q(coupon=facts["coupon"]))


def _quota_overflow(facts: dict[str, Any]) -> str:
    is_over = Usage.objects.filter(pk=facts["usage"], has_announced_overflow=True).exists()
    return "" if is_over else FITS_AGAIN


def _account_deleted(facts: dict[str, Any]) -> str:
    return ""


RULES: dict[str, Callable[[dict[str, Any]], str]] = {
    Mail.Kind.WELCOME: _welcome,
    Mail.Kind.TRIAL_ENDING: _trial_ending,
    Mail.Kind.TRIAL_EXTENDED: _trial_ending,
    Mail.Kind.TRIAL_PAUSED: _trial_paused,
    Mail.Kind.RENEWAL_COMING: _renewal_coming,
    Mail.Kind.PRICE_CHANGE: _price_change,
    Mail.Kind.PRICE_STAYS: _price_stays,
    Mail.Kind.CARD_EXPIRING: _card_expiring,
    Mail.Kind.PLAN_CHANGED: _plan_changed,
    Mail.Kind.DOWNGRADE_SCHEDULED: _downgrade_scheduled,
    Mail.Kind.ACCESS_RESTORED: _access_restored,
    Mail.Kind.ACCESS_ON_HOLD: _access_on_hold,
    Mail.Kind.PAYMENT_RECEIVED: _payment_received,
    Mail.Kind.PAYMENT_RECOVERED: _payment_received,
    Mail.Kind.PAYMENT_FAILED: _unpaid,
    Mail.Kind.ACTION_REQUIRED: _unpaid,
    Mail.Kind.PAYMENT_PROCESSING: _payment_processing,
    Mail.Kind.INVOICE_SENT: _invoice_to_pay,
    Mail.Kind.INVOICE_DUE_SOON: _invoice_to_pay,
    Mail.Kind.INVOICE_OVERDUE: _invoice_to_pay,
    Mail.Kind.ADDRESS_NEEDED: _address_needed,
    Mail.Kind.REFUND_FAILED: _refund_failed,
    Mail.Kind.DISPUTE_OPENED: _dispute_opened,
    Mail.Kind.DISPUTE_CLOSED: _dispute_closed,
    Mail.Kind.REFUND: _refund,
    Mail.Kind.SUBSCRIPTION_CANCELLED: _subscription_cancelled,
    Mail.Kind.PAYMENTS_PAUSED: _payments_paused,
    Mail.Kind.PAYMENTS_RESUMED: _payments_resumed,
    Mail.Kind.DISCOUNT_GIVEN: _discount_given,
    Mail.Kind.DISCOUNT_ENDED: _discount_ended,
    Mail.Kind.QUOTA_OVERFLOW: _quota_overflow,
    Mail.Kind.PACK_WAITING: pack_notices.not_waiting,
    Mail.Kind.PACK_DELIVERED: pack_notices.not_to_deliver,
    Mail.Kind.PACK_REVERSED: pack_notices.not_to_reverse,
    Mail.Kind.CREDITS_LOW: pack_notices.not_low,
    Mail.Kind.CREDITS_EXPIRING: pack_notices.not_expiring,
    Mail.Kind.SPEND_CAP_REACHED: spending_mails.not_at_cap,
    Mail.Kind.ACCOUNT_DELETED: _account_deleted,
}

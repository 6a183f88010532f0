"""A mail about a pack or about credits is not sent once it is no longer true."""

from typing import Any

from django.db.models import Sum

from billing import clock
from billing.models import AccountDeletion, Credit, Purchase, Refund
from billing.usage import credit_reminders, crediting

from . import facts as facts_of

MATCHED = "It belongs to a subscriber by now."
GONE_AGAIN = "The money went back, and another mail says so."
GIVEN_AGAIN = "The money came back, and what was bought with it."
TOPPED_UP = "There are more credits again."
SPENT_OR_MOVED = "Nothing is left to expire, or it ends on another day."
NO_ACCOUNT = "The account is being deleted, and another mail says so."


def not_waiting(told: dict[str, Any]) -> str:
    purchase = Purchase.objects.unmatched().filter(pk=told["purchase"]).first()
    if purchase is None:
        return MATCHED
    is_gone = AccountDeletion.objects.filter(customer=purchase.customer_id).exists()
    return GONE_AGAIN if is_gone or refunded(purchase) else ""


def refunded(purchase: Purchase) -> bool:
    """Return whether all the money of a purchase that still waits went back."""
    theirs = Refund.objects.filter(payment_intent=purchase.payment_intent).exclude(status__in=Refund.UNDONE)
    back = theirs.aggregate(sum=Sum("amount"))["sum"] or 0
    return bool(purchase.payment_intent and purchase.amount) and back >= (purchase.amount or 0)


def not_to_deliver(told: dict[str, Any]) -> str:
    purchase = Purchase.objects.filter(pk=told["purchase"]).first()
    is_there = purchase is not None and purchase.delivered_at is not None
    is_kept = is_there and purchase is not None and not (purchase.amount and purchase.given_back >= purchase.amount)
    return "" if is_kept else GONE_AGAIN


def not_to_reverse(told: dict[str, Any]) -> str:
    purchase = Purchase.objects.filter(pk=told["purchase"]).first()
    return "" if purchase is not None and purchase.given_back >= told["given_back"] else GIVEN_AGAIN


def not_low(told: dict[str, Any]) -> str:
    credit = Credit.objects.select_related("subscriber").filter(pk=told["credit"]).first()
    if credit is None or _is_leaving(credit):
        return NO_ACCOUNT
    left = crediting.balance(credit.subscriber).get(credit.feature, 0)
    return "" if credit_reminders.is_low(left, told["given"]) else TOPPED_UP


def not_expiring(told: dict[str, Any]) -> str:
    credit = Credit.objects.select_related("subscriber").filter(pk=told["credit"]).first()
    if credit is None or _is_leaving(credit):
        return NO_ACCOUNT
    is_ahead = credit.until is not None and credit.until > clock.now()
    return "" if credit.left and is_ahead and facts_of.iso(credit.until) == told["expires_at"] else SPENT_OR_MOVED


def _is_leaving(credit: Credit) -> bool:
    return AccountDeletion.objects.filter(subscriber=credit.subscriber_id).exists()

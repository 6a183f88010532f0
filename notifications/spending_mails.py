"""The mail that a spend cap is reached, and why it is not sent any more."""

from datetime import datetime
from typing import Any

from billing import usage
from billing.models import AccountDeletion, Subscription

from . import facts, outbox
from .models import Mail

CAP_MOVED = "Use is below the spend cap again, or the cap has changed."
NO_ACCOUNT = "The account is being deleted, and another mail says so."


def cap_reached(
    subscription: Subscription, subscriber: Any, amount: int, currency: str, policy: str, resets_at: datetime
) -> Mail:
    """Reserve the mail that a spend cap is reached, once for each cap and month."""
    return outbox.reserve(
        Mail.Kind.SPEND_CAP_REACHED,
        f"spend_cap_reached:{subscriber.pk}:{resets_at.date().isoformat()}:{amount}:{currency}:{policy}",
        **facts.about(subscription),
        amount=amount,
        currency=currency,
        policy=policy,
        resets_at=facts.iso(resets_at),
    )


def not_at_cap(told: dict[str, Any]) -> str:
    row = Subscription.objects.filter(stripe_id=told["subscription"]).select_related("customer__subscriber").first()
    subscriber = row.customer.subscriber if row else None
    if subscriber is None or AccountDeletion.objects.filter(subscriber=subscriber).exists():
        return NO_ACCOUNT
    cap = usage.capping.reached_by(subscriber)
    is_so = cap is not None and (cap.amount, cap.currency, cap.policy) == (
        told["amount"],
        told["currency"],
        told["policy"],
    )
    return "" if is_so else CAP_MOVED

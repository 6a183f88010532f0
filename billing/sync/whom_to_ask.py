"""Each hour the sync asks Stripe about customers for whom something is due, and about those it has not checked for
long."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from billing import clock
from billing.models import CheckoutAttempt, Subscription

Status = Subscription.Status

MOST = 500
RENEWS_WITHIN = timedelta(hours=2)
CHECKOUT_TAKES = timedelta(minutes=10)
LONG = timedelta(hours=36)


def customers(last_full: datetime | None) -> list[str]:
    """Return customers whose payment or renewal is overdue, longest unseen first, at most 500."""
    now = clock.now()
    is_pending = Q(status__in=[Status.INCOMPLETE, Status.PAST_DUE])
    lives = Q(status__in=[Status.ACTIVE, Status.TRIALING])
    is_overdue = lives & (Q(current_period_end__lt=now - RENEWS_WITHIN) | Q(cancel_at__lt=now - RENEWS_WITHIN))
    is_unseen = Q(fetched_at__lt=timezone.now() - LONG) & ~Q(status__in=Subscription.TERMINAL)
    wanted = is_pending | is_overdue
    if last_full is None or last_full < timezone.now() - LONG:
        wanted |= is_unseen
    ours = Subscription.objects.exclude(whose=Subscription.Whose.FOREIGN)
    rows = ours.filter(wanted, customer__deleted_at=None).order_by("fetched_at")
    return list(dict.fromkeys([*rows.values_list("customer", flat=True)[:MOST], *_buying()]))[:MOST]


def _buying() -> list[str]:
    """Return customers who have been at Stripe's page for a while: they may have paid, and the webhook did not come."""
    opened = CheckoutAttempt.objects.filter(
        status=CheckoutAttempt.Status.OPEN, created_at__lt=timezone.now() - CHECKOUT_TAKES, customer__deleted_at=None
    )
    return list(opened.exclude(session_id="").order_by("created_at").values_list("customer", flat=True)[:MOST])

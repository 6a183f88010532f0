"""Staff are alerted when a change that they scheduled at Stripe is dropped by what a subscriber asks for.

Stripe neither cancels nor changes a subscription that is under a schedule, and a schedule that ends with the period has
no later phase: so it is released, and cannot be kept for one who resumes.
"""

from django.utils.formats import date_format

from billing.clock import from_timestamp
from billing.models import PlanChange, Subscription
from billing.monitoring import alerts
from billing.subscriptions import PendingChange

ASKED_FOR = frozenset({PlanChange.Status.ASKED, PlanChange.Status.MADE})


def tell(subscription: str, schedule: str, dropped: PendingChange | None) -> None:
    """Alert staff to a scheduled change that is dropped, once for each schedule; one that the subscriber had asked for
    is theirs to drop.
    """
    if dropped is None or dropped.kind != Subscription.Pending.SCHEDULED or dropped.at is None:
        return
    theirs = PlanChange.objects.filter(subscription_id=subscription, status__in=ASKED_FOR, price=dropped.price)
    if dropped.price is not None and theirs.exists():
        return
    day = date_format(from_timestamp(dropped.at), "j M Y")
    what = f"the price {dropped.price.pk}" if dropped.price else "a price without a plan"
    alerts.remind_staff(
        f"schedule_dropped:{schedule}"[:100],
        f"The schedule of {subscription} is dropped",
        f"The subscriber cancelled, resumed or changed {subscription}. For that we asked Stripe to release its "
        f"schedule {schedule}, which would have changed it to {what} on {day}. If the "
        "subscription goes on, schedule the change anew: Stripe's dashboard still shows the released schedule.",
    )

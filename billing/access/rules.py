"""The rules of access, over rows and a clock: one query, no Stripe call.

Access needs a status that gives it and no active hold. The reasons are stable codes:
`active`, `trialing`, `grace` give access; `grace_over`, `incomplete`, `unpaid`, `paused`, `canceled`,
`hold_dispute`, `hold_refund`, `hold_fraud`, `hold_staff`, `unmapped_price` (a live subscription to a price that belongs
to no plan of ours), `closing` (the account is being deleted), `customer_deleted` and `no_subscription` do not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from billing import clock
from billing.conf import conf
from billing.models import AccountDeletion, Hold, Plan, PlanLimit, Subscription

Status = Subscription.Status
GIVES_ACCESS = frozenset({Status.ACTIVE, Status.TRIALING})
REASON_WITHOUT_ACCESS = {
    Status.NONE: "no_subscription",
    Status.INCOMPLETE: "incomplete",
    Status.INCOMPLETE_EXPIRED: "incomplete",
    Status.UNPAID: "unpaid",
    Status.PAUSED: "paused",
    Status.CANCELED: "canceled",
}


@dataclass(frozen=True)
class Access:
    """The answer to "may they use it, and why". `plan` is the paid one only while there is access, else None."""

    has_access: bool
    reason: str
    plan: Plan | None = None
    subscription: Subscription | None = None
    grace_ends_at: datetime | None = None


NO_SUBSCRIPTION = Access(has_access=False, reason="no_subscription")


def has_access(subscriber: Any, *, plan: str = "", feature: str = "") -> bool:
    """Whether `subscriber` may use what they pay for, now. One query.

    `plan` asks for that plan or one ranked above it, by slug; `feature` for a paid plan that names it among its limits.
    A plan that does not exist is nobody's.
    """
    subscription = _of(subscriber, _asking(plan, feature))
    if subscription is None or not decide(subscription, clock.now()).has_access:
        return False
    wanted: Any = subscription
    has_plan = not plan or (wanted.asked_rank is not None and wanted.plan.rank >= wanted.asked_rank)
    return has_plan and (not feature or wanted.has_feature)


def of(subscriber: Any) -> Access:
    """The whole answer for `subscriber`, now. One query."""
    subscription = _of(subscriber, with_holds())
    return NO_SUBSCRIPTION if subscription is None else decide(subscription, clock.now())


def with_holds() -> QuerySet[Subscription]:
    """Subscriptions with all that `decide` reads, in one query."""
    active = Hold.objects.active().filter(customer=OuterRef("customer")).order_by("placed_at", "pk")
    closing = AccountDeletion.objects.filter(customer=OuterRef("customer"))
    return Subscription.objects.select_related("customer", "plan", "price").annotate(
        active_hold=Subquery(active.values("kind")[:1]), is_closing=Exists(closing)
    )


def _of(subscriber: Any, rows: QuerySet[Subscription]) -> Subscription | None:
    """None, without a query, for nobody and for who is not signed in."""
    if getattr(subscriber, "pk", None) is None:
        return None
    return rows.filter(customer__subscriber=subscriber).first()


def _asking(plan: str, feature: str) -> QuerySet[Subscription]:
    rows = with_holds()
    if plan:
        rows = rows.annotate(asked_rank=Subquery(Plan.objects.filter(slug=plan).values("rank")[:1]))
    if feature:
        rows = rows.annotate(has_feature=Exists(PlanLimit.objects.filter(plan=OuterRef("plan"), feature=feature)))
    return rows


def decide(subscription: Subscription, at: datetime) -> Access:
    """Status rule, then what outweighs it. `subscription` comes from `with_holds`, or is told what that annotates."""
    row: Any = subscription
    grace_ends_at = grace_end(subscription)
    allowed, reason = _by_status(subscription, at, grace_ends_at)
    if subscription.customer.deleted_at:
        allowed, reason = False, "customer_deleted"
    elif allowed and row.is_closing:
        allowed, reason = False, "closing"
    elif allowed and subscription.plan_id is None:
        allowed, reason = False, "unmapped_price"
    elif allowed and row.active_hold:
        allowed, reason = False, f"hold_{row.active_hold}"
    return Access(allowed, reason, subscription.plan if allowed else None, subscription, grace_ends_at)


def grace_end(subscription: Subscription) -> datetime | None:
    """When access ends unless the open invoice is paid; None when nothing is past due."""
    if subscription.past_due_since is None:
        return None
    days = subscription.plan.grace_days if subscription.plan else None
    return subscription.past_due_since + timedelta(days=conf.grace_days if days is None else days)


def _by_status(subscription: Subscription, at: datetime, grace_ends_at: datetime | None) -> tuple[bool, str]:
    status = Status(subscription.status)
    if status in GIVES_ACCESS:
        return True, status.value
    if status == Status.PAST_DUE:
        in_grace = grace_ends_at is not None and at < grace_ends_at
        return in_grace, "grace" if in_grace else "grace_over"
    return False, REASON_WITHOUT_ACCESS[status]

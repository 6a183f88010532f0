"""The rules of access read rows and a clock: one query, no Stripe call.

Access needs a status that gives it, or a comp, and no active hold. The reasons are stable codes:
`active`, `trialing`, `grace` and `comp` (staff gave access until a moment) give access; `grace_over`, `incomplete`,
`unpaid`, `paused`, `canceled`, `hold_dispute`, `hold_refund`, `hold_fraud`, `hold_staff`, `unmapped_price` (a live
subscription to a price that belongs to no plan of ours), `closing` (the account is being deleted), `customer_deleted`,
`no_subscription`, `no_subscriber` (a user whom nobody pays for) and `host_…` (what the project's BILLING_ACCESS_RULE
says) do not.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.utils.module_loading import import_string

from billing import clock
from billing.conf import conf
from billing.models import AccountDeletion, Comp, Hold, Plan, PlanLimit, Subscription

Status = Subscription.Status
COMP = "comp"
BY_HOST = "host_"
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
class AccessFacts:
    """`decide` reads nothing but these facts: the subscription with its customer, and what the query found beside it.

    `comp` is the open one, in force or not; `active_hold` is the kind of the oldest hold, None for none.
    """

    subscription: Subscription
    active_hold: str | None = None
    is_closing: bool = False
    comp: Comp | None = None


@dataclass(frozen=True)
class Access:
    """An access says whether the subscriber has access, and why.

    `plan` is the plan that gives access, paid or by a comp, whichever ranks higher; None without access. `comp` is the
    comp in force, even if something outweighs it.
    """

    has_access: bool
    reason: str
    plan: Plan | None = None
    subscription: Subscription | None = None
    grace_ends_at: datetime | None = None
    comp: Comp | None = None

    @property
    def refused_by_host(self) -> str:
        """Return the reason of the project's own rule in words, such as "banned"; "" if that rule did not refuse."""
        return self.reason.removeprefix(BY_HOST).replace("_", " ") if self.reason.startswith(BY_HOST) else ""

    @property
    def is_paid(self) -> bool:
        """Return whether the subscription gives access, rather than staff."""
        return self.has_access and self.reason != COMP


NO_SUBSCRIPTION = Access(has_access=False, reason="no_subscription")
NO_SUBSCRIBER = Access(has_access=False, reason="no_subscriber")


def has_access(subscriber: Any, *, plan: str = "", feature: str = "") -> bool:
    """Return whether `subscriber` has access now. Makes one query.

    `plan`, a slug, asks for that plan or a higher one; `feature` asks for a plan that has it among its limits.
    Nobody has access to a plan that does not exist.
    """
    wanted: Any = _row_of(subscriber, _rows_for(plan, feature))
    decided = NO_SUBSCRIPTION if wanted is None else decide(facts_of(wanted), clock.now())
    if decided.plan is None:
        return False
    has_plan = not plan or (wanted.asked_rank is not None and decided.plan.rank >= wanted.asked_rank)
    named_by = "has_feature_by_comp" if decided.reason == COMP else "has_feature"
    return has_plan and (not feature or getattr(wanted, named_by))


def of(subscriber: Any) -> Access:
    """Return whether `subscriber` has access now, with the reason, plan and dates. Makes one query."""
    row = _row_of(subscriber, with_access_facts())
    return NO_SUBSCRIPTION if row is None else decide(facts_of(row), clock.now())


def of_customer(customer_id: str) -> Access:
    """Return whether a customer has access now, with the reason; the row comes with its subscriber, in one query."""
    rows = with_access_facts().select_related("customer__subscriber")
    row = rows.filter(customer=customer_id).first()
    return NO_SUBSCRIPTION if row is None else decide(facts_of(row), clock.now())


def with_access_facts() -> QuerySet[Subscription]:
    """Return subscriptions with what `facts_of` reads of them, in one query."""
    active = Hold.objects.active().filter(customer=OuterRef("customer")).order_by("placed_at", "pk")
    closing = AccountDeletion.objects.filter(customer=OuterRef("customer"))
    rows: Any = Subscription.objects.annotate(
        active_hold=Subquery(active.values("kind")[:1]),
        is_closing=Exists(closing),
        comp=FilteredRelation("customer__comps", condition=Q(customer__comps__ended_at=None)),
    )
    customer = "customer__subscriber" if conf.access_rule else "customer"
    found: QuerySet[Subscription] = rows.select_related(customer, "plan", "price", "comp__plan")
    return found


def facts_of(row: Any) -> AccessFacts:
    """Return the facts of a row of `with_access_facts`. Django leaves `comp` out where the join found none."""
    return AccessFacts(row, row.active_hold, row.is_closing, getattr(row, "comp", None))


def _row_of(subscriber: Any, rows: QuerySet[Subscription]) -> Subscription | None:
    """Return the subscriber's row; None, without a query, for None and for an anonymous user."""
    if getattr(subscriber, "pk", None) is None:
        return None
    return rows.filter(customer__subscriber=subscriber).first()


def _rows_for(plan: str, feature: str) -> QuerySet[Subscription]:
    rows = with_access_facts()
    if plan:
        rows = rows.annotate(asked_rank=Subquery(Plan.objects.filter(slug=plan).values("rank")[:1]))
    if feature:
        named = PlanLimit.objects.filter(feature=feature)
        rows = rows.annotate(
            has_feature=Exists(named.filter(plan=OuterRef("plan"))),
            has_feature_by_comp=Exists(named.filter(plan=OuterRef("comp__plan"))),
        )
    return rows


def decide(facts: AccessFacts, at: datetime, *, is_now: bool = True) -> Access:
    """Decide access at a moment: the status or a comp gives it, then reasons that override access take it away.

    The host's own rule knows the subscriber as they are now, and is not asked about the past.
    """
    subscription = facts.subscription
    grace_ends_at = grace_end(subscription)
    comp = facts.comp if facts.comp and facts.comp.is_in_force(at) else None
    by_status, reason = _by_status(subscription, at, grace_ends_at)
    has_paid = by_status and subscription.plan is not None
    plan = subscription.plan if has_paid else None
    if by_status and not has_paid:
        reason = "unmapped_price"
    if comp and (plan is None or comp.plan.rank > plan.rank):
        plan, reason = comp.plan, COMP
    if overriding := _overriding(facts, plan, is_closable=by_status or plan is not None):
        plan, reason = None, overriding
    if plan is not None and is_now and (refusal := _by_host(subscription.customer)):
        plan, reason = None, refusal
    return Access(plan is not None, reason, plan, subscription, grace_ends_at, comp)


def _overriding(facts: AccessFacts, plan: Plan | None, *, is_closable: bool) -> str:
    """Return the reason that overrides access, "" for none. A deleted customer is named in any case."""
    if facts.subscription.customer.deleted_at:
        return "customer_deleted"
    if is_closable and facts.is_closing:
        return "closing"
    if plan is not None and facts.active_hold:
        return f"hold_{facts.active_hold}"
    return ""


def _by_host(customer: Any) -> str:
    """Return the refusal of BILLING_ACCESS_RULE, "" for none. A customer without a subscriber is not refused."""
    if not conf.access_rule or customer.subscriber is None:
        return ""
    code = import_string(conf.access_rule)(customer.subscriber)
    return f"{BY_HOST}{code}" if code else ""


def grace_end(subscription: Subscription) -> datetime | None:
    """Return when access ends unless the open invoice is paid (UTC); None if nothing is past due."""
    if subscription.past_due_since is None:
        return None
    days = subscription.plan.grace_days if subscription.plan else None
    if days is None:
        is_debit = subscription.past_due_method in Subscription.DEBITS
        days = conf.debit_grace_days if is_debit else conf.grace_days
    return subscription.past_due_since + timedelta(days=days)


def _by_status(subscription: Subscription, at: datetime, grace_ends_at: datetime | None) -> tuple[bool, str]:
    status = Status(subscription.status)
    if status in GIVES_ACCESS:
        return True, status.value
    if status == Status.PAST_DUE:
        in_grace = grace_ends_at is not None and at < grace_ends_at
        return in_grace, "grace" if in_grace else "grace_over"
    return False, REASON_WITHOUT_ACCESS[status]

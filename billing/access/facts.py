"""The facts that the rules of access read come from one query, for each line in which a subscription counts."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, FilteredRelation, OuterRef, Q, QuerySet, Subquery

from billing.conf import conf
from billing.models import MAIN_LINE, AccountDeletion, Comp, Customer, Hold, Plan, PlanLimit, Subscription


@dataclass(frozen=True)
class AccessFacts:
    """`decide` reads nothing but these facts: the subscription with its customer, and what the query found beside it.

    `comp` is the open one, in force or not; `active_hold` is the kind of the oldest hold, None for none.
    """

    subscription: Subscription
    active_hold: str | None = None
    is_closing: bool = False
    comp: Comp | None = None


def with_access_facts() -> QuerySet[Subscription]:
    """Return subscriptions with what `facts_of` reads of them, in one query."""
    rows: Any = Subscription.objects.annotate(
        **_beside("customer", "stripe_id"),
        comp=FilteredRelation("customer__comps", condition=Q(customer__comps__ended_at=None)),
    )
    customer = "customer__subscriber" if conf.access_rule else "customer"
    found: QuerySet[Subscription] = rows.select_related(customer, "plan", "price", "comp__plan")
    return found


def with_facts(customers: QuerySet[Customer]) -> Any:
    """Return a row for each line of a customer in which a subscription counts, and at least one; in one query."""
    rows: Any = customers.annotate(
        comp=FilteredRelation("comps", condition=Q(comps__ended_at=None)),
        held=FilteredRelation("subscriptions", condition=Q(subscriptions__counts=True)),
        **_beside("pk", "held__stripe_id"),
    )
    subscriber = ["subscriber"] if conf.access_rule else []
    return rows.select_related(*subscriber, "held__plan", "held__price", "comp__plan").order_by("held__line")


def _beside(customer: str, subscription: str) -> dict[str, Any]:
    about = Q(subscription_id="") | Q(subscription_id=OuterRef(subscription))
    active = Hold.objects.active().filter(customer=OuterRef(customer)).order_by("placed_at", "pk")
    closing = AccountDeletion.objects.filter(customer=OuterRef(customer))
    return {
        "active_hold": Subquery(active.filter(about).values("kind")[:1]),
        "hold_of_all": Subquery(active.filter(subscription_id="").values("kind")[:1]),
        "is_closing": Exists(closing),
    }


def facts_of(row: Any) -> AccessFacts:
    """Return the facts of a row of `with_access_facts`. Django leaves `comp` out where the join found none."""
    comp = getattr(row, "comp", None)
    return AccessFacts(row, row.active_hold, row.is_closing, comp if comp and comp.plan.line == row.line else None)


def facts_by_line(rows: list[Any]) -> dict[str, tuple[AccessFacts, Any]]:
    """Return, for each line, the facts and the row that they come from. A placeholder stands where a comp alone gives
    access, and where there is nothing at all.
    """
    found: dict[str, tuple[AccessFacts, Any]] = {}
    for row in rows:
        held, comp = getattr(row, "held", None), getattr(row, "comp", None)
        if held is not None:
            held.customer = row
            of_line = comp if comp and comp.plan.line == held.line else None
            found[held.line] = AccessFacts(held, row.active_hold, row.is_closing, of_line), row
    for row in rows[:1]:
        comp = getattr(row, "comp", None)
        line = comp.plan.line if comp else MAIN_LINE
        if line not in found and (comp or not found):
            nothing = Subscription(customer=row, line=line)
            found[line] = AccessFacts(nothing, row.hold_of_all, row.is_closing, comp), row
    return found


def rows_of(subscriber: Any, plan: str = "", feature: str = "") -> list[Any]:
    """Return the subscriber's rows; none, without a query, for None and for an anonymous user."""
    if getattr(subscriber, "pk", None) is None:
        return []
    rows = with_facts(Customer.objects.filter(subscriber=subscriber))
    if plan:
        asked = Plan.objects.filter(slug=plan)
        rows = rows.annotate(
            asked_rank=Subquery(asked.values("rank")[:1]), asked_line=Subquery(asked.values("line")[:1])
        )
    if feature:
        named = PlanLimit.objects.filter(feature=feature)
        rows = rows.annotate(
            has_feature=Exists(named.filter(plan=OuterRef("held__plan"))),
            has_feature_by_comp=Exists(named.filter(plan=OuterRef("comp__plan"))),
        )
    return list(rows)

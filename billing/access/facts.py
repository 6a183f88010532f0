"""The facts that the rules of access read come from one query, for each line in which a subscription counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, FilteredRelation, Manager, OuterRef, Prefetch, Q, QuerySet, Subquery

from billing.models import (
    MAIN_LINE,
    AccountDeletion,
    AddOn,
    Compiled,
    Customer,
    Grant,
    Hold,
    Hole,
    Plan,
    PlanLimit,
    Subscription,
    all_subscribers,
)


@dataclass(frozen=True)
class AccessFacts:
    """`decide` reads nothing but these facts: the subscription with its customer, and what the query found beside it.

    `subscription` is a placeholder where none counts, without a customer for who never bought. `active_hold` and
    `hold_of_all` are the kinds of the oldest hold of this subscription and of everything, None for none. `grants` are
    all open ones of the subscriber, in force or not.
    """

    subscription: Subscription
    active_hold: str | None = None
    is_closing: bool = False
    grants: tuple[Grant, ...] = ()
    hold_of_all: str | None = None
    subscriber: Any = None

    @property
    def customer(self) -> Customer | None:
        return self.subscription.customer if self.subscription.customer_id else None


def with_access_facts() -> QuerySet[Subscription]:
    """Return subscriptions with what `facts_of` reads of them, in two queries."""
    of_subscriber = Q(customer__subscriber=OuterRef("customer__subscriber"))
    rows: Any = Subscription.objects.annotate(
        **_holds(Q(customer=OuterRef("customer")) | of_subscriber, "stripe_id"),
        is_closing=Exists(AccountDeletion.objects.filter(customer=OuterRef("customer"))),
    )
    found: QuerySet[Subscription] = rows.select_related("customer__subscriber", "plan", "price").prefetch_related(
        Prefetch("customer__subscriber__billing_grants", Grant.objects.open().select_related("plan"), "open_grants")
    )
    return found


def facts_of(row: Any) -> AccessFacts:
    """Return the facts of a row of `with_access_facts`."""
    subscriber = row.customer.subscriber
    grants = tuple(subscriber.open_grants) if subscriber else ()
    return AccessFacts(row, row.billing_hold, row.is_closing, grants, row.billing_hold_of_all, subscriber)


def rows_of(key: Any, plan: str = "", feature: str = "") -> list[Any]:
    """Return the facts about a subscriber: a row for each of their customers, lines and open grants, in one query.

    There is at least one row, unless there is no such subscriber. `plan` and `feature` are asked for beside it. What is
    found has names that a host project's model hardly has.
    """
    asked = _OF_ONE_ASKED if plan or feature else _OF_ONE
    return asked.rows(key=key, plan=plan, feature=feature)


def rows_of_customer(customer_id: str) -> list[Any]:
    """Return the facts about a customer's subscriber, as `rows_of` does; nothing where the customer has none."""
    return _OF_CUSTOMER.rows(customer=customer_id)


def rows_of_all(keys: list[Any]) -> list[Any]:
    """Return the facts about many subscribers, as `rows_of` does, in one query."""
    return list(_about(Q(pk__in=keys)))


def _about(subscribers: Q) -> Any:
    rows: Any = (
        all_subscribers()
        .filter(subscribers)
        .annotate(
            billing_theirs=FilteredRelation("billing_customers", condition=Q(billing_customers__isnull=False)),
            billing_held=FilteredRelation(
                "billing_theirs__subscriptions", condition=Q(billing_theirs__subscriptions__counts=True)
            ),
            billing_grant=FilteredRelation("billing_grants", condition=Q(billing_grants__ended_at=None)),
            **_holds(Q(customer__subscriber=OuterRef("pk")), "billing_held__stripe_id"),
            billing_is_closing=Exists(AccountDeletion.objects.filter(subscriber=OuterRef("pk"))),
        )
    )
    found = ("billing_theirs", "billing_held__plan", "billing_held__price", "billing_grant__plan")
    return rows.select_related(*found).order_by("billing_held__line", "-billing_theirs__is_current")


def _key() -> Hole:
    return Hole("key", all_subscribers().model._meta.pk)


def _customers() -> Any:
    return Customer.objects.filter(pk=Hole("customer", Customer._meta.pk)).values("subscriber")


def _varies() -> bool:
    """Return whether the subscriber's model has a base manager of its own, which may list others each time."""
    return type(all_subscribers().model._base_manager) is not Manager


_OF_ONE = Compiled(lambda: _about(Q(pk=_key())), _varies)
_OF_ONE_ASKED = Compiled(lambda: _asking(_about(Q(pk=_key()))), _varies)
_OF_CUSTOMER = Compiled(lambda: _about(Q(pk__in=_customers())), _varies)


def rows_of_nobody(customer_id: str) -> list[Any]:
    """Return what is known of a customer without a subscriber: a row for each line, and at least one, in one query."""
    rows: Any = Customer.objects.filter(pk=customer_id, subscriber=None).annotate(
        billing_held=FilteredRelation("subscriptions", condition=Q(subscriptions__counts=True)),
        **_holds(Q(customer=OuterRef("pk")), "billing_held__stripe_id"),
        billing_is_closing=Exists(AccountDeletion.objects.filter(customer=OuterRef("pk"))),
    )
    return list(rows.select_related("billing_held__plan", "billing_held__price").order_by("billing_held__line"))


def facts_in(rows: list[Any]) -> list[AccessFacts]:
    """Return the facts of each subscription in rows of one subscriber, or of one customer without. A placeholder stands
    where a grant alone gives a plan, and where there is nothing at all.
    """
    grants = grants_in(rows)
    found: dict[Any, AccessFacts] = {}
    for row in rows:
        held = getattr(row, "billing_held", None)
        if held is not None:
            held.customer = customer_in(row)
            found[held.pk] = _facts(row, held, row.billing_hold, grants)
    lines = {facts.subscription.line for facts in found.values()}
    given = dict.fromkeys(grant.plan.line for grant in grants if grant.plan)
    placeholders = [line for line in given or ([] if found else [MAIN_LINE]) if line not in lines]
    for row in rows[:1]:
        for line in placeholders:
            nothing = Subscription(customer=current_in(rows), line=line)
            found[line] = _facts(row, nothing, row.billing_hold_of_all, grants)
    return list(found.values())


def grants_in(rows: list[Any]) -> tuple[Grant, ...]:
    """Return the open grants in rows of `rows_of`. Django leaves `billing_grant` out where the join found none."""
    found = [grant for row in rows if (grant := getattr(row, "billing_grant", None)) is not None]
    return tuple({grant.pk: grant for grant in found}.values())


def plans_with_feature(rows: list[Any]) -> set[Any]:
    """Return the keys of the plans, held or granted, that have the feature which the query asked for."""
    held = {row.billing_held.plan_id for row in rows if row.billing_has_feature}
    return held | {row.billing_grant.plan_id for row in rows if row.billing_has_feature_by_grant}


def has_feature(add_ons: Mapping[str, int], feature: str) -> bool:
    """Return whether one of these add-ons gives a feature. Asks nothing where there are none."""
    limits = AddOn.objects.filter(slug__in=add_ons).values_list("limits", flat=True) if add_ons else ()
    return any(feature in each for each in limits)


def customer_in(row: Any) -> Customer | None:
    """Return the customer of a row, with its subscriber; the row is either of them."""
    if isinstance(row, Customer):
        return row
    customer: Customer | None = getattr(row, "billing_theirs", None)
    if customer is not None:
        customer.subscriber = row
    return customer


def current_in(rows: list[Any]) -> Customer | None:
    customers = [customer for row in rows if (customer := customer_in(row)) is not None]
    return max(customers, key=lambda customer: customer.is_current, default=None)


def _facts(row: Any, subscription: Subscription, hold: str | None, grants: tuple[Grant, ...]) -> AccessFacts:
    subscriber = None if isinstance(row, Customer) else row
    return AccessFacts(subscription, hold, row.billing_is_closing, grants, row.billing_hold_of_all, subscriber)


def _holds(theirs: Q, subscription: str) -> dict[str, Any]:
    """Annotate the kind of the oldest hold, of a subscription or of everything. That of any of the subscriber's
    customers withholds everything they have.
    """
    about = Q(subscription_id="") | Q(subscription_id=OuterRef(subscription))
    active = Hold.objects.active().filter(theirs).order_by("placed_at", "pk")
    return {
        "billing_hold": Subquery(active.filter(about).values("kind")[:1]),
        "billing_hold_of_all": Subquery(active.filter(subscription_id="").values("kind")[:1]),
    }


def _asking(rows: Any) -> Any:
    asked = Plan.objects.filter(slug=Hole("plan", Plan._meta.get_field("slug")))
    named = PlanLimit.objects.filter(feature=Hole("feature", PlanLimit._meta.get_field("feature")))
    return rows.annotate(
        billing_asked_rank=Subquery(asked.values("rank")[:1]),
        billing_asked_line=Subquery(asked.values("line")[:1]),
        billing_has_feature=Exists(named.filter(plan=OuterRef("billing_held__plan"))),
        billing_has_feature_by_grant=Exists(named.filter(plan=OuterRef("billing_grant__plan"))),
    )

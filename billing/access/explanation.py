"""An explanation tells staff in sentences why a subscriber has access or not, now or at any past moment."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from billing import clock
from billing.models import (
    MAIN_LINE,
    AccountDeletion,
    Customer,
    Grant,
    Hold,
    StripeEvent,
    Subscription,
    SubscriptionChange,
)

from . import history
from .facts import AccessFacts
from .rules import Access, access_in, best_by_line, decide
from .words import capitalized, given, moment, sentence_of

LATEST = 5


@dataclass(frozen=True)
class Explanation:
    """The answer at a moment is `decided`; holds, changes and events are those up to that moment, newest first.

    `others`: the access in each further line. `grants`: those in force then, whether or not they decide.
    """

    who: str
    at: datetime
    decided: Access
    holds: list[Hold]
    changes: list[SubscriptionChange]
    events: list[StripeEvent]
    deletion: AccountDeletion | None = None
    others: dict[str, Access] = field(default_factory=dict)
    grants: list[Grant] = field(default_factory=list)

    @property
    def has_access(self) -> bool:
        return self.decided.has_access

    @property
    def reason(self) -> str:
        return self.decided.reason

    @property
    def status(self) -> str:
        subscription = self.decided.subscription
        return subscription.status if subscription else Subscription.Status.NONE.value

    @property
    def plan(self) -> str:
        """Return the slug of the plan subscribed to, with access or without; "" for none."""
        subscription = self.decided.subscription
        return subscription.plan.slug if subscription and subscription.plan else ""

    @property
    def grace_since(self) -> datetime | None:
        return self.decided.subscription.past_due_since if self.decided.subscription else None

    @property
    def grace_ends_at(self) -> datetime | None:
        return self.decided.grace_ends_at

    def __str__(self) -> str:
        told = [
            self._answer(),
            self._subscription(),
            self._grace(),
            *map(_grant_sentence, self.grants),
            *self._others(),
        ]
        told += map(_hold_sentence, self.holds)
        told.append(self._deletion())
        changes = [f"  {moment(row.recorded_at)}: {row.status}{_plan_suffix(row)}" for row in self.changes]
        events = [f"  {moment(clock.from_timestamp(row.created))}: {row.type} ({row.status})" for row in self.events]
        told += ["What we knew, newest first:", *changes] if changes else []
        told += (
            ["Stripe's last events:", *events] if events else ["Stripe sent no event about this customer until then."]
        )
        return "\n".join(line for line in told if line)

    def _answer(self) -> str:
        has = "has access" if self.has_access else "has no access"
        return f"On {moment(self.at)}, {self.who} {has} ({self.reason}). {sentence_of(self.decided)}"

    def _subscription(self) -> str:
        subscription, instead = self.decided.subscription, self.decided.plan or "the free plan"
        if subscription is None or not subscription.stripe_id:
            return f"There is no subscription; {instead} is in effect."
        plan = subscription.plan.name if subscription.plan else "a price without a plan"
        is_in_effect = self.has_access and self.decided.plan == subscription.plan
        effect = "and its plan is in effect" if is_in_effect else f"but {instead} is in effect"
        return f"The subscription {subscription.stripe_id} to {plan} is {subscription.status}, {effect}."

    def _grace(self) -> str:
        if self.grace_since is None:
            return "No payment is overdue."
        ends = "ends" if self.grace_ends_at and self.grace_ends_at > self.at else "ended"
        since, until = moment(self.grace_since), moment(self.grace_ends_at)
        return f"A payment is overdue: grace counts from {since} and {ends} {until}."

    def _others(self) -> list[str]:
        return [f"In the line {line}: {access.reason}. {sentence_of(access)}" for line, access in self.others.items()]

    def _deletion(self) -> str:
        if self.deletion is None:
            return ""
        how = "is finished" if self.deletion.is_done else f"waits for Stripe, next step: {self.deletion.next_step}"
        return f"Deletion of the account was requested on {moment(self.deletion.requested_at)}; it {how}."


def explain(subscriber: Any, at: datetime | None = None) -> Explanation:
    """Explain the access of `subscriber`, now or `at` an aware moment, by what we knew then."""
    is_saved = getattr(subscriber, "pk", None) is not None
    customers = list(Customer.objects.all_of(subscriber))
    who = f"{subscriber} ({', '.join(customer.pk for customer in customers)})" if customers else str(subscriber)
    return _explain(who, subscriber if is_saved else None, customers, at)


def explain_customer(customer: Customer, at: datetime | None = None) -> Explanation:
    """Explain the access of a customer's subscriber, with all their customers, or of a customer who has none any more,
    now or `at` an aware moment.
    """
    customer = Customer.objects.select_related("subscriber").get(pk=customer.pk)
    if customer.subscriber is not None:
        return explain(customer.subscriber, at)
    nobody = "somebody deleted" if customer.deleted_at else "nobody's customer"
    return _explain(f"{customer.email or nobody} ({customer.pk})", None, [customer], at)


def _explain(who: str, subscriber: Any, customers: list[Customer], at: datetime | None) -> Explanation:
    is_now, at = at is None, at or clock.now()
    for customer in customers:
        if customer.deleted_at and customer.deleted_at > at:
            customer.deleted_at = None
    holds = _holds_at(customers, at)
    of_all = _hold_of("", holds)
    deletion = _deletion_at(subscriber, customers, at)
    grants = _grants_at(subscriber, at)
    rows = [row for customer in customers for row in _states(customer, at, is_now=is_now)]
    lines = {row.line for row in rows}
    given = dict.fromkeys(grant.plan.line for grant in grants if grant.plan and grant.plan.line not in lines)
    current = customers[0] if customers else None
    rows += [Subscription(customer=current, line=line) for line in given or ([] if rows else [MAIN_LINE])]
    decided = best_by_line(
        decide(
            AccessFacts(row, _hold_of(row.stripe_id, holds), deletion is not None, tuple(grants), of_all, subscriber),
            at,
            is_now=is_now,
        )
        for row in rows
    )
    told = access_in(decided)
    return Explanation(
        who,
        at,
        told,
        holds,
        _changes(customers, at),
        list(_events(customers, at)[:LATEST]),
        deletion,
        {line: access for line, access in decided.items() if line != told.line},
        grants,
    )


def _states(customer: Customer, at: datetime, *, is_now: bool) -> Iterable[Subscription]:
    return (history.latest_states(customer) if is_now else history.states_at(customer, at)).values()


def _holds_at(customers: list[Customer], at: datetime) -> list[Hold]:
    in_force = Q(released_at=None) | Q(released_at__gt=at)
    return list(Hold.objects.filter(in_force, customer__in=customers, placed_at__lte=at).order_by("placed_at", "pk"))


def _deletion_at(subscriber: Any, customers: list[Customer], at: datetime) -> AccountDeletion | None:
    theirs = Q(customer__in=customers) if subscriber is None else Q(subscriber=subscriber)
    return AccountDeletion.objects.filter(theirs, requested_at__lte=at).first()


def _grants_at(subscriber: Any, at: datetime) -> list[Grant]:
    if subscriber is None:
        return []
    given = Grant.objects.filter(subscriber=subscriber, granted_at__lte=at).select_related("plan")
    return [grant for grant in given.order_by("granted_at", "pk") if grant.is_in_force(at)]


def _changes(customers: list[Customer], at: datetime) -> list[SubscriptionChange]:
    changes = SubscriptionChange.objects.filter(customer__in=customers, recorded_at__lte=at)
    return list(changes.order_by("-recorded_at", "-pk")[:LATEST])


def _hold_of(stripe_id: str, holds: list[Hold]) -> str | None:
    return next((hold.kind for hold in holds if hold.subscription_id in ("", stripe_id)), None)


def _events(customers: list[Customer], at: datetime) -> Any:
    rows = StripeEvent.objects.filter(
        lane__in=[customer.pk for customer in customers], created__lte=int(at.timestamp())
    )
    return rows.defer("payload").order_by("-created", "-pk")


def _grant_sentence(grant: Grant) -> str:
    """Return the sentence of a grant: "A member of staff gave Pro for good, since 3 Dec 2026, 00:00: a prize."."""
    reason = (grant.reason or "no reason").rstrip(".")
    return f"{capitalized(given(grant))}, since {moment(grant.granted_at)}: {reason}."


def _hold_sentence(hold: Hold) -> str:
    cause = hold.reason or f"for {hold.reference}"
    return f"Access is on hold since {moment(hold.placed_at)}: {hold.get_kind_display()}, {cause.rstrip('.')}."


def _plan_suffix(row: SubscriptionChange) -> str:
    return f" on {row.plan.name}" if row.plan else ""

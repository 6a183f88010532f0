"""An explanation tells staff in sentences why a subscriber has access or not, now or at any past moment."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from billing import clock
from billing.models import (
    MAIN_LINE,
    AccountDeletion,
    Comp,
    Customer,
    Hold,
    StripeEvent,
    Subscription,
    SubscriptionChange,
)

from . import history
from .facts import AccessFacts
from .rules import NO_SUBSCRIPTION, Access, access_in, decide
from .words import moment, sentence_of

LATEST = 5


@dataclass(frozen=True)
class Explanation:
    """The answer at a moment is `decided`; holds, changes and events are those up to that moment, newest first.

    `others`: the access in each further line.
    """

    who: str
    at: datetime
    decided: Access
    holds: list[Hold]
    changes: list[SubscriptionChange]
    events: list[StripeEvent]
    deletion: AccountDeletion | None = None
    others: dict[str, Access] = field(default_factory=dict)

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

    @property
    def comp(self) -> Comp | None:
        """Return the comp in force, whether or not it decides."""
        return self.decided.comp

    def __str__(self) -> str:
        told = [self._answer(), self._subscription(), self._grace(), self._comp(), *self._others()]
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

    def _comp(self) -> str:
        if self.comp is None:
            return ""
        since, until = moment(self.comp.granted_at), moment(self.comp.until)
        return f"Staff gave access to {self.comp.plan} from {since} until {until}: {self.comp.reason or 'no reason'}"

    def _deletion(self) -> str:
        if self.deletion is None:
            return ""
        how = "is finished" if self.deletion.is_done else f"waits for Stripe, next step: {self.deletion.next_step}"
        return f"Deletion of the account was requested on {moment(self.deletion.requested_at)}; it {how}."


def explain(subscriber: Any, at: datetime | None = None) -> Explanation:
    """Explain the access of `subscriber`, now or `at` an aware moment, by what we knew then."""
    customer = Customer.objects.of(subscriber, deleted_too=True)
    if customer is None:
        return Explanation(str(subscriber), at or clock.now(), NO_SUBSCRIPTION, [], [], [])
    return explain_customer(customer, at)


def explain_customer(customer: Customer, at: datetime | None = None) -> Explanation:
    """Explain the access of a customer, who may have no subscriber any more, now or `at` an aware moment."""
    is_now, at = at is None, at or clock.now()
    customer = Customer.objects.select_related("subscriber").get(pk=customer.pk)
    if customer.deleted_at and customer.deleted_at > at:
        customer.deleted_at = None
    in_force = Q(released_at=None) | Q(released_at__gt=at)
    holds = list(customer.holds.filter(in_force, placed_at__lte=at).order_by("placed_at", "pk"))
    deletion = AccountDeletion.objects.filter(customer=customer, requested_at__lte=at).first()
    comp = _comp_at(customer, at)
    lines = history.latest_states(customer) if is_now else history.states_at(customer, at)
    if comp:
        lines.setdefault(comp.plan.line, Subscription(customer=customer, line=comp.plan.line))
    lines = lines or {MAIN_LINE: Subscription(customer=customer)}
    decided = {
        line: decide(
            AccessFacts(row, _hold_of(row, holds), deletion is not None, _of_line(comp, line)), at, is_now=is_now
        )
        for line, row in lines.items()
    }
    told = access_in(decided)
    return Explanation(
        f"{customer.subscriber or customer.email or 'somebody deleted'} ({customer.pk})",
        at,
        told,
        holds,
        list(customer.subscription_changes.filter(recorded_at__lte=at).order_by("-recorded_at", "-pk")[:LATEST]),
        list(_events(customer, at)[:LATEST]),
        deletion,
        {line: access for line, access in decided.items() if line != told.line},
    )


def _hold_of(row: Subscription, holds: list[Hold]) -> str | None:
    return next((hold.kind for hold in holds if hold.subscription_id in ("", row.stripe_id)), None)


def _of_line(comp: Comp | None, line: str) -> Comp | None:
    return comp if comp and comp.plan.line == line else None


def _comp_at(customer: Customer, at: datetime) -> Comp | None:
    """Return the newest comp given up to then; each one replaced the one before."""
    return customer.comps.filter(granted_at__lte=at).select_related("plan").order_by("-granted_at", "-pk").first()


def _events(customer: Customer, at: datetime) -> Any:
    rows = StripeEvent.objects.filter(lane=customer.pk, created__lte=int(at.timestamp()))
    return rows.defer("payload").order_by("-created", "-pk")


def _hold_sentence(hold: Hold) -> str:
    cause = hold.reason or f"for {hold.reference}"
    return f"Access is on hold since {moment(hold.placed_at)}: {hold.get_kind_display()}, {cause.rstrip('.')}."


def _plan_suffix(row: SubscriptionChange) -> str:
    return f" on {row.plan.name}" if row.plan else ""

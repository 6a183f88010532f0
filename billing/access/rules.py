"""The rules of access read rows and a clock: one query, no Stripe call.

Access needs a status that gives it, or a comp, and no active hold. The reasons are stable codes:
`active`, `trialing`, `grace`, `free` (its price costs nothing; the free plan itself is none) and `comp` (staff gave
access until a moment) give access; `grace_over`, `incomplete`, `unpaid`, `paused`, `canceled`, `hold_dispute`,
`hold_refund`, `hold_fraud`, `hold_staff`, `unmapped_price` (a live subscription to a price that belongs to no plan of
ours), `closing` (the account is being deleted), `customer_deleted`, `no_subscription`, `no_subscriber` (a user whom
nobody pays for) and `host_…` (what the project's BILLING_ACCESS_RULE says) do not.

Each line of plans is decided for itself. Whoever names no line means the only one that the subscriber has, else `main`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils.module_loading import import_string

from billing import clock
from billing.conf import conf
from billing.models import MAIN_LINE, Comp, Customer, Plan, Subscription

from .facts import AccessFacts, facts_by_line, rows_of, with_facts

Status = Subscription.Status
COMP = "comp"
FREE = "free"
BY_HOST = "host_"
OVER = frozenset({Status.NONE, *Subscription.TERMINAL})
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
    line: str = MAIN_LINE

    @property
    def refused_by_host(self) -> str:
        """Return the reason of the project's own rule in words, such as "banned"; "" if that rule did not refuse."""
        return self.reason.removeprefix(BY_HOST).replace("_", " ") if self.reason.startswith(BY_HOST) else ""

    @property
    def is_paid(self) -> bool:
        """Return whether a subscription that costs something gives access, rather than staff or a free price."""
        return self.has_access and self.reason not in (COMP, FREE)

    @property
    def is_live(self) -> bool:
        """Return whether there is access, or a subscription that has not ended."""
        row = self.subscription
        return self.has_access or (row is not None and row.status not in OVER)

    @property
    def is_comped(self) -> bool:
        """Return whether staff gave the access."""
        return self.has_access and self.reason == COMP


NO_SUBSCRIPTION = Access(has_access=False, reason="no_subscription")
NO_SUBSCRIBER = Access(has_access=False, reason="no_subscriber")


def has_access(subscriber: Any, *, plan: str = "", feature: str = "", line: str = "") -> bool:
    """Return whether `subscriber` has access now, in any line or in that `line`. Makes one query.

    `plan`, a slug, asks for that plan or a higher one of its line; `feature` asks for a plan that has it among its
    limits. Nobody has access to a plan that does not exist.
    """
    rows = rows_of(subscriber, plan, feature)
    now = clock.now()
    return any(
        _gives(decide(facts, now), rows[0], by_row, plan, feature)
        for of_line, (facts, by_row) in facts_by_line(rows).items()
        if line in ("", of_line)
    )


def _gives(decided: Access, first: Any, row: Any, plan: str, feature: str) -> bool:
    """Return whether a line's access is to the plan and has the feature that the query asked for."""
    if decided.plan is None:
        return False
    if plan and (first.asked_rank is None or decided.line != first.asked_line or decided.plan.rank < first.asked_rank):
        return False
    return not feature or bool(row.has_feature_by_comp if decided.reason == COMP else row.has_feature)


def of(subscriber: Any, line: str = "") -> Access:
    """Return whether `subscriber` has access now, with the reason, plan and dates. Makes one query.

    `line`: by default the only one that the subscriber has, else `main`.
    """
    return access_in(lines_of(subscriber), line)


def lines_of(subscriber: Any) -> dict[str, Access]:
    """Return the access of `subscriber` in each line that they have or had, in one query; none for nobody."""
    return _decided(rows_of(subscriber))


def access_in(lines: dict[str, Access], line: str = "") -> Access:
    """Return the access in a line; by default in the only one that lives, or that there is, else in `main`."""
    line = line or line_meant({name: now.is_live for name, now in lines.items()})
    return lines.get(line) or replace(NO_SUBSCRIPTION, line=line)


def line_meant(lives: dict[str, bool]) -> str:
    """Return the line that is meant where none is named. `lives`: the subscriber's lines, and whether each lives."""
    living = [line for line, is_live in lives.items() if is_live] or list(lives)
    return living[0] if len(living) == 1 else MAIN_LINE


def of_customer(customer_id: str, line: str = "") -> Access:
    """Return whether a customer has access now, with the reason; the row comes with its subscriber, in one query."""
    return access_in(lines_of_customer(customer_id), line)


def lines_of_customer(customer_id: str) -> dict[str, Access]:
    """Return the access of a customer in each line, with the subscriber, in one query."""
    return _decided(list(with_facts(Customer.objects.filter(pk=customer_id)).select_related("subscriber")))


def _decided(rows: list[Any]) -> dict[str, Access]:
    now = clock.now()
    return {line: decide(facts, now) for line, (facts, _) in facts_by_line(rows).items()}


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
    elif by_status and subscription.is_free:
        reason = FREE
        plan = None if subscription.plan and subscription.plan.slug == conf.free_plan else plan
    if comp and (plan is None or comp.plan.rank > plan.rank):
        plan, reason = comp.plan, COMP
    if overriding := _overriding(facts, plan, is_closable=by_status or plan is not None):
        plan, reason = None, overriding
    if plan is not None and is_now and (refusal := _by_host(subscription.customer)):
        plan, reason = None, refusal
    return Access(plan is not None, reason, plan, subscription, grace_ends_at, comp, subscription.line)


def _overriding(facts: AccessFacts, plan: Plan | None, *, is_closable: bool) -> str:
    """Return the reason that overrides access, "" for none. A deleted customer is named in any case."""
    if facts.subscription.customer.deleted_at:
        return "customer_deleted"
    if is_closable and facts.is_closing:
        return "closing"
    if plan is not None and facts.active_hold:
        return f"hold_{facts.active_hold}"
    return ""


def withheld(customer: Any, subscription_id: str = "") -> str:
    """Return why a customer has no access whatever they pay for a subscription, a hold of it or of all, or the host's
    own rule; "" for nothing.
    """
    holds = customer.holds.active().filter(subscription_id__in=["", subscription_id])
    kind = holds.order_by("placed_at", "pk").values_list("kind", flat=True).first()
    return f"hold_{kind}" if kind else _by_host(customer)


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

"""The rules of access read rows and a clock: one query, no Stripe call.

Access needs a status that gives it, or a grant, and no active hold. The reasons are stable codes:
`active`, `trialing`, `grace`, `free` (its price costs nothing; the free plan itself is none) and `grant` (somebody gave
it, until a moment or for good) give access; `grace_over`, `collection_paused` (payments are paused, and what was paid
before is used up), `incomplete`, `unpaid`, `paused`, `canceled`, `hold_dispute`,
`hold_refund`, `hold_fraud`, `hold_staff`, `unmapped_price` (a live subscription to a price that belongs to no plan of
ours), `closing` (the account is being deleted), `customer_deleted`, `no_subscription`, `no_subscriber` (a user whom
nobody pays for) and `host_…` (what the project's BILLING_ACCESS_RULE says) do not.

A grant is the subscriber's, and outlives the Stripe customer. A grant of a feature gives the feature without a plan.

Each line of plans is decided for itself. Whoever names no line means the only one that the subscriber has, else `main`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils.module_loading import import_string

from billing import clock
from billing.conf import conf
from billing.models import MAIN_LINE, Grant, Hold, Plan, Subscription

from .facts import (
    AccessFacts,
    facts_in,
    has_feature,
    plans_with_feature,
    rows_of,
    rows_of_all,
    rows_of_customer,
    rows_of_nobody,
)

Status = Subscription.Status
GRANT = "grant"
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

    `plan` is the plan that gives access, paid or by a grant, whichever ranks higher; None without access. `grants` are
    those of a plan of this line that are in force, the highest first, even if something outweighs them; `features` are
    the grants of features that count in every line. `subscription` is None for a subscriber without a Stripe customer.
    `add_ons` is how many of each add-on the subscription gives, while it gives access.
    `withholds_all` is whether a hold of everything, a deletion or the project's rule withholds what is not of a line,
    such as credits.
    """

    has_access: bool
    reason: str
    plan: Plan | None = None
    subscription: Subscription | None = None
    grace_ends_at: datetime | None = None
    grants: tuple[Grant, ...] = ()
    line: str = MAIN_LINE
    features: tuple[Grant, ...] = ()
    withholds_all: bool = False
    add_ons: Mapping[str, int] = field(default_factory=dict)

    @property
    def grant(self) -> Grant | None:
        """Return the grant of the highest plan in force, whether or not it decides."""
        return self.grants[0] if self.grants else None

    @property
    def refused_by_host(self) -> str:
        """Return the reason of the project's own rule in words, such as "banned"; "" if that rule did not refuse."""
        return self.reason.removeprefix(BY_HOST).replace("_", " ") if self.reason.startswith(BY_HOST) else ""

    @property
    def is_paid(self) -> bool:
        """Return whether a subscription that costs something gives access, rather than a grant or a free price."""
        return self.has_access and self.reason not in (GRANT, FREE)

    @property
    def is_live(self) -> bool:
        """Return whether there is access, or a subscription that has not ended."""
        row = self.subscription
        return self.has_access or (row is not None and row.status not in OVER)

    @property
    def is_by_grant(self) -> bool:
        """Return whether a grant gives the access."""
        return self.has_access and self.reason == GRANT


NO_SUBSCRIPTION = Access(has_access=False, reason="no_subscription")
NO_SUBSCRIBER = Access(has_access=False, reason="no_subscriber")


def has_access(subscriber: Any, *, plan: str = "", feature: str = "", line: str = "") -> bool:
    """Return whether `subscriber` has access now, in any line or in that `line`. Makes one query; to ask for a feature
    that the plan does not have, another one for who has add-ons.

    `plan`, a slug, asks for that plan or a higher one of its line. `feature` asks for a plan that has it among its
    limits, for an add-on with it, or for a grant of it, which needs no plan. Nobody has access to a plan that does not
    exist.
    """
    if (key := _key(subscriber)) is None:
        return False
    rows = rows_of(key, plan, feature)
    lines = _decided(rows)
    is_given = any(grant.feature == feature for grant in _features_of(lines)) if feature else False
    if is_given and not plan and not line:
        return True
    having = plans_with_feature(rows) if feature else set()
    return any(
        decided.plan is not None
        and (not plan or _is_at_least(decided, rows[0]))
        and (not feature or is_given or decided.plan.pk in having or has_feature(decided.add_ons, feature))
        for of_line, decided in lines.items()
        if line in ("", of_line)
    )


def _is_at_least(decided: Access, asked: Any) -> bool:
    """Return whether a line's access is to the plan that the query asked for, or a higher one."""
    rank = asked.billing_asked_rank
    if decided.plan is None or rank is None:
        return False
    return bool(decided.line == asked.billing_asked_line and decided.plan.rank >= rank)


def _features_of(lines: dict[str, Access]) -> tuple[Grant, ...]:
    return next((decided.features for decided in lines.values()), ())


def of(subscriber: Any, line: str = "") -> Access:
    """Return whether `subscriber` has access now, with the reason, plan and dates. Makes one query.

    `line`: by default the only one that the subscriber has, else `main`.
    """
    return access_in(lines_of(subscriber), line)


def lines_of(subscriber: Any) -> dict[str, Access]:
    """Return the access of `subscriber` in each line that they have or had, `main` if there is none, in one query; an
    empty dict, without a query, for None and for an anonymous user.
    """
    key = _key(subscriber)
    return {} if key is None else _decided(rows_of(key))


def lines_of_all(keys: Iterable[Any]) -> dict[Any, dict[str, Access]]:
    """Return the access of many subscribers, by primary key, in each of their lines, in one query."""
    rows: dict[Any, list[Any]] = {}
    for row in rows_of_all(list(keys)):
        rows.setdefault(row.pk, []).append(row)
    return {key: _decided(theirs) for key, theirs in rows.items()}


def _key(subscriber: Any) -> Any:
    return getattr(subscriber, "pk", None)


def access_in(lines: dict[str, Access], line: str = "") -> Access:
    """Return the access in a line; by default in the only live line, else the only line, else in `main`."""
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
    """Return the access in each line of this customer's subscriber, who is fetched too, in one query.

    Without a subscriber, it is the access of the customer alone.
    """
    return _decided(rows_of_customer(customer_id) or rows_of_nobody(customer_id))


def _decided(rows: list[Any]) -> dict[str, Access]:
    now = clock.now()
    return best_by_line(decide(facts, now) for facts in facts_in(rows))


def best_by_line(decided: Iterable[Access]) -> dict[str, Access]:
    """Return the access of each line. Where several customers of a subscriber have a subscription in it, the one counts
    that gives most: access, then the higher plan, then one that lives, then that of the current customer.
    """
    found: dict[str, Access] = {}
    for each in sorted(decided, key=_worth):
        found[each.line] = each
    return {line: found[line] for line in sorted(found)}


def _worth(access: Access) -> tuple[Any, ...]:
    row = access.subscription
    if row is None:
        return (access.has_access, -1, False, False, "")
    lives = row.status not in OVER and not row.customer.deleted_at
    return (access.has_access, access.plan.rank if access.plan else -1, lives, row.customer.is_current, row.stripe_id)


def decide(facts: AccessFacts, at: datetime, *, is_now: bool = True) -> Access:
    """Decide access at a moment: the status or a grant gives it, then reasons that override access take it away.

    The host's own rule knows the subscriber as they are now, and is not asked about the past.
    """
    subscription = facts.subscription
    grace_ends_at = grace_end(subscription)
    in_force = [grant for grant in facts.grants if grant.is_in_force(at)]
    grants = highest_first(grant for grant in in_force if grant.plan and grant.plan.line == subscription.line)
    by_status, reason = _by_status(facts, at, grace_ends_at)
    has_paid = by_status and subscription.plan is not None
    plan = subscription.plan if has_paid else None
    if by_status and not has_paid:
        reason = "unmapped_price"
    elif by_status and subscription.is_free:
        reason = FREE
        plan = None if subscription.plan and subscription.plan.slug == conf.free_plan else plan
    given = grants[0].plan if grants else None
    if given and (plan is None or given.rank > plan.rank):
        plan, reason = given, GRANT
    if overriding := _overriding(facts, plan, is_closable=by_status or plan is not None):
        plan, reason = None, overriding
    withholds_all = facts.is_closing or bool(facts.hold_of_all)
    features = () if withholds_all else tuple(grant for grant in in_force if grant.feature)
    if is_now and (plan is not None or features) and (refusal := _by_host(facts.subscriber)):
        plan, reason, features = None, refusal if plan is not None else reason, ()
        withholds_all = True
    held = subscription if facts.customer else None
    line = subscription.line
    add_ons = subscription.add_ons if has_paid and plan is not None else {}
    return Access(plan is not None, reason, plan, held, grace_ends_at, grants, line, features, withholds_all, add_ons)


def highest_first(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Return grants of plans, the highest first; of the same plan the one that lasts longest."""

    def rank(grant: Grant) -> tuple[int, bool, float]:
        return (
            grant.plan.rank if grant.plan else 0,
            grant.until is None,
            grant.until.timestamp() if grant.until else 0,
        )

    return tuple(sorted(grants, key=rank, reverse=True))


def _overriding(facts: AccessFacts, plan: Plan | None, *, is_closable: bool) -> str:
    """Return the reason that overrides access, "" for none."""
    if is_closable and facts.is_closing:
        return "closing"
    if plan is not None and facts.active_hold:
        return f"hold_{facts.active_hold}"
    return ""


def withheld(customer: Any, subscription_id: str = "") -> str:
    """Return the reason that overrides a paid subscription: a hold of it or of the subscriber, or the host's own rule;
    "" if there is none."""
    theirs = Q(customer=customer)
    if customer.subscriber_id is not None:
        theirs |= Q(customer__subscriber=customer.subscriber_id)
    holds = Hold.objects.active().filter(theirs, subscription_id__in=["", subscription_id])
    kind = holds.order_by("placed_at", "pk").values_list("kind", flat=True).first()
    return f"hold_{kind}" if kind else _by_host(customer.subscriber)


def _by_host(subscriber: Any) -> str:
    """Return the refusal of BILLING_ACCESS_RULE, "" for none. A customer without a subscriber is not refused."""
    if not conf.access_rule or subscriber is None:
        return ""
    code = import_string(conf.access_rule)(subscriber)
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


def _by_status(facts: AccessFacts, at: datetime, grace_ends_at: datetime | None) -> tuple[bool, str]:
    """Return whether the subscription gives access, and the reason. That of a deleted customer gives none."""
    if facts.customer and facts.customer.deleted_at:
        return False, "customer_deleted"
    status, paid_until = Status(facts.subscription.status), facts.subscription.paid_until
    is_used_up = paid_until is not None and paid_until <= at and not facts.subscription.is_free
    if status in GIVES_ACCESS and is_used_up:
        return False, "collection_paused"
    if status in GIVES_ACCESS:
        return True, status.value
    if status == Status.PAST_DUE:
        in_grace = grace_ends_at is not None and at < grace_ends_at
        return in_grace, "grace" if in_grace else "grace_over"
    return False, REASON_WITHOUT_ACCESS[status]

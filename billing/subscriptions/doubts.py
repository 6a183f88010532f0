"""Staff are alerted, once, to what only a person can judge: a price that no plan knows, and two subscriptions to plans
of one line that both bill.

Nothing is undone by itself here; the admin, the doctor and the sync's report show both for as long as they last, and
also who may pay twice, by a customer that nobody is linked to.
"""

from itertools import combinations
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import Combinable

from billing.models import Customer, Subscription
from billing.monitoring import alerts

Pair = tuple[Subscription, Subscription]
Status = Subscription.Status
Whose = Subscription.Whose

BILLING = frozenset({Status.ACTIVE, Status.TRIALING, Status.PAST_DUE})
LIVE = BILLING | {Status.UNPAID, Status.PAUSED, Status.INCOMPLETE}


def is_unknown(row: Subscription) -> bool:
    """Return whether Stripe may bill a subscription whose price no plan knows, unless staff keep it so."""
    is_kept = row.kept_price == row.unmapped_price
    return row.whose == Whose.UNKNOWN and row.status in LIVE and not is_kept


def unknown_of(customer: Customer) -> list[Subscription]:
    """Return the customer's subscriptions that wait for staff to say what their price buys."""
    return [row for row in Subscription.objects.filter(customer=customer).order_by("pk") if is_unknown(row)]


def keep(customer: Customer, price: str) -> bool:
    """Keep a price that no plan knows as it is, so that staff are no longer alerted to it. Call it holding the lane.
    Returns whether a subscription waited for that."""
    rows = [row.pk for row in unknown_of(customer) if row.unmapped_price == price]
    return bool(Subscription.objects.filter(pk__in=rows).update(kept_price=price))


def bills(row: Subscription) -> bool:
    """Return whether Stripe charges the subscription for a plan of ours, or will after a trial."""
    return row.status in BILLING and not row.is_foreign and not row.is_free


def billed_twice(rows: list[Subscription]) -> list[Pair]:
    """Return pairs of a customer's subscriptions that bill in one line: the one that counts, and another.

    A duplicate that is about to be undone is not among them: its MRR is not counted.
    """
    billing = sorted(filter(bills, rows), key=lambda row: not row.counts)
    return [(one, other) for one, other in combinations(billing, 2) if one.line == other.line and one.counts]


def alert_new(pairs: list[Pair], too_many: frozenset[str]) -> None:
    """Alert staff to what has become doubtful by this step from the rows before to the rows after."""
    for before, after in pairs:
        if is_unknown(after) and not (is_unknown(before) and before.unmapped_price == after.unmapped_price):
            _alert_unknown(after)
    were = {before.stripe_id for before, _ in pairs if bills(before)}
    rows = [after for _, after in pairs if after.stripe_id not in too_many]
    for one, other in billed_twice(rows):
        if not {one.stripe_id, other.stripe_id} <= were:
            _alert_twice(one.customer, one, other)


def lasting(customer: str = "") -> list[str]:
    """Return a sentence for each doubt that lasts, of one customer or of all, by our rows."""
    live = Subscription.objects.filter(status__in=LIVE, customer__deleted_at=None).exclude(whose=Whose.FOREIGN)
    live = live.select_related("customer", "plan", "price")
    theirs = Q(customer=OuterRef("customer")) | Q(customer__subscriber=OuterRef("customer__subscriber"))
    beside = live.filter(theirs, line=OuterRef("line")).exclude(pk=OuterRef("pk"))
    twice, unknown = live.filter(Exists(beside), status__in=BILLING), live.filter(whose=Whose.UNKNOWN).order_by("pk")
    if customer:
        same = Customer.objects.filter(pk=customer).exclude(subscriber=None).values("subscriber")
        twice = twice.filter(Q(customer=customer) | Q(customer__subscriber__in=same))
        unknown = unknown.filter(customer=customer)
    unlinked = live.filter(_of_a_subscribers_address(live), customer__subscriber=None, status__in=BILLING)
    if customer:
        unlinked = unlinked.filter(customer=customer)
    several: dict[Any, list[Subscription]] = {}
    for row in twice.order_by("customer", "pk"):
        several.setdefault(row.customer.subscriber_id or row.customer_id, []).append(row)
    return [
        *map(sentence_of_unknown, filter(is_unknown, unknown)),
        *(sentence_of_two(*pair) for of_customer in several.values() for pair in billed_twice(of_customer)),
        *map(_sentence_of_unlinked, filter(bills, unlinked.order_by("pk"))),
    ]


def _of_a_subscribers_address(live: QuerySet[Subscription]) -> Combinable:
    """Return a condition: a subscriber pays in the same line, by a customer who is billed at the same address."""
    theirs = live.filter(customer__email=OuterRef("customer__email"), line=OuterRef("line"), status__in=BILLING)
    return Exists(theirs.exclude(customer__email="").exclude(customer__subscriber=None))


def _sentence_of_unlinked(row: Subscription) -> str:
    return (
        f"{row.stripe_id} ({row.plan or 'a price without a plan'}) bills {row.customer_id}, who belongs to no "
        "subscriber, at an address where a subscriber pays for a plan of the same line: somebody may pay twice. If "
        "so, cancel the one that should not go on in Stripe's dashboard, and refund what was paid for it."
    )


def sentence_of_unknown(row: Subscription) -> str:
    access = f"Access to {row.plan} stays as it was" if row.plan else "It gives no access"
    return (
        f"The subscription {row.stripe_id} of the customer {row.customer_id} is {row.status} at the price "
        f"{row.unmapped_price}, which belongs to no plan. {access}. On the customer's page in the admin, choose "
        "'Say what a price buys' or 'Keep a price of no plan'; for many customers run `manage.py import_customers "
        f"--price {row.unmapped_price}=<plan slug>`. If it should not be billed, cancel it in Stripe's dashboard."
    )


def sentence_of_two(one: Subscription, other: Subscription) -> str:
    return (
        f"The customer {one.customer_id} is billed twice: {one.stripe_id} ({one.plan or 'a price without a plan'}), "
        f"which counts, and {other.stripe_id} ({other.plan or 'a price without a plan'})"
        f"{'' if one.customer_id == other.customer_id else f', as {other.customer_id}'}. Nothing was changed. Cancel "
        "the one that should not go on in Stripe's dashboard, and refund what was paid for it."
    )


def _alert_unknown(row: Subscription) -> None:
    alerts.alert_staff(
        f"unknown_price:{row.unmapped_price}"[:100],
        f"No plan knows the price {row.unmapped_price}",
        sentence_of_unknown(row),
    )


def _alert_twice(customer: Customer, one: Subscription, other: Subscription) -> None:
    alerts.alert_staff(
        f"billed_twice:{customer.pk}"[:100],
        f"Two subscriptions of {customer.pk} are billed",
        sentence_of_two(one, other),
    )

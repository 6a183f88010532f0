"""Somebody may pay twice: by two subscriptions to plans of one line, of one subscriber, or of a subscriber and a
customer of the same address whom nobody is linked to.

Staff are alerted after the commit of the step that makes it so: of two lanes that commit at the same moment, the later
one sees what both wrote.
"""

from collections.abc import Collection
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from billing.after_commit import after_commit
from billing.models import Customer, Subscription
from billing.monitoring import alerts

Pair = tuple[Subscription, Subscription]
Status = Subscription.Status

BILLING = frozenset({Status.ACTIVE, Status.TRIALING, Status.PAST_DUE})


def bills(row: Subscription) -> bool:
    """Return whether Stripe takes money for it, or will after a trial, for a plan of ours."""
    return row.status in BILLING and not row.is_foreign and not row.is_free


def alert_new(pairs: list[Pair], too_many: frozenset[str]) -> None:
    """Alert staff to what bills since this step from the rows before to the rows after, beside another.

    A duplicate that is about to be undone is left out: its MRR is not counted.
    """
    new = [after for before, after in pairs if bills(after) and not (bills(before) and before.line == after.line)]
    ids = {row.stripe_id for row in new} - too_many
    if ids:
        after_commit(_alert, {row.customer_id for row in new}, ids, too_many)


def alert_linked(customers: Collection[str]) -> None:
    """Alert staff to what bills beside another since these customers were imported, or linked to a subscriber."""
    after_commit(_alert, set(customers))


def alert_address(customers: Collection[str]) -> None:
    """Alert staff to what bills at the address of a subscriber since these customers' addresses changed."""
    after_commit(_alert_address, set(customers))


def lasting(customer: str = "") -> list[str]:
    """Return a sentence for each that bills beside another, of one customer or of all, by our rows."""
    if not customer:
        rows = list(rows_beside_another())
        return [*(_sentence_of_two(*pair) for pair in billed_twice(rows)), *map(_sentence_of_unlinked, _unlinked(rows))]
    rows = _rows_near({customer})
    payers = {_payer(asked) for asked in Customer.objects.filter(pk=customer)}
    return [
        *(_sentence_of_two(*pair) for pair in billed_twice(rows) if _payer(pair[0].customer) in payers),
        *(_sentence_of_unlinked(row) for row in _unlinked(rows) if row.customer_id == customer),
    ]


def billed_twice(rows: list[Subscription]) -> list[Pair]:
    """Return pairs of subscriptions that bill one payer in one line: the first, which counts if one does, and each
    other.
    """
    payers: dict[Any, list[Subscription]] = {}
    for row in sorted(filter(bills, rows), key=lambda row: (not row.counts, row.customer_id, row.stripe_id)):
        payers.setdefault((_payer(row.customer), row.line), []).append(row)
    return [(first, other) for first, *others in payers.values() for other in others]


def _payer(customer: Customer) -> Any:
    """Return the key of the subscriber; a customer without one stands for itself."""
    return customer.subscriber_id or customer.pk


def _unlinked(rows: list[Subscription]) -> list[Subscription]:
    """Return those that bill a customer without a subscriber, at the address of one who pays in the same line."""
    billing = list(filter(bills, rows))
    paid = {(row.customer.email, row.line) for row in billing if row.customer.subscriber_id and row.customer.email}
    of_nobody = [row for row in billing if row.customer.subscriber_id is None]
    return [row for row in of_nobody if (row.customer.email, row.line) in paid]


def _billing() -> QuerySet[Subscription]:
    live = Subscription.objects.filter(status__in=BILLING, customer__deleted_at=None)
    return live.exclude(whose=Subscription.Whose.FOREIGN).select_related("customer", "plan", "price").order_by("pk")


def _rows_near(customers: Collection[str]) -> list[Subscription]:
    """Return what bills these customers, those of the same subscribers, and those of the same addresses."""
    known = list(Customer.objects.filter(pk__in=customers).values_list("subscriber", "email"))
    subscribers, emails = {pk for pk, _ in known} - {None}, {email for _, email in known} - {""}
    near = Customer.objects.filter(Q(pk__in=customers) | Q(subscriber__in=subscribers) | Q(email__in=emails))
    return list(_billing().filter(customer__in=near.values("pk")))


def rows_beside_another() -> QuerySet[Subscription]:
    """Return what bills beside another of the line: of the customer, of the subscriber, or at the same address.

    Customers, subscribers and addresses that occur twice in a line are found first, each by one pass over all rows.
    Only theirs are compared row by row.
    """
    others = _billing().filter(line=OuterRef("line")).exclude(pk=OuterRef("pk"))
    same = (
        Q(customer=OuterRef("customer")),
        Q(customer__subscriber=OuterRef("customer__subscriber")),
        Q(customer__email=OuterRef("customer__email")) & ~Q(customer__email=""),
    )
    customer, subscriber, address = (Exists(others.filter(condition)) for condition in same)
    occurs_twice = (
        Q(customer__in=_twice("customer"))
        | Q(customer__subscriber__in=_twice("customer__subscriber").filter(customer__subscriber__isnull=False))
        | Q(customer__email__in=_twice("customer__email").exclude(customer__email=""))
    )
    return _billing().filter(occurs_twice).filter(customer | subscriber | address)


def _twice(key: str) -> QuerySet[Any, Any]:
    """Return the values of a key that more than one billing subscription of the same line has."""
    return _billing().order_by().values(key, "line").annotate(rows=Count("pk")).filter(rows__gt=1).values(key)


def _sentence_of_two(one: Subscription, other: Subscription) -> str:
    is_one_customer = one.customer_id == other.customer_id
    who = (
        f"customer {one.customer_id}" if is_one_customer else f"subscriber of {one.customer_id} and {other.customer_id}"
    )
    first = f"{one.stripe_id} ({_sold(one)}){', which counts,' if is_one_customer and one.counts else ''}"
    return (
        f"The {who} is billed twice: {first} and {other.stripe_id} ({_sold(other)}). Nothing was changed. Cancel the "
        "one that should not go on in Stripe's dashboard, and refund what was paid for it."
    )


def _sentence_of_unlinked(row: Subscription) -> str:
    return (
        f"{row.stripe_id} ({_sold(row)}) bills {row.customer_id}, who belongs to no subscriber, at an address where a "
        "subscriber pays for a plan of the same line: somebody may pay twice. If so, cancel the one that should not go "
        "on in Stripe's dashboard, and refund what was paid for it."
    )


def _sold(row: Subscription) -> str:
    return str(row.plan or "a price without a plan")


def _alert(customers: set[str], ids: Collection[str] | None = None, too_many: Collection[str] = ()) -> None:
    """Alert staff to those of these subscriptions, or of all of the customers', that bill beside another."""
    rows = [row for row in _rows_near(customers) if row.stripe_id not in too_many]
    new = {row.stripe_id for row in rows if row.customer_id in customers} if ids is None else set(ids)
    for one, other in billed_twice(rows):
        if {one.stripe_id, other.stripe_id} & new:
            _alert_twice(one, other)
    _alert_unlinked(rows, {row.customer.email for row in rows if row.stripe_id in new})


def _alert_address(customers: set[str]) -> None:
    rows = _rows_near(customers)
    _alert_unlinked(rows, {row.customer.email for row in rows if row.customer_id in customers})


def _alert_twice(one: Subscription, other: Subscription) -> None:
    ids = sorted([one.stripe_id, other.stripe_id])
    cause = f"billed_twice:{':'.join(ids)}"[:100]
    subject = f"Two subscriptions of a line are billed: {' and '.join(ids)}"
    alerts.remind_staff(cause, subject, _sentence_of_two(one, other))


def _alert_unlinked(rows: list[Subscription], emails: Collection[str]) -> None:
    for row in _unlinked(rows):
        if row.customer.email in emails:
            subject = f"{row.stripe_id} bills at the address of a subscriber"
            alerts.remind_staff(f"may_pay_twice:{row.stripe_id}"[:100], subject, _sentence_of_unlinked(row))

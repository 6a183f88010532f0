"""Monthly recurring revenue (MRR) is price times quantity, of plan and add-ons; a ledger records each change of it.

Each real change of a subscription adds a row to its history, with the MRR from then on.

Discounts, taxes and metered use are not counted; what lasting discounts take off stands beside it, in `mrr_off`. Of a
price that includes tax, the part counts that the latest invoice left after tax.
"""

from collections.abc import Iterable
from fractions import Fraction

from django.db.models import Exists, OuterRef, Sum

from billing import catalogue, cause, clock
from billing.models import MrrMovement, Subscription, SubscriptionChange

Kind = MrrMovement.Kind
# While payments are paused nothing recurs; what is kept as a draft may still be collected.
NOT_COLLECTED = ("void", "mark_uncollectible")
COUNTED = (Subscription.Status.ACTIVE, Subscription.Status.PAST_DUE)


def record_changes(pairs: list[tuple[Subscription, Subscription]]) -> bool:
    """Add a row to the history of each subscription whose state differs, in the transaction that changed it, and record
    how the customer's MRR moves. Returns whether any state differs. Each pair is the state before and after.
    """
    changed = [
        after
        for before, after in pairs
        if not after.is_foreign and SubscriptionChange.state_of(before) != SubscriptionChange.state_of(after)
    ]
    SubscriptionChange.objects.bulk_create(
        SubscriptionChange(
            customer_id=row.customer_id,
            recorded_at=clock.now(),
            cause=cause.current(),
            mrr=row.mrr,
            **SubscriptionChange.state_of(row),
        )
        for row in changed
    )
    if any(_basis(before) != _basis(after) for before, after in pairs):
        record_movement(pairs[0][1].customer_id, [after for _, after in pairs])
    return bool(changed)


def of_row(row: Subscription) -> int:
    """Return the MRR that a row is kept with. While no plan knows the price, what was counted before stays."""
    if row.is_foreign or row.status not in COUNTED or row.collection_paused in NOT_COLLECTED:
        return 0
    return row.mrr if row.price is None else monthly_amount(row)


def monthly_amount(subscription: Subscription) -> int:
    """Return the MRR in minor units; 0 during a trial, when nothing is billed, and for what is billed by usage."""
    price = subscription.price if subscription.status in COUNTED else None
    if price is None:
        return 0
    cost = catalogue.amounts.cost(price, subscription.currency, subscription.quantity) or 0
    monthly = cost / price.cadence.months + subscription.add_on_mrr
    return round(monthly * 100 / (100 + Fraction(subscription.included_tax)))


def record_movement(customer_id: str, rows: list[Subscription]) -> None:
    """Record in the ledger how the customer's MRR moves; it is now the sum of these rows' MRR.

    A change of currency is recorded as churn in the old currency and reactivation in the new one.
    """
    had = _ledger(customer_id)
    brings = dict.fromkeys(had, 0)
    for row in rows:
        if row.mrr:
            brings[row.currency] = brings.get(row.currency, 0) + row.mrr
    MrrMovement.objects.bulk_create(
        MrrMovement(
            customer_id=customer_id,
            kind=_kind(had.get(currency), amount, is_known=bool(had)),
            amount=amount - had.get(currency, 0),
            currency=currency,
            moved_at=clock.now(),
        )
        for currency, amount in brings.items()
        if amount != had.get(currency, 0)
    )


def record_first_movements(customers: Iterable[str]) -> None:
    """Record the MRR of subscriptions that were imported, from the moment they began to be paid."""
    untold = ~Exists(MrrMovement.objects.filter(customer=OuterRef("customer")))
    rows = Subscription.objects.filter(untold, customer__in=customers).exclude(mrr=0).order_by("started_at", "pk")
    kinds: dict[tuple[str, str], Kind] = {}
    for row in rows:
        key = (row.customer_id, row.currency)
        kinds[key] = Kind.EXPANSION if key in kinds else Kind.NEW
        MrrMovement.objects.create(
            customer_id=row.customer_id,
            kind=kinds[key],
            amount=row.mrr,
            currency=row.currency,
            moved_at=max(filter(None, (row.started_at, row.trial_end)), default=clock.now()),
        )


def _basis(row: Subscription) -> tuple[object, ...]:
    return (row.mrr, row.currency) if row.mrr else ()


def _ledger(customer_id: str) -> dict[str, int]:
    """Return the customer's MRR by the ledger, for each currency it names."""
    rows = MrrMovement.objects.filter(customer=customer_id).values_list("currency")
    return dict(rows.annotate(Sum("amount")))


def _kind(had: int | None, brings: int, *, is_known: bool) -> MrrMovement.Kind:
    if not had:
        return Kind.REACTIVATION if is_known else Kind.NEW
    if not brings:
        return Kind.CHURN
    return Kind.EXPANSION if brings > had else Kind.CONTRACTION

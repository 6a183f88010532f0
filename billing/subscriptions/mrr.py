"""Monthly recurring revenue (MRR) is price times quantity, per month; a ledger records each change of it.

Each real change of a subscription adds a row to its history, with the MRR from then on.

Discounts, taxes and metered use are not counted.
"""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Sum

from billing import catalogue, cause, clock
from billing.models import MrrMovement, Subscription, SubscriptionChange

Kind = MrrMovement.Kind
COUNTED = (Subscription.Status.ACTIVE, Subscription.Status.PAST_DUE)


def record_change(before: Subscription, after: Subscription) -> bool:
    """Add a row to the subscription's history if the state differs, in the transaction that changed it. Returns whether
    it did.
    """
    state = SubscriptionChange.state_of(after)
    if state == SubscriptionChange.state_of(before):
        return False
    SubscriptionChange.objects.create(
        customer_id=after.customer_id,
        recorded_at=clock.now(),
        cause=cause.current(),
        mrr=monthly_amount(after),
        **state,
    )
    record_movement(before, after)
    return True


def monthly_amount(subscription: Subscription) -> int:
    """Return the MRR in minor units; 0 during a trial, when nothing is billed, and for what is billed by usage."""
    price = subscription.price if subscription.status in COUNTED else None
    if price is None:
        return 0
    cost = catalogue.amounts.cost(price, subscription.currency, subscription.quantity)
    return round((cost or 0) / price.cadence.months)


def record_movement(before: Subscription, after: Subscription) -> None:
    """Record in the ledger how the step from `before` to `after` moves the customer's MRR. No query if it cannot.

    A change of currency is recorded as churn in the old currency and reactivation in the new one.
    """
    if _basis(before) == _basis(after):
        return
    had = _ledger(after.customer_id)
    brings = dict.fromkeys(had, 0) | {after.currency: monthly_amount(after)}
    MrrMovement.objects.bulk_create(
        MrrMovement(
            customer_id=after.customer_id,
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
    rows = Subscription.objects.filter(untold, customer__in=customers, status__in=COUNTED).select_related("price")
    MrrMovement.objects.bulk_create(
        MrrMovement(
            customer_id=row.customer_id,
            kind=Kind.NEW,
            amount=monthly_amount(row),
            currency=row.currency,
            moved_at=max(filter(None, (row.started_at, row.trial_end)), default=clock.now()),
        )
        for row in rows
        if monthly_amount(row)
    )


def _basis(row: Subscription) -> tuple[object, ...]:
    return (row.price_id, row.quantity, row.currency) if row.status in COUNTED else ()


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

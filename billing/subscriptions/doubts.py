"""Staff are alerted, once, to what only a person can judge: a price that no plan knows, and who may pay twice.

Nothing is undone by itself here; the admin, the doctor and the sync's report show both for as long as they last.
"""

from django.db.models import F, QuerySet

from billing.models import Customer, Subscription
from billing.monitoring import alerts

from . import paying_twice

Status = Subscription.Status
Whose = Subscription.Whose

LIVE = paying_twice.BILLING | {Status.UNPAID, Status.PAUSED, Status.INCOMPLETE}


def is_unknown(row: Subscription) -> bool:
    """Return whether Stripe may bill a subscription whose price no plan knows, unless staff keep it so."""
    is_kept = row.kept_price == row.unmapped_price
    return row.whose == Whose.UNKNOWN and row.status in LIVE and not is_kept


def unknown() -> QuerySet[Subscription]:
    """Return all subscriptions that `is_unknown` is true of, by our rows, but those of deleted customers."""
    rows = Subscription.objects.filter(status__in=LIVE, customer__deleted_at=None, whose=Whose.UNKNOWN)
    return rows.exclude(kept_price=F("unmapped_price")).select_related("plan").order_by("pk")


def unknown_of(customer: Customer) -> list[Subscription]:
    """Return the customer's subscriptions that wait for staff to say what their price buys."""
    return [row for row in Subscription.objects.filter(customer=customer).order_by("pk") if is_unknown(row)]


def keep(customer: Customer, price: str) -> bool:
    """Keep a price that no plan knows as it is, so that staff are no longer alerted to it. Call it holding the lane.
    Returns whether a subscription waited for that."""
    rows = [row.pk for row in unknown_of(customer) if row.unmapped_price == price]
    return bool(Subscription.objects.filter(pk__in=rows).update(kept_price=price))


def alert_new(pairs: list[paying_twice.Pair], too_many: frozenset[str]) -> None:
    """Alert staff to what has become doubtful by this step from the rows before to the rows after."""
    for before, after in pairs:
        if is_unknown(after) and not (is_unknown(before) and before.unmapped_price == after.unmapped_price):
            _alert_unknown(after)
    paying_twice.alert_new(pairs, too_many)


def lasting(customer: str = "") -> list[str]:
    """Return a sentence for each doubt that lasts, of one customer or of all, by our rows."""
    rows = unknown().filter(customer=customer) if customer else unknown()
    return [*map(sentence_of_unknown, rows), *paying_twice.lasting(customer)]


def sentence_of_unknown(row: Subscription) -> str:
    access = f"Access to {row.plan} stays as it was" if row.plan else "It gives no access"
    return (
        f"The subscription {row.stripe_id} of the customer {row.customer_id} is {row.status} at the price "
        f"{row.unmapped_price}, which belongs to no plan. {access}. On the customer's page in the admin, choose "
        "'Say what a price buys' or 'Keep a price of no plan'; for many customers run `manage.py import_customers "
        f"--price {row.unmapped_price}=<plan slug>`. If it should not be billed, cancel it in Stripe's dashboard."
    )


def _alert_unknown(row: Subscription) -> None:
    alerts.alert_staff(
        f"unknown_price:{row.unmapped_price}"[:100],
        f"No plan knows the price {row.unmapped_price}",
        sentence_of_unknown(row),
    )

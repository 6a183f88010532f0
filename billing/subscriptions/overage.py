"""A subscription to a plan has a metered item for each limit beyond which use is paid; the worker adds what is missing.

Checkout and changes of plan write them themselves. What comes otherwise, as by the portal, by staff or from before the
plan said so, is found when the subscription is projected, and by the sync.
"""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from billing.catalogue import overage
from billing.lanes import standing_writes
from billing.models import OveragePrice, Price, StripeWrite, Subscription, SubscriptionItem

BILLED = (Subscription.Status.ACTIVE, Subscription.Status.TRIALING, Subscription.Status.PAST_DUE)
Object = dict[str, Any]


def changed_items(items: list[Object], price: Price, currency: str) -> list[Object]:
    """Return the parameters that bring the metered items of a subscription to a price in line with it: an item keeps
    its place where the plan still pays for its feature by use."""
    mine = overage.known(item["price"]["id"] for item in items)
    held = {mine[item["price"]["id"]].feature: item for item in items if item["price"]["id"] in mine}
    wanted = wanted_prices(price, currency, mine)
    added = [{"price": pk} for feature, pk in wanted.items() if feature not in held]
    moved = [
        {"id": item["id"], "price": wanted[feature]}
        for feature, item in held.items()
        if feature in wanted and wanted[feature] != item["price"]["id"]
    ]
    return [*moved, *({"id": item["id"], "deleted": True} for feature, item in held.items() if feature not in wanted),
            *added]  # fmt: skip


def wanted_prices(price: Price, currency: str, mine: dict[str, OveragePrice]) -> dict[str, str]:
    """Return feature → the metered price that belongs beside a price. One that was replaced stays with who pays it."""
    wanted = {each.feature: each.pk for each in overage.prices_beside(price) if each.unit_in(currency) is not None}
    for known in mine.values():
        if known.feature in wanted and (known.plan_id, known.cadence) == (price.plan_id, price.cadence):
            wanted[known.feature] = known.pk
    return wanted


def has_metered(found: Object | None) -> bool:
    """Return whether Stripe's subscription has any item that is billed by usage."""
    return found is not None and any(item.get("quantity") is None for item in found["items"]["data"])


def owe_items(row: Subscription, *, wakes: bool = False) -> bool:
    """Owe Stripe the metered items of a subscription, if our rows say that they differ; return whether they do."""
    if not is_wrong(row):
        return False
    owed = StripeWrite.objects.filter(lane=row.customer_id, action=StripeWrite.Action.SET_OVERAGE)
    if not owed.filter(done_at=None, refused_at=None).exists():
        standing_writes.owe(row.customer, StripeWrite.Action.SET_OVERAGE, row.stripe_id, wakes=wakes)
    return True


def is_wrong(row: Subscription) -> bool:
    """Return whether a subscription lacks a metered item, or has one that its plan does not pay for by use."""
    if not row.counts or not row.is_ours or row.price is None or row.status not in BILLED:
        return False
    items = SubscriptionItem.objects.filter(subscription=row, is_metered=True)
    held = list(items.values_list("stripe_price", flat=True))
    mine = overage.known(held)
    wanted = wanted_prices(row.price, row.currency, mine)
    return {each.feature: each.pk for each in mine.values()} != wanted


def doubtful() -> QuerySet[Subscription]:
    """Return the subscriptions whose metered items may differ: of a plan that has any, or with an item of ours."""
    sold = OveragePrice.objects.filter(is_current=True, plan=OuterRef("plan"))
    ours = OveragePrice.objects.values("pk")
    items = SubscriptionItem.objects.filter(subscription=OuterRef("pk"), stripe_price__in=ours)
    rows = Subscription.objects.filter(counts=True, whose=Subscription.Whose.OURS, status__in=BILLED)
    rows = rows.filter(customer__deleted_at=None, customer__deletion=None)
    return rows.filter(Exists(sold) | Exists(items)).select_related("customer", "plan", "price")

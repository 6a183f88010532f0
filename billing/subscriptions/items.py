"""The items of subscriptions are kept as rows: what Stripe bills, for plans of ours and for anything else."""

from typing import Any

from billing.models import AddOnPrice, Price, Subscription, SubscriptionItem
from billing.stripe_client import id_of

COLUMNS = [
    "subscription_id",
    "stripe_price",
    "price_id",
    "add_on_price_id",
    "product",
    "quantity",
    "unit_amount",
    "currency",
    "interval",
    "interval_count",
    "is_metered",
]
RELATIONS = frozenset({"subscription_id", "price_id", "add_on_price_id"})


def write_items(pairs: list[tuple[Subscription, dict[str, Any]]]) -> None:
    """Write the items of subscriptions where they differ: pairs of a saved row and Stripe's object."""
    of_these = SubscriptionItem.objects.filter(subscription__in=[row.pk for row, _ in pairs])
    known = {row.stripe_id: row for row in of_these}
    named = {item["price"]["id"] for _, found in pairs for item in found["items"]["data"]}
    of_known = {row.stripe_price: row.price_id for row in known.values()}
    ours = of_known | dict.fromkeys(named - of_known.keys())
    if wanted := [price for price, known_price in ours.items() if known_price is None]:
        ours |= {pk: pk for pk in Price.objects.filter(pk__in=wanted).values_list("pk", flat=True)}
    of_add_ons = _add_on_prices([price for price, known_price in ours.items() if known_price is None])
    rows = [_row(row, item, ours, of_add_ons) for row, found in pairs for item in found["items"]["data"]]
    changed = [row for row in rows if row.stripe_id not in known or _differs(row, known[row.stripe_id])]
    if changed:
        names = [name.removesuffix("_id") if name in RELATIONS else name for name in COLUMNS]
        SubscriptionItem.objects.bulk_create(
            changed, update_conflicts=True, unique_fields=["stripe_id"], update_fields=names
        )
    there = {row.stripe_id for row in rows}
    gone = [row.pk for row in known.values() if row.stripe_id not in there]
    if gone:
        SubscriptionItem.objects.filter(pk__in=gone).delete()


def _add_on_prices(prices: list[str]) -> frozenset[str]:
    """Return those of these prices that belong to add-ons of ours."""
    return frozenset(AddOnPrice.objects.filter(pk__in=prices).values_list("pk", flat=True)) if prices else frozenset()


def _row(
    subscription: Subscription, item: dict[str, Any], ours: dict[str, str | None], of_add_ons: frozenset[str]
) -> SubscriptionItem:
    price = item["price"]
    recurring = price.get("recurring") or {}
    return SubscriptionItem(
        subscription=subscription,
        stripe_id=item["id"],
        stripe_price=price["id"],
        price_id=ours.get(price["id"]),
        add_on_price_id=price["id"] if price["id"] in of_add_ons else None,
        product=id_of(price.get("product")),
        quantity=item.get("quantity"),
        unit_amount=price.get("unit_amount"),
        currency=price.get("currency") or "",
        interval=recurring.get("interval") or "",
        interval_count=recurring.get("interval_count") or 1,
        is_metered=recurring.get("usage_type") == "metered",
    )


def _differs(row: SubscriptionItem, known: SubscriptionItem) -> bool:
    return any(getattr(row, name) != getattr(known, name) for name in COLUMNS)

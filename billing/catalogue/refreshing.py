"""The catalogue is refreshed from Stripe: what changed there is sold, shown and mapped here at once.

Whoever refreshes holds the lane `LANE`, so that no two write prices at once and no customer waits for a price.
"""

from dataclasses import dataclass, field
from typing import Any

from billing.models import Plan, Price
from billing.stripe_client import fetch, id_of, is_first_time

from . import add_ons, definitions
from .prices import is_plans_key, price_columns, record_price

LANE = "catalogue"
KINDS = frozenset({"price", "product"})
GONE = {"is_active": False, "lookup_key": ""}
TOLD = ("is_active", "lookup_key", "currency", "unit_amount")
# Of Stripe's objects, and of our rows: what a change of which changes the charges of those who pay the price already.
CHARGED_BY = frozenset({"currency_options", "tax_behavior", "tax_code", "tiers", "unit_amount", "unit_amount_decimal"})
DECISIVE = ("is_active", "lookup_key", "currency", "unit_amount", "currency_options", "terms")


@dataclass
class Refreshed:
    """This says what a refresh changed: price id → column → what we had, what Stripe says; the prices `added`; and
    those that charge otherwise than before.
    """

    differences: dict[str, dict[str, tuple[Any, Any]]] = field(default_factory=dict)
    added: list[str] = field(default_factory=list)
    charging_otherwise: list[str] = field(default_factory=list)
    is_foreign: bool = False


def concerns_us(obj: dict[str, Any]) -> bool:
    """Return whether a price or product is of a plan or an add-on of ours: by our rows, or by the lookup key."""
    if obj.get("object") == "product":
        return Price.objects.filter(product=id_of(obj)).exists()
    return Price.objects.filter(pk=id_of(obj)).exists() or is_plans_key(obj) or add_ons.is_of_an_add_on(obj)


def refresh_about(obj: dict[str, Any]) -> list[dict[str, Any]]:
    """Refresh what an event's price or product is about, and return those prices as Stripe has them.

    Each drain asks Stripe once for the newest prices. A price that is not among them is asked for by itself.
    """
    listed = {price["id"]: price for price in fetch.newest_prices()}
    if is_first_time("catalogue"):
        for price in listed.values():
            _take(price)
    is_product = obj.get("object") == "product"
    rows = Price.objects.filter(product=id_of(obj)) if is_product else Price.objects.filter(pk=id_of(obj))
    named = set(rows.values_list("pk", flat=True)) | (set() if is_product else {id_of(obj)})
    for price_id in sorted(named - listed.keys()):
        if found := fetch.price(price_id):
            listed[price_id] = found
            _take(found)
        else:
            _record_gone(price_id)
    return [listed[price_id] for price_id in sorted(named & listed.keys())]


def refresh_all(*, is_dry: bool = False) -> Refreshed:
    """Refresh every price of ours, those that Stripe no longer lists too, and take over new ones of our plans.

    Where Stripe knows none of our prices, the key is another account's: nothing is changed.
    """
    listed = {price["id"]: price for price in fetch.all_prices()}
    rows = {row.pk: row for row in Price.objects.select_related("plan")}
    found: dict[str, dict[str, Any] | None] = {
        price_id: price for price_id, price in listed.items() if price_id in rows or is_plans_key(price)
    }
    found |= {row.pk: fetch.price(row.pk) for row in rows.values() if row.is_active and row.pk not in listed}
    done = Refreshed(added=sorted(found.keys() - rows.keys()))
    if rows and not any(found.get(price_id) for price_id in rows) and any(row.is_active for row in rows.values()):
        return Refreshed(is_foreign=True)
    for price_id, price in found.items():
        row = rows.get(price_id)
        differences = _differences(row, price) if row else {}
        if told := {name: both for name, both in differences.items() if name in TOLD}:
            done.differences[price_id] = told
        if differences.keys() & (CHARGED_BY | {"terms"}):
            done.charging_otherwise.append(price_id)
        if (differences or row is None) and not is_dry:
            _take_or_end(price_id, price)
    return done


def refresh_price(price: Price) -> bool:
    """Refresh one price, and take over the one that replaces it. Return whether it is not as we had it."""
    refresh_about({"object": "price", "id": price.pk})
    now = Price.objects.get(pk=price.pk)
    return any(getattr(now, name) != getattr(price, name) for name in DECISIVE)


def _differences(row: Price, found: dict[str, Any] | None) -> dict[str, tuple[Any, Any]]:
    theirs = price_columns(found) if found else GONE
    return {name: (getattr(row, name), value) for name, value in theirs.items() if getattr(row, name) != value}


def _take_or_end(price_id: str, found: dict[str, Any] | None) -> None:
    """Record a price as Stripe has it; a price deleted at Stripe is no longer sold, and stays for those who pay it."""
    if found:
        _take(found)
    else:
        _record_gone(price_id)


def _record_gone(price_id: str) -> None:
    Price.objects.filter(pk=price_id).update(**GONE)


def _take(stripe_price: dict[str, Any]) -> None:
    """Record a price if it is of a plan of ours; a plan that is named like its product is renamed with it. A
    price of an add-on is recorded too."""
    if add_ons.is_of_an_add_on(stripe_price):
        add_ons.record_price(stripe_price)
        return
    before = Price.objects.select_related("plan").filter(pk=stripe_price["id"]).first()
    after = record_price(stripe_price)
    if before is None or after is None or before.product_name in {"", after.product_name}:
        return
    if before.plan.name == before.product_name[:100] and not definitions.is_from_settings():
        Plan.objects.filter(pk=before.plan_id).update(name=after.product_name[:100])

"""The discounts of subscriptions are kept as rows: what they take off the next renewal, and until when.

A coupon and a promotion code never change at Stripe in what they take off, so each is asked for once for each discount.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Exists, OuterRef

from billing import catalogue, clock, signals
from billing.catalogue import coupons
from billing.clock import from_timestamp
from billing.models import Discount, Price, Subscription
from billing.stripe_client import fetch, id_of, readers

Found = dict[str, Any]

KEPT = ("coupon", "name", "code", "percent_off", "amounts", "products", "duration", "item", "is_of_customer", "saves",
        "starts_at", "ends_at")  # fmt: skip


# Asked for with the rows of subscriptions, so that those without discounts cost no query of their own.
HAS_SOME = "has_discounts"
KNOWN = {HAS_SOME: Exists(Discount.objects.filter(subscription=OuterRef("pk")))}


@dataclass
class Changes:
    """These discounts of a subscription are new, and these have ended, since its rows were last written."""

    given: list[Discount] = field(default_factory=list)
    ended: list[Discount] = field(default_factory=list)


@dataclass(frozen=True)
class Given:
    """Stripe gives this discount to a subscription, to one of its items, or to all that its customer buys."""

    found: Found
    item: str = ""
    is_of_customer: bool = False


def write_discounts(pairs: list[tuple[Subscription, Found]]) -> dict[Any, Changes]:
    """Write the discounts of subscriptions where they differ: pairs of a saved row and Stripe's object. Returns what
    has changed, by the row's primary key."""
    changes: dict[Any, Changes] = defaultdict(Changes)
    pairs = [(row, found) for row, found in pairs if not row.is_foreign]
    concerned = [row.pk for row, found in pairs if getattr(row, HAS_SOME, False) or given_to(found)]
    rows = list(Discount.objects.filter(subscription__in=concerned)) if concerned else []
    known = {(discount.subscription_id, discount.stripe_id): discount for discount in rows}
    kept: set[Any] = set()
    for row, found in pairs:
        written = _write(row, found, known)
        setattr(row, HAS_SOME, bool(written))
        changes[row.pk].given = [each for each in written if (row.pk, each.stripe_id) not in known]
        kept |= {discount.pk for discount in written}
        _update_mrr_off(row, written)
    gone = [discount for discount in known.values() if discount.pk not in kept]
    if gone:
        Discount.objects.filter(pk__in=[discount.pk for discount in gone]).delete()
    for discount in gone:
        changes[discount.subscription_id].ended.append(discount)
    _note_known([row for row, _ in pairs if not row.has_known_discounts])
    return changes


def _note_known(rows: list[Subscription]) -> None:
    """Note that another discount of these is news from now on."""
    for row in rows:
        row.has_known_discounts = True
    if rows:
        Subscription.objects.filter(pk__in=[row.pk for row in rows]).update(has_known_discounts=True)


def announce_discounts(before: Subscription, after: Subscription, found: Found | None, changes: Changes) -> None:
    """Announce a discount that a live subscription was given, or that has ended. What came with its start is no news,
    nor is one that took the place of another by the same coupon, or a customer's own that only steps back.
    """
    if not (before.has_announced_start and before.has_known_discounts and after.is_ours and _is_live(after)):
        return
    stays = [each.coupon for each in changes.given]
    was = [each.coupon for each in changes.ended]
    of_customer = id_of(((found or {}).get("customer") or {}).get("discount"))
    for discount in changes.given:
        if discount.coupon not in was and not (discount.is_of_customer and changes.ended):
            signals.discount_given.send(Subscription, subscription=after, discount=discount)
    for discount in changes.ended:
        if discount.coupon not in stays and discount.stripe_id != of_customer:
            signals.discount_ended.send(Subscription, subscription=after, discount=discount)


def _is_live(row: Subscription) -> bool:
    return row.counts and row.status not in Subscription.TERMINAL


def discounts_of(subscription: Subscription | None) -> list[Discount]:
    """Return the discounts of a subscription that last beyond now."""
    if subscription is None or subscription.pk is None or not getattr(subscription, HAS_SOME, True):
        return []
    now = clock.now()
    return [row for row in subscription.discounts.all() if row.ends_at is None or row.ends_at > now]


def coupon_of(row: Discount) -> coupons.Coupon:
    """Return the terms of a discount's coupon."""
    return coupons.Coupon(row.coupon, row.name, row.percent_off, row.amounts, tuple(row.products), row.duration)


def given_to(found: Found) -> list[Given]:
    """Return the discounts that count for a subscription. Its customer's own counts only if it has none, as Stripe
    reckons.
    """
    own = [Given(each) for each in found.get("discounts") or [] if isinstance(each, dict)]
    customer = found["customer"] if isinstance(found["customer"], dict) else {}
    if not own and isinstance(customer.get("discount"), dict):
        own = [Given(customer["discount"], is_of_customer=True)]
    items = [
        Given(each, item["id"])
        for item in found["items"]["data"]
        for each in item.get("discounts") or []
        if isinstance(each, dict)
    ]
    return [*items, *own]


def is_behind(row: Subscription, found: Found) -> bool:
    """Return whether our rows of a subscription's own discounts are not those that Stripe names, expanded or not."""
    ours, theirs = own_ids(row, found)
    return ours != theirs


def own_ids(row: Subscription, found: Found) -> tuple[list[str], list[str]]:
    """Return the ids of a subscription's own discounts, in our rows and as Stripe names them."""
    holders = [found, *found["items"]["data"]]
    named = sorted({id_of(each) for holder in holders for each in holder.get("discounts") or []})
    if row.is_foreign or not (named or row.mrr_off):
        return [], []
    own = Discount.objects.filter(subscription=row, is_of_customer=False)
    return sorted(own.values_list("stripe_id", flat=True)), named


def parts_of(found: Found) -> dict[str, coupons.Part]:
    """Return what each item of a subscription costs at a renewal, before discounts, by the item's id."""
    items = found["items"]["data"]
    ours = {price.pk: price for price in Price.objects.filter(pk__in=[item["price"]["id"] for item in items])}
    return {item["id"]: _part(item, ours.get(item["price"]["id"]), found["currency"]) for item in items}


def _part(item: Found, price: Price | None, currency: str) -> coupons.Part:
    quantity, product = readers.quantity_of(item), id_of(item["price"].get("product"))
    if price is not None:
        return coupons.Part(catalogue.amounts.cost(price, currency, quantity), product)
    is_plain = item.get("quantity") is not None and item["price"].get("billing_scheme") != "tiered"
    each = item["price"].get("unit_amount")
    return coupons.Part(each * quantity if is_plain and each is not None else None, product)


def _write(row: Subscription, found: Found, known: dict[tuple[Any, str], Discount]) -> list[Discount]:
    given = given_to(found)
    if not given:
        return []
    parts = parts_of(found)
    written = []
    for each in given:
        before = known.get((row.pk, id_of(each.found)))
        discount = before or Discount(subscription=row, customer=row.customer, stripe_id=id_of(each.found))
        was = {name: getattr(discount, name) for name in KEPT}
        _read(discount, each, is_new=before is None)
        parts = _reckon(discount, parts, row.currency)
        if before is None or was != {name: getattr(discount, name) for name in KEPT}:
            discount.save()
        written.append(discount)
    return written


def _read(discount: Discount, given: Given, *, is_new: bool) -> None:
    """Copy what Stripe says of a discount. What its coupon takes off is asked for once: a coupon that is deleted later
    stays with those who have it."""
    found = given.found
    discount.item, discount.is_of_customer = given.item, given.is_of_customer
    discount.starts_at = from_timestamp(found["start"])
    discount.ends_at = from_timestamp(found.get("end"))
    if not is_new:
        return
    coupon_id = id_of((found.get("source") or {}).get("coupon"))
    told = fetch.coupon(coupon_id) if coupon_id else None
    coupon = coupons.Coupon.of(told) if told else coupons.Coupon(id=coupon_id)
    code = fetch.promotion_code(id_of(found["promotion_code"])) if found.get("promotion_code") else None
    discount.coupon, discount.name, discount.code = coupon.id, coupon.name, (code or {}).get("code") or ""
    discount.percent_off, discount.amounts = coupon.percent_off, dict(coupon.amounts)
    discount.products, discount.duration = list(coupon.products), coupon.duration


def _reckon(discount: Discount, parts: dict[str, coupons.Part], currency: str) -> dict[str, coupons.Part]:
    """Set what the discount takes off the parts, and return what is left of them for the next one."""
    coupon = coupon_of(discount)
    meant = {key: part for key, part in parts.items() if discount.item in ("", key)}
    discount.saves = coupon.off(meant.values(), currency)
    if not discount.saves:
        return parts
    return parts | dict(_left(meant, coupon, discount.saves, currency))


def _left(
    meant: dict[str, coupons.Part], coupon: coupons.Coupon, saves: int, currency: str
) -> Iterator[tuple[str, coupons.Part]]:
    rest = saves
    for key, part in meant.items():
        taken = min(coupon.off([part], currency) or 0, rest)
        rest -= taken
        yield key, coupons.Part(None if part.amount is None else part.amount - taken, part.product)


def _update_mrr_off(row: Subscription, discounts: Iterable[Discount]) -> None:
    """Keep what lasting discounts take off the MRR: never more than it is. One invoice makes no difference to it."""
    off = _mrr_off(row, discounts)
    if row.mrr_off != off:
        row.mrr_off = off
        Subscription.objects.filter(pk=row.pk).update(mrr_off=off)


def _mrr_off(row: Subscription, discounts: Iterable[Discount]) -> int:
    if row.price is None or not row.mrr:
        return 0
    lasting = sum(discount.saves or 0 for discount in discounts if coupon_of(discount).is_lasting)
    return min(round(lasting / row.price.cadence.months), row.mrr)

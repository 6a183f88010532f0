"""A discount is given to a live subscription, and taken away again. Stripe previews what the next renewal costs then.

Discounts that the subscription has stay: Stripe ends every one that an update does not name.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from billing import stripe_client
from billing.catalogue import coupons
from billing.models import Customer
from billing.stripe_client import StripeRefused, fetch, id_of

from . import codes
from .customers import request_key
from .live_subscription import Standing
from .refusals import ChangePending, CodeExpired, CodeUnknown, DiscountUnknown, NoDiscount, NoSubscription

Entry = dict[str, str]
REFUSED = (ChangePending, NoSubscription, *StripeRefused)


def entry_named(name: str, currency: str = "") -> Entry:
    """Return the coupon or promotion code of that name as Stripe's parameter. Raises `DiscountUnknown`, also for one
    that takes nothing off in `currency`."""
    entry, coupon = named(name.strip())
    if currency and not coupon.is_in(currency):
        others = ", ".join(sorted(each.upper() for each in coupon.amounts))
        raise DiscountUnknown(f"This discount takes nothing off in {currency.upper()}, but in {others}.")
    return entry


def named(name: str, subscriber: Any = None) -> tuple[Entry, coupons.Coupon]:
    """Return the coupon or promotion code of that name as Stripe's parameter, and its terms. Raises `DiscountUnknown`,
    `StripeUnavailable`. A code that was made for one customer is known for that subscriber alone."""
    if not codes.SPELLING.fullmatch(name):
        raise DiscountUnknown
    try:
        code = codes.named(name, subscriber)
    except (CodeUnknown, CodeExpired):
        found = fetch.coupon(name)
    else:
        return {"promotion_code": code.id}, code.coupon
    if found is None or not found.get("valid"):
        raise DiscountUnknown
    return {"coupon": name}, coupons.Coupon.of(found)


def check_discountable(now: Standing) -> None:
    """Refuse a subscription that has ended, or whose coming phases would lose the discount again."""
    if not now.is_live:
        raise NoSubscription
    if now.schedule or now.has_pending_update:
        raise ChangePending


def give(now: Standing, entry: Entry, verb: str = "discount") -> None:
    """Give a discount, beside those that are there. One that is there by the same coupon is not given again."""
    check_discountable(now)
    if not _has(now, entry):
        now.update(verb, discounts=[*_kept(now), entry])


def take_away(now: Standing, discount: str) -> None:
    """End a discount of the subscription or of one of its items. Raises `NoDiscount` if it has ended."""
    check_discountable(now)
    if discount in _ids(now.found.get("discounts")):
        now.update("discount", discounts=_without(now.found.get("discounts"), discount) or "")
        return
    item = next((each for each in now.found["items"]["data"] if discount in _ids(each.get("discounts"))), None)
    if item is None:
        raise NoDiscount
    left = _without(item.get("discounts"), discount) or ""
    now.update("discount", items=[{"id": item["id"], "discounts": left}], proration_behavior="none")


def previewed(now: Standing, discounts: list[Entry] | None = None) -> dict[str, Any]:
    """Return the next invoice as it will be, or as it would be with these discounts in place of the subscription's."""
    tried = {} if discounts is None else {"discounts": discounts or ""}
    answer: dict[str, Any] = stripe_client.post(
        "/v1/invoices/create_preview",
        idempotency_key=request_key(now.customer, "discount-preview"),
        subscription=now.id,
        **tried,
    )
    return answer


def with_it(now: Standing, entry: Entry) -> list[Entry]:
    """Return the discounts that the subscription would have if it was given one more."""
    return _kept(now) if _has(now, entry) else [*_kept(now), entry]


def without_it(now: Standing, discount: str) -> list[Entry]:
    """Return the discounts that the subscription would have left."""
    return _without(now.found.get("discounts"), discount)


def make_code(customer: Customer, coupon: str, until: datetime) -> str:
    """Make a promotion code for one customer and one use at Stripe, and return its text. Raises `DiscountUnknown`."""
    found = fetch.coupon(coupon) if codes.SPELLING.fullmatch(coupon) else None
    if found is None or not found.get("valid"):
        raise DiscountUnknown(_("There is no valid coupon of this id. Check its spelling."))
    made = stripe_client.post(
        "/v1/promotion_codes",
        idempotency_key=request_key(customer, "code"),
        promotion={"type": "coupon", "coupon": coupon},
        customer=customer.pk,
        max_redemptions=1,
        expires_at=int(until.timestamp()),
    )
    return str(made["code"])


def make_coupon(identifier: str, percent_off: Any, months: int) -> None:
    """Make a coupon with an id of ours at Stripe, unless it is there."""
    terms = {"percent_off": float(percent_off), "duration": "repeating", "duration_in_months": months}
    try:
        stripe_client.post("/v1/coupons", idempotency_key=f"coupon:{identifier}", id=identifier, **terms)
    except StripeRefused as error:
        if getattr(error, "code", "") != "resource_already_exists":
            raise


def _kept(now: Standing) -> list[Entry]:
    return [{"discount": each} for each in _ids(now.found.get("discounts"))]


def _without(discounts: Iterable[Any] | None, discount: str) -> list[Entry]:
    return [{"discount": each} for each in _ids(discounts) if each != discount]


def _ids(discounts: Iterable[Any] | None) -> list[str]:
    return [id_of(each) for each in discounts or []]


def _has(now: Standing, entry: Entry) -> bool:
    """Return whether a discount of the subscription came from this coupon or code."""
    for each in now.found.get("discounts") or []:
        if isinstance(each, dict) and (
            (entry.get("promotion_code") and id_of(each.get("promotion_code")) == entry["promotion_code"])
            or (entry.get("coupon") and id_of((each.get("source") or {}).get("coupon")) == entry["coupon"])
        ):
            return True
    return False

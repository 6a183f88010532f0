"""The pages say of a discount what it saves, until when, and what is paid after that."""

from decimal import Decimal

from billing.catalogue import amounts, coupons
from billing.lifecycle import Overview
from billing.models import Discount, Price, Subscription
from billing.money import format_amount
from billing.subscriptions import discounts, renewals

from .days import day


def for_account(overview: Overview) -> list[str]:
    """Return a sentence for each discount of a subscription, such as "50% off (WELCOME): saves $10.00 per month until 1
    March 2027, then $20.00 per month"."""
    held = overview.subscription
    return [_sentence(held, discount) for discount in overview.discounts] if held else []


def short(coupon: coupons.Coupon, currency: str) -> str:
    """Return "50% off", "$5 off" or "A discount" where Stripe no longer tells what it takes off."""
    if coupon.percent_off is not None:
        return f"{percent(coupon.percent_off)} off"
    amount = coupon.amounts.get(currency)
    return f"{figure(amount, currency)} off" if amount is not None else "A discount"


def percent(share: Decimal) -> str:
    text = f"{share:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"


def figure(amount: int, currency: str) -> str:
    """Return an amount without decimals where it is whole."""
    return format_amount(amount, currency).removesuffix(".00")


def with_code(coupon: coupons.Coupon, price: Price, currency: str, quantity: int) -> tuple[str, str] | None:
    """Return what the first payments come to with a coupon, and for how long; None where usage decides it."""
    total = amounts.cost(price, currency, quantity)
    off = None if total is None else coupon.off([coupons.Part(total, price.product)], currency)
    if total is None or off is None:
        return None
    return figure(total - off, currency), _how_long(coupon, price, figure(total, currency))


def _how_long(coupon: coupons.Coupon, price: Price, full: str) -> str:
    then = f"then {full} {price.cadence.per}"
    if coupon.duration == "forever":
        return "for as long as you subscribe"
    if coupon.duration == "repeating" and coupon.months and coupon.months > price.cadence.months:
        return f"for the first {coupon.months} months, {then}"
    return f"for the first {price.cadence.every}, {then}"


def _sentence(held: Subscription, discount: Discount) -> str:
    coupon = discounts.coupon_of(discount)
    named = discount.code or discount.name
    what = short(coupon, held.currency) + (f" ({named})" if named else "")
    if discount.saves is None or held.price is None:
        until = f" until {day(discount.ends_at)}" if discount.ends_at else ""
        return f"{what}{until}"
    if discount.saves == 0:
        return f"{what}, not applied to what you have now"
    saves = format_amount(discount.saves, held.currency)
    if coupon.duration == "once":
        return f"{what}: saves {saves} on your next payment"
    return f"{what}: saves {saves} {held.price.cadence.per}{_until(held, discount)}"


def _until(held: Subscription, discount: Discount) -> str:
    """Return until when it saves, and what is paid from the first renewal after that."""
    if discount.ends_at is None:
        return ""
    full_from = renewals.first_from(held, discount.ends_at)
    total = amounts.cost(held.price, held.currency, held.quantity) if held.price else None
    if full_from is None or total is None or held.price is None:
        return f" until {day(discount.ends_at)}"
    return f". From {day(full_from)}: {format_amount(total, held.currency)} {held.price.cadence.per}"

"""The pages say of a discount what it saves, until when, and what is paid after that."""

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from billing.catalogue import amounts, coupons
from billing.lifecycle import Overview
from billing.localized import amount, percent, short_amount
from billing.models import Discount, Price, Subscription
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
        return _("{reduction} off").format(reduction=percent(coupon.percent_off))
    amount_off = coupon.amounts.get(currency)
    if amount_off is None:
        return _("A discount")
    return _("{reduction} off").format(reduction=short_amount(amount_off, currency))


def with_code(coupon: coupons.Coupon, price: Price, currency: str, quantity: int) -> tuple[str, str] | None:
    """Return what the first payments come to with a coupon, and for how long; None where usage decides it."""
    if (costs := _costs(coupon, price, currency, quantity)) is None:
        return None
    less, full = costs
    facts = {"full": f"{full} {price.cadence.per}"}
    if coupon.duration == "forever":
        return less, _("for as long as you subscribe")
    if (months := _months_of(coupon, price)) > 0:
        words = ngettext("for the first month, then {full}", "for the first {count} months, then {full}", months)
        return less, words.format(count=months, **facts)
    return less, _("for the first payment, then {full}").format(**facts)


def next_payments(coupon: coupons.Coupon, price: Price, currency: str, quantity: int) -> str:
    """Return the same as a sentence for somebody who has subscribed already; "" where usage decides it."""
    if (costs := _costs(coupon, price, currency, quantity)) is None:
        return ""
    less, full = costs
    facts = {"less": less, "full": f"{full} {price.cadence.per}"}
    if (months := _months_of(coupon, price)) > 0:
        words = ngettext(
            "That is {less} for the next month, then {full}.",
            "That is {less} for the next {count} months, then {full}.",
            months,
        )
        return words.format(count=months, **facts)
    return _("That is {less} for the next payment, then {full}.").format(**facts)


def _costs(coupon: coupons.Coupon, price: Price, currency: str, quantity: int) -> tuple[str, str] | None:
    """Return what is paid with a coupon and without it."""
    total = amounts.cost(price, currency, quantity)
    off = None if total is None else coupon.off([coupons.Part(total, price.product)], currency)
    if total is None or off is None:
        return None
    return short_amount(total - off, currency), short_amount(total, currency)


def _months_of(coupon: coupons.Coupon, price: Price) -> int:
    """Return for how many months less is paid, at least for one payment; 0 where a payment is not for months."""
    if coupon.duration == "repeating" and coupon.months and coupon.months > price.cadence.months:
        return coupon.months
    return price.cadence.count if price.cadence.interval == "month" else 0


def _sentence(held: Subscription, discount: Discount) -> str:
    coupon = discounts.coupon_of(discount)
    named = discount.code or discount.name
    what = short(coupon, held.currency) + (f" ({named})" if named else "")
    if discount.saves is None or held.price is None:
        if discount.ends_at is None:
            return what
        return _("{discount} until {date}").format(discount=what, date=day(discount.ends_at))
    if discount.saves == 0:
        return _("{discount}, not applied to what you have now").format(discount=what)
    facts = {"discount": what, "amount": amount(discount.saves, held.currency)}
    if coupon.duration == "once":
        return _("{discount}: saves {amount} on your next payment").format(**facts)
    facts["amount"] += f" {held.price.cadence.per}"
    return _until(held, discount, facts)


def _until(held: Subscription, discount: Discount, facts: dict[str, str]) -> str:
    """Return what it saves, until when, and what is paid from the first renewal after that."""
    if discount.ends_at is None:
        return _("{discount}: saves {amount}").format(**facts)
    full_from = renewals.first_from(held, discount.ends_at)
    total = amounts.cost(held.price, held.currency, held.quantity) if held.price else None
    if full_from is None or total is None or held.price is None:
        return _("{discount}: saves {amount} until {date}").format(date=day(discount.ends_at), **facts)
    full = f"{amount(total, held.currency)} {held.price.cadence.per}"
    return _("{discount}: saves {amount}. From {date}: {full}").format(date=day(full_from), full=full, **facts)

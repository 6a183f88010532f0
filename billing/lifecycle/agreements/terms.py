"""Terms of an agreement are checked before anything is written; what they leave out is filled in.

A discount that is named is asked for at Stripe.
"""

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from billing import catalogue, clock
from billing.cadence import Cadence
from billing.catalogue import amounts
from billing.conf import conf
from billing.lifecycle import discounting
from billing.lifecycle.refusals import DiscountUnknown, Refused
from billing.models import LONGEST_TRIAL, Agreement, Plan, Price
from billing.money import THREE_DECIMAL, format_amount
from billing.subscriptions import seats

MOST_DAYS = 365
MOST_QUANTITY = 1_000_000
MOST_AMOUNT = 99_999_999  # minor units: what Stripe takes for a price, and for a whole invoice
LATEST = timedelta(days=366)
# These travel with decimals that Stripe wants to be zero (https://docs.stripe.com/currencies#special-cases).
WHOLE = {**dict.fromkeys(THREE_DECIMAL, 10), "isk": 100, "ugx": 100}


# What is the matter with the terms themselves; any other refusal is about how things stand now.
OF_THE_TERMS = frozenset(
    {
        "amount_out_of_range",
        "currency_not_offered",
        "days_out_of_range",
        "discount_other_currency",
        "discount_other_plan",
        "discount_unknown",
        "interval_not_offered",
        "price_not_offered",
        "quantity_out_of_range",
        "start_in_past",
        "start_too_far",
        "text_too_long",
        "trial_out_of_range",
    }
)


class AgreementRefused(Refused):
    """The terms cannot be, or the agreement cannot be sent or discarded now. Nothing was changed; `code` is stable."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def columns(
    subscriber: Any,
    *,
    plan: str,
    interval: str,
    interval_count: int,
    amount: int | None,
    currency: str,
    quantity: int | None,
    days_until_due: int | None,
    po_number: str,
    memo: str,
    starts_on: date | None,
    trial_days: int,
    discount: str,
) -> dict[str, Any]:
    """Return the columns of an agreement. Raises `AgreementRefused`."""
    found, cadence = _plan(plan), _cadence(interval, interval_count)
    price = catalogue.price_for_sale(found, cadence)
    currency = currency.lower()
    money = _as_agreed(found, amount, currency, price) if amount is not None else _by_price(found, cadence, currency)
    texts = {"po_number": po_number, "memo": memo}
    for name, text in texts.items():
        _check_text(name, text)
    columns = {
        "subscriber": subscriber,
        "plan": found,
        "line": found.line,
        "interval": cadence.interval,
        "interval_count": cadence.count,
        "quantity": _quantity(seats.seats_of(subscriber) if quantity is None else quantity),
        "days_until_due": _days(conf.invoice_days if days_until_due is None else days_until_due),
        "starts_on": _start(starts_on),
        "trial_days": _trial(trial_days),
        "discount": discount,
        **money,
        **texts,
    }
    _check_total(price, columns)
    model = price or model_price(found)
    discount_entry(discount, subscriber, model.product if model else "", columns["currency"])
    return columns


def discount_entry(name: str, subscriber: Any, product: str, currency: str) -> dict[str, str]:
    """Return the coupon or promotion code of that name as Stripe's parameter; an empty result for no name. Raises
    `AgreementRefused` for one that takes nothing off here, and `StripeUnavailable`.
    """
    if not name:
        return {}
    try:
        entry, coupon = discounting.named(name, subscriber)
    except DiscountUnknown as error:
        text = f"There is no valid coupon or promotion code {name}. Check its spelling, or leave it out."
        raise AgreementRefused("discount_unknown", text) from error
    if not coupon.is_for(product):
        text = f"The discount {name} is for other plans. Choose another one, or leave it out."
        raise AgreementRefused("discount_other_plan", text)
    if not coupon.is_in(currency):
        others = ", ".join(sorted(code.upper() for code in coupon.amounts))
        text = f"The discount {name} takes nothing off in {currency.upper()}, but in {others}. Choose another one."
        raise AgreementRefused("discount_other_currency", text)
    return entry


def model_price(plan: Plan) -> Price | None:
    """Return a price of the plan by whose product an agreed amount is billed: the newest that is sold, else any."""
    prices = [price for price in plan.prices.all() if price.product]
    return max(prices, key=lambda price: (price.is_active, bool(price.lookup_key), price.pk), default=None)


def _plan(slug: str) -> Plan:
    plan = Plan.objects.filter(slug=slug).prefetch_related("prices__plan").first()
    if plan is None:
        slugs = ", ".join(catalogue.plan_slugs())
        raise AgreementRefused("price_not_offered", f'There is no plan "{slug}". Choose one of: {slugs}.')
    return plan


def _cadence(interval: str, count: int) -> Cadence:
    if interval not in Price.Interval.values or not Cadence(interval, count).is_sellable:
        raise AgreementRefused(
            "interval_not_offered", "Choose an interval of day, week, month or year, of three years at most."
        )
    return Cadence(interval, count)


def _by_price(plan: Plan, cadence: Cadence, currency: str) -> dict[str, Any]:
    price = catalogue.price_for_sale(plan, cadence)
    if price is None:
        raise AgreementRefused(
            "price_not_offered",
            f"The plan {plan.name} has no price that is billed {cadence.adverb}. Choose another interval, or agree on "
            "an amount.",
        )
    _check_currency(plan, currency or price.currency, amounts.currencies(price))
    if amounts.is_free(price, currency or price.currency):
        raise AgreementRefused(
            "amount_out_of_range", f"The plan {plan.name} costs nothing, so no invoice can be sent for it."
        )
    return {"price": price, "currency": currency or price.currency, "unit_amount": None}


def _as_agreed(plan: Plan, amount: int, currency: str, price: Price | None) -> dict[str, Any]:
    model = price or model_price(plan)
    if model is None or not model.product:
        raise AgreementRefused(
            "price_not_offered",
            f"The plan {plan.name} has no price at Stripe, so nothing can be billed for it. Give it a price first.",
        )
    sold = [code for each in plan.prices.all() if each.is_active for code in amounts.currencies(each)]
    _check_currency(plan, currency or model.currency, list(dict.fromkeys(sold)) or [model.currency])
    _check_amount(amount, currency or model.currency)
    return {"price": None, "currency": currency or model.currency, "unit_amount": amount}


def _check_currency(plan: Plan, currency: str, sold: list[str]) -> None:
    if currency not in sold:
        codes = ", ".join(code.upper() for code in sold)
        raise AgreementRefused(
            "currency_not_offered", f"{plan.name} is not sold in {currency.upper()}. Choose one of: {codes}."
        )


def _check_amount(amount: int, currency: str) -> None:
    if not 0 < amount <= MOST_AMOUNT:
        raise AgreementRefused(
            "amount_out_of_range",
            f"The amount must be more than zero and at most {format_amount(MOST_AMOUNT, currency)}.",
        )
    if amount % WHOLE.get(currency, 1):
        raise AgreementRefused(
            "amount_out_of_range", f"Stripe takes no such fraction in {currency.upper()}. Round the amount."
        )


def _check_total(price: Price | None, columns: dict[str, Any]) -> None:
    """Refuse what is more than Stripe takes on one invoice."""
    each, quantity, currency = columns["unit_amount"], columns["quantity"], columns["currency"]
    if each is None and price is not None:
        total = amounts.cost(price, currency, quantity) or 0
    else:
        total = (each or 0) * quantity
    if total > MOST_AMOUNT:
        raise AgreementRefused(
            "amount_out_of_range",
            f"The whole invoice would be {format_amount(total, currency)}; Stripe takes at most "
            f"{format_amount(MOST_AMOUNT, currency)}.",
        )


def _quantity(quantity: int) -> int:
    if not 1 <= quantity <= MOST_QUANTITY:
        raise AgreementRefused("quantity_out_of_range", f"The quantity must be between 1 and {MOST_QUANTITY:,}.")
    return quantity


def _days(days: int) -> int:
    if not 1 <= days <= MOST_DAYS:
        raise AgreementRefused("days_out_of_range", f"An invoice is due in 1 to {MOST_DAYS} days.")
    return days


def _trial(days: int) -> int:
    if not 0 <= days <= LONGEST_TRIAL:
        raise AgreementRefused("trial_out_of_range", f"A trial may last 0 to {LONGEST_TRIAL} days, which is two years.")
    return days


def _start(day: date | None) -> date | None:
    """Return the day on which it starts, None for as soon as it is sent."""
    today = timezone.localdate(clock.now())
    if day is None or day == today:
        return None
    if day < today:
        raise AgreementRefused("start_in_past", "The start is in the past. Choose today or a later day.")
    if day > today + LATEST:
        raise AgreementRefused("start_too_far", "Choose a start in the next twelve months.")
    return day


def _check_text(name: str, text: str) -> None:
    longest: Any = Agreement._meta.get_field(name)
    if len(text) > longest.max_length:
        words = {"po_number": "purchase order number", "memo": "memo"}[name]
        raise AgreementRefused("text_too_long", f"The {words} may have at most {longest.max_length} characters.")

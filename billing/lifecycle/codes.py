"""A buyer brings a promotion code, typed or in a link. Whether it can be used is known before anything is begun.

Stripe's Checkout refuses a session with a code that cannot be used, in words that help nobody. So each of its rules is
asked here first; if Stripe refuses all the same, `CodeRefused` says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from billing import catalogue, clock
from billing.catalogue import coupons
from billing.clock import from_timestamp
from billing.localized import amount
from billing.models import CheckoutAttempt, Customer, Payment, Price
from billing.stripe_client import fetch, id_of

from .refusals import (
    CodeBelowMinimum,
    CodeExpired,
    CodeFirstTime,
    CodeOfAnotherCurrency,
    CodeOfAnotherPlan,
    CodeRefused,
    CodeUnknown,
)

SPELLING = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True)
class Code:
    """A promotion code as Stripe has it. `minimums`: the least that must be bought, minor units by currency."""

    id: str
    text: str
    coupon: coupons.Coupon
    is_usable: bool
    customer: str
    minimums: Mapping[str, int]
    is_first_time: bool
    expires_at: datetime | None

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> "Code":
        rules, coupon = found["restrictions"], found["promotion"]["coupon"]
        options = {name: option["minimum_amount"] for name, option in (rules.get("currency_options") or {}).items()}
        own = {rules["minimum_amount_currency"]: rules["minimum_amount"]} if rules["minimum_amount"] else {}
        most = found["max_redemptions"]
        return cls(
            id=found["id"],
            text=found["code"],
            coupon=coupons.Coupon.of(coupon if isinstance(coupon, dict) else {"id": coupon}),
            is_usable=bool(
                found["active"]
                and isinstance(coupon, dict)
                and coupon.get("valid")
                and (most is None or found["times_redeemed"] < most)
            ),
            customer=id_of(found["customer"]),
            minimums={**options, **own} if own else {},
            is_first_time=bool(rules["first_time_transaction"]),
            expires_at=from_timestamp(found["expires_at"]),
        )

    @property
    def is_over(self) -> bool:
        return not self.is_usable or (self.expires_at is not None and self.expires_at <= clock.now())


def named(text: str, subscriber: Any = None) -> Code:
    """Ask Stripe for the code that a buyer names. Raises `CodeUnknown`, `CodeExpired`, `StripeUnavailable`.

    A code that was made for one customer is known to that customer's subscriber alone.
    """
    if not SPELLING.fullmatch(text.strip()):
        raise CodeUnknown
    theirs = {"", *Customer.objects.living_of(subscriber).values_list("pk", flat=True)}
    found = [code for code in map(Code.of, fetch.promotion_codes(text.strip())) if code.customer in theirs]
    if not found:
        raise CodeUnknown
    found.sort(key=lambda code: (code.is_over, not code.customer))
    if found[0].is_over:
        raise CodeExpired
    return found[0]


def check(code: Code, price: Price, currency: str, quantity: int, subscriber: Any = None) -> None:
    """Refuse a code that cannot be used for this purchase, with the reason: a subclass of `CodeRefused`."""
    if not code.coupon.is_for(price.product):
        raise CodeOfAnotherPlan
    if not code.coupon.is_in(currency):
        others = ", ".join(sorted(name.upper() for name in code.coupon.amounts))
        raise CodeOfAnotherCurrency(_other_currency(currency, others))
    _check_minimum(code, catalogue.amounts.cost(price, currency, quantity) or 0, currency)
    if code.is_first_time and _has_paid(subscriber):
        raise CodeFirstTime


def named_for(text: str, price: Price, currency: str, quantity: int, subscriber: Any) -> str:
    """Return the id at Stripe of a code that can be used for this purchase; "" for no code. Raises `CodeRefused`."""
    if not text.strip():
        return ""
    code = named(text, subscriber)
    check(code, price, currency or price.currency, quantity, subscriber)
    return code.id


def session_params(attempt: CheckoutAttempt) -> dict[str, Any]:
    """Return the parameters of a Checkout session about discounts. Stripe takes one that is preset, or lets the buyer
    enter one."""
    if attempt.promotion_code:
        return {"discounts": [{"promotion_code": attempt.promotion_code}]}
    return {"allow_promotion_codes": True}


def raise_if_about_a_code(attempt: CheckoutAttempt, error: Exception) -> None:
    """Raise `CodeRefused` where Stripe refused the code that a session should have, such as one used up meanwhile."""
    about = f"{getattr(error, 'param', '') or ''} {getattr(error, 'code', '') or ''}"
    if attempt.promotion_code and any(word in about for word in ("promotion_code", "discounts", "coupon")):
        raise CodeRefused from error


def _check_minimum(code: Code, total: int, currency: str) -> None:
    if not code.minimums:
        return
    if currency not in code.minimums:
        others = ", ".join(sorted(name.upper() for name in code.minimums))
        raise CodeBelowMinimum(_other_currency(currency, others))
    if total < code.minimums[currency]:
        words = _("This code is for purchases of at least {amount}. Choose more, or buy without it.")
        raise CodeBelowMinimum(words.format(amount=amount(code.minimums[currency], currency)))


def _other_currency(currency: str, others: str) -> str:
    words = _("This code is not for payments in {currency}, but in {others}.")
    return words.format(currency=currency.upper(), others=others)


def _has_paid(subscriber: Any) -> bool:
    customers = Customer.objects.all_of(subscriber).values("pk")
    return Payment.objects.filter(customer__in=customers, amount__gt=0).exists()

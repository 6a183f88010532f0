"""Stripe charges no amount below its smallest or above its largest
(https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""

from ..errors import ApiError, invalid
from . import pricing

LARGEST = 99_999_999
SMALLEST = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50, "pln": 200,
    "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip
NOTHING = (
    "The amount must be greater than or equal to the minimum charge amount allowed for your account and the currency "
    "set (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts).  If you want to save a Payment "
    "Method for future use without an immediate payment, use a Setup Intent instead: "
    "https://docs.stripe.com/payments/setup-intents"
)


def smallest(currency: str) -> int:
    return SMALLEST.get(currency, 1)


def is_too_small(amount: int, currency: str) -> bool:
    """Return whether an amount is due that is not worth a charge."""
    return 0 < amount < smallest(currency)


def too_large(currency: str, param: str = "amount") -> ApiError:
    return invalid(f"Amount must be no more than {pricing.shown(LARGEST, currency)}", param, "amount_too_large")


def check(amount: int, currency: str) -> None:
    """Refuse an amount that is too small or too large to be charged alone."""
    if amount < 1:
        raise invalid(NOTHING, "amount", "parameter_invalid_integer")
    if is_too_small(amount, currency):
        least = pricing.shown(smallest(currency), currency)
        raise invalid(f"Amount must be at least {least} {currency}", "amount", "amount_too_small")
    if amount > LARGEST:
        raise too_large(currency)

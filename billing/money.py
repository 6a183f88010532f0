"""Stripe counts amounts in minor units; this module turns them into decimals and into text for people.

The exponents are Stripe's (https://docs.stripe.com/currencies#minor-units), which are not everywhere those of the
currency: Icelandic króna and Ugandan shilling have no cents in use, yet travel with two decimals that are always 00.
"""

import copy
import re
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_precision

ZERO_DECIMAL = frozenset(
    {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"}
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
DEFAULT_LOCALE = "en"
# CLDR wants a space where a code made of letters meets a digit ("KWD 1.500"); Babel leaves it out.
LETTER_BEFORE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")


def exponent(currency: str) -> int:
    """Return how many digits of an amount are decimals for Stripe."""
    code = currency.lower()
    if code in ZERO_DECIMAL:
        return 0
    return 3 if code in THREE_DECIMAL else 2


def decimal_amount(minor: int | Decimal, currency: str) -> Decimal:
    """Return Stripe's integer as a decimal in the currency's main unit: 1999 usd is 19.99, 1999 jpy is 1999."""
    return Decimal(minor).scaleb(-exponent(currency))


def format_amount(minor: int | Decimal, currency: str, locale: str = DEFAULT_LOCALE, *, is_short: bool = False) -> str:
    """Return the amount as people of `locale` (Django's or Babel's spelling) write it, never rounded. A short one has
    no decimals where it is whole."""
    amount, code = decimal_amount(minor, currency), currency.upper()
    language = locale_of(locale)
    pattern = copy.copy(language.currency_formats["standard"])
    digits = 0 if is_short and amount == amount.to_integral_value() else _digits_shown(amount, code)
    pattern.frac_prec = (digits, digits)
    text: str = pattern.apply(amount, language, currency=code, currency_digits=False)
    return LETTER_BEFORE_DIGIT.sub("\u00a0", text)


def _digits_shown(amount: Decimal, code: str) -> int:
    """Return the decimals in everyday use, or Stripe's, or all there are, if fewer would hide a part of the amount."""
    all_there_are = -int(amount.normalize().as_tuple().exponent)
    enough = (digits for digits in (get_currency_precision(code), exponent(code)) if digits >= all_there_are)
    return next(enough, all_there_are)


def locale_of(name: str) -> Locale:
    """Return Babel's locale for Django's or Babel's spelling; English for an unknown one."""
    try:
        return Locale.parse(name.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse(DEFAULT_LOCALE)

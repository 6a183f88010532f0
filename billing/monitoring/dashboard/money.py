"""Sums of several currencies are shown side by side, and as one sum if the project gives rates."""

from collections.abc import Mapping
from decimal import Decimal

from babel.numbers import format_compact_currency
from django.utils.translation import get_language

from billing.conf import conf
from billing.money import DEFAULT_LOCALE, decimal_amount, exponent, format_amount, locale_of

Sums = Mapping[str, int]


def worded(minor: int, currency: str) -> str:
    return format_amount(minor, currency, get_language() or DEFAULT_LOCALE)


def base() -> str:
    """Return the currency that the project adds everything up in; empty if it chose none."""
    return conf.dashboard_currency


def rated(currencies: set[str]) -> bool:
    """Return whether all these currencies can be converted into the one that the project chose."""
    base = conf.dashboard_currency
    return bool(base) and all(currency == base or currency in conf.dashboard_rates for currency in currencies)


def in_base(minor: int, currency: str) -> int:
    """Return minor units of the chosen currency, by the project's rates, rounded half to even."""
    base = conf.dashboard_currency
    if currency == base:
        return minor
    return round((decimal_amount(minor, currency) * conf.dashboard_rates[currency]).scaleb(exponent(base)))


def converted(sums: Sums) -> int | None:
    """Return the whole sum in minor units of the chosen currency; None where a rate is missing."""
    if not rated(set(sums)):
        return None
    return sum(in_base(minor, currency) for currency, minor in sums.items())


def lines(sums: Sums) -> tuple[list[str], list[str]]:
    """Return the main lines and the notes beneath: each currency for itself, or their sum and its parts."""
    each = [worded(sums[currency], currency) for currency in sorted(sums)]
    if len(sums) < 2 or (total := converted(sums)) is None:
        return each or ["–"], []
    return [f"≈ {worded(total, conf.dashboard_currency)}"], each


def in_a_line(sums: Sums) -> str:
    first, parts = lines(sums)
    return f"{', '.join(first)} ({', '.join(parts)})" if parts else ", ".join(first)


def value(minor: int, currency: str) -> float:
    """Return the sum as a chart needs it, in main units."""
    return float(decimal_amount(minor, currency))


def short(amount: float, currency: str) -> str:
    """Return the sum as an axis shows it: `$12K`."""
    number = Decimal(str(amount))
    digits = 0 if number == round(number) or abs(number) >= 1000 else exponent(currency)
    return format_compact_currency(
        number, currency.upper(), locale=locale_of(get_language() or DEFAULT_LOCALE), fraction_digits=digits
    )


def is_converted(found: list[str]) -> bool:
    """Return whether charts show all of these currencies in the chosen one, and not each for itself."""
    return len(found) > 1 and rated(set(found))


def drawn_in(found: list[str]) -> list[str]:
    return [conf.dashboard_currency] if is_converted(found) else found


def sum_in(sums: Sums, currency: str, found: list[str]) -> int:
    """Return the sum that a chart in `currency` shows: everything converted, or this currency's own."""
    return (converted(sums) or 0) if is_converted(found) else sums.get(currency, 0)


def rates_in_words() -> list[str]:
    """Return the rates by which sums were converted, as the page shows them: `1 EUR = 1.08 USD`."""
    base = conf.dashboard_currency.upper()
    return [f"1 {code.upper()} = {rate} {base}" for code, rate in sorted(conf.dashboard_rates.items())] if base else []

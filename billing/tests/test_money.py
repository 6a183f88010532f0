"""Amounts in words: yen have no cents, dinars have three decimals, krónur travel with two that are not shown."""

from decimal import Decimal

import pytest

from billing.money import THREE_DECIMAL, ZERO_DECIMAL, decimal_amount, exponent, format_amount

NBSP, NARROW_NBSP = "\u00a0", "\u202f"


@pytest.mark.parametrize(
    ("minor", "currency", "expected"),
    [
        (1999, "usd", "19.99"),
        (1999, "EUR", "19.99"),
        (1999, "jpy", "1999"),
        (1999, "kwd", "1.999"),
        (199900, "isk", "1999.00"),
        (-500, "usd", "-5.00"),
        (0, "usd", "0.00"),
    ],
)
def test_minor_units_become_decimals_by_stripes_exponent(minor, currency, expected):
    assert decimal_amount(minor, currency) == Decimal(expected)


@pytest.mark.parametrize(
    ("minor", "currency", "locale", "expected"),
    [
        (1999, "usd", "en", "$19.99"),
        (1999, "usd", "fr", f"19,99{NBSP}$US"),
        (1999, "usd", "de", f"19,99{NBSP}$"),
        (1999, "eur", "en", "€19.99"),
        (1999, "eur", "fr", f"19,99{NBSP}€"),
        (123456, "eur", "de", f"1.234,56{NBSP}€"),
        (1999, "jpy", "en", "¥1,999"),
        (1999, "jpy", "fr", f"1{NARROW_NBSP}999{NBSP}JPY"),
        (1999, "jpy", "de", f"1.999{NBSP}¥"),
        (1500, "kwd", "en", f"KWD{NBSP}1.500"),
        (1500, "kwd", "fr", f"1,500{NBSP}KWD"),
        (1500, "bhd", "de", f"1,500{NBSP}BHD"),
        (199900, "isk", "en", f"ISK{NBSP}1,999"),
        (199900, "isk", "de", f"1.999{NBSP}ISK"),
        (500000, "ugx", "en", f"UGX{NBSP}5,000"),
    ],
)
def test_amounts_are_written_as_people_of_the_locale_write_them(minor, currency, locale, expected):
    assert format_amount(minor, currency, locale) == expected


def test_a_negative_amount_keeps_its_sign():
    assert format_amount(-500, "usd") == "-$5.00"


def test_nothing_is_rounded_away_where_everyday_use_has_fewer_decimals():
    assert format_amount(1050, "all") == f"ALL{NBSP}10.50"
    assert format_amount(1000, "all") == f"ALL{NBSP}10"


@pytest.mark.parametrize("currency", sorted(ZERO_DECIMAL))
def test_a_zero_decimal_amount_is_shown_whole(currency):
    assert format_amount(1234, currency).endswith("1,234")


@pytest.mark.parametrize("currency", sorted(THREE_DECIMAL))
def test_a_three_decimal_amount_shows_three(currency):
    assert format_amount(1234, currency).endswith("1.234")


@pytest.mark.parametrize("locale", ["en-us", "en_US", "EN"])
def test_django_and_babel_spellings_of_a_locale_are_both_understood(locale):
    assert format_amount(100000, "usd", locale) == "$1,000.00"


def test_an_unknown_locale_or_currency_still_says_the_amount():
    assert format_amount(1999, "usd", "xx-nowhere") == "$19.99"
    assert format_amount(1999, "zzz") == f"ZZZ{NBSP}19.99"


def test_the_exponent_ignores_the_case_of_the_currency():
    assert exponent("JPY") == exponent("jpy") == 0

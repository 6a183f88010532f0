"""The currency and the language that a visitor's request suggests."""

import pytest

from billing.catalogue.visitors import currency_of_visitor, language_of_visitor

SOLD = ["usd", "eur", "gbp", "jpy"]


@pytest.mark.parametrize(
    ("asked", "header", "currency"),
    [
        ("eur", "", "eur"),
        ("GBP", "de-DE", "gbp"),
        ("sek", "de-DE", "eur"),
        ("", "de-AT", "eur"),
        ("", "DE", "eur"),
        ("", "ja", "jpy"),
        ("", "en-GB", "gbp"),
        ("", "en", "usd"),
        ("", "sv, de;q=0.8, ja;q=0.5", "eur"),
        ("", "sv, ja;q=0.9, de;q=0.8", "jpy"),
        ("", "zh-Hant-JP", "jpy"),
        ("", "sv-SE", "usd"),
        ("", "xx-nowhere", "usd"),
        ("", "", "usd"),
        ("", "*", "usd"),
    ],
)
def test_the_currency_is_what_was_asked_for_or_that_of_the_first_language_whose_region_pays_in_one_we_sell(
    asked, header, currency
):
    assert currency_of_visitor(asked, header, SOLD) == currency


def test_where_nothing_is_sold_there_is_no_currency():
    assert [currency_of_visitor(asked, "de-DE", []) for asked in ("", "eur")] == ["", ""]


@pytest.mark.parametrize(
    ("header", "language"),
    [("de-AT, en;q=0.5", "de-at"), ("en;q=0.5, DA", "da"), ("", ""), ("*", "*")],
)
def test_the_language_is_the_one_asked_for_first(header, language):
    assert language_of_visitor(header) == language

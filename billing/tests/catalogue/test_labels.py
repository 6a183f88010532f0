"""A label shows what a price really costs, in words of its kind; what is not known has no figure."""

import pytest
from django.utils import translation

from billing.catalogue import labels
from billing.models import Plan, Price

TIERS = [
    {"up_to": 1, "unit": "1000", "flat": "0"}, {"up_to": 5, "unit": "800", "flat": "500"},
    {"up_to": 6, "unit": "0", "flat": "300"}, {"up_to": None, "unit": "0", "flat": "0"},
]  # fmt: skip


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def price(**columns):
    usual = {"currency": "usd", "unit_amount": 2000, "interval": "month", "currency_options": {"jpy": 300}}
    return Price(pk="price_1", plan=Plan(slug="pro"), **{**usual, **columns})


def test_a_flat_price_is_its_amount_in_each_currency():
    flat = price()
    assert (labels.model_of(flat), labels.lowest(flat, "usd"), labels.unit_words(flat)) == ("flat", 2000, "")
    assert (labels.figure(flat, "usd"), labels.short_figure(flat, "usd")) == ("$20.00", "$20")
    assert labels.figure(flat, "jpy") == "¥300"
    assert (labels.figure(flat, "eur"), labels.short_figure(flat, "eur"), labels.lowest(flat, "eur")) == ("", "", None)
    assert labels.tier_words(flat, "usd") == []
    assert labels.figure(price(unit_amount=0), "usd") == "$0.00"


def by(**terms):
    return price(unit_amount=None, currency_options={}, terms=terms)


@pytest.mark.parametrize("mode", ["graduated", "volume"])
def test_tiers_begin_with_the_first_and_are_told_one_by_one(mode):
    tiered = by(tiers_mode=mode, tiers={"usd": TIERS})
    assert (labels.model_of(tiered), labels.lowest(tiered, "usd"), labels.unit_words(tiered)) == (mode, 1000, "")
    assert (labels.figure(tiered, "usd"), labels.short_figure(tiered, "usd")) == ("from $10.00", "from $10")
    assert (labels.figure(tiered, "eur"), labels.tier_words(tiered, "eur")) == ("", [])
    assert [reach for reach, _ in labels.tier_words(tiered, "usd")] == ["1", "2–5", "6", "7 and more"]
    each = [words for _, words in labels.tier_words(tiered, "usd")]
    assert each == ["$10.00 each", "$8.00 each + $5.00 in all", "$3.00 in all", "$0.00 each"]


def test_metered_tiers_begin_with_a_unit_of_the_first_and_its_flat_amount():
    tiers = {"usd": [{"up_to": None, "unit": "0.5", "flat": "100"}]}
    metered = by(tiers_mode="graduated", tiers=tiers, is_metered=True)
    assert str(labels.lowest(metered, "usd")) == "100.5"
    assert labels.unit_words(metered) == "unit used"


@pytest.mark.parametrize(("size", "model", "words"), [(1, "flat", ""), (2, "package", "2 units")])
def test_a_package_is_told_where_it_is_of_more_than_one(size, model, words):
    pack = price(terms={"package": {"divide_by": size, "round": "up"}})
    assert (labels.model_of(pack), labels.unit_words(pack)) == (model, words)

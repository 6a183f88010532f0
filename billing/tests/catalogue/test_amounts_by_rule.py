"""A price costs what each of its terms says, from both sides of each bound, in each of its currencies."""

from decimal import Decimal

import pytest

from billing.catalogue import amounts
from billing.models import Plan, Price


def price(**columns):
    usual = {"currency": "usd", "unit_amount": 1000, "interval": "month"}
    return Price(pk="price_1", plan=Plan(slug="pro"), **{**usual, **columns})


def by(**terms):
    return price(unit_amount=None, terms=terms)


def tier(up_to, unit, flat="0"):
    return {"up_to": up_to, "unit": unit, "flat": flat}


STEPS = {"usd": [tier(2, "100"), tier(5, "80", "30"), tier(None, "0.5", "7")], "eur": [tier(None, "0")]}


@pytest.mark.parametrize(
    ("quantity", "graduated", "volume"),
    [
        (0, 0, 0),
        (1, 100, 100),
        (2, 200, 200),
        (3, 200 + 80 + 30, 240 + 30),
        (5, 200 + 240 + 30, 400 + 30),
        (6, 200 + 240 + 30 + 1 + 7, 3 + 7),
        (7, 200 + 240 + 30 + 1 + 7, 4 + 7),
    ],
)
def test_tiers_cost_each_its_own_units_or_all_of_the_one_that_is_reached(quantity, graduated, volume):
    assert amounts.cost(by(tiers_mode="graduated", tiers=STEPS), "usd", quantity) == graduated
    assert amounts.cost(by(tiers_mode="volume", tiers=STEPS), "usd", quantity) == volume


def test_the_first_tier_counts_without_any_unit_and_past_the_last_bound_the_last_tier_does():
    steps = {"usd": [tier(2, "100", "40"), tier(4, "10", "5")]}
    assert amounts.cost(by(tiers_mode="graduated", tiers=steps), "usd", 0) == 40
    assert amounts.cost(by(tiers_mode="volume", tiers=steps), "usd", 9) == 95
    assert amounts.cost(by(tiers_mode="volume", tiers=steps), "gbp", 9) is None


@pytest.mark.parametrize(
    ("package", "quantity", "cost"),
    [
        (None, 3, 3000),
        ({"divide_by": 1, "round": "up"}, 3, 3000),
        ({"divide_by": 5, "round": "up"}, 5, 1000),
        ({"divide_by": 5, "round": "up"}, 6, 2000),
        ({"divide_by": 5, "round": "down"}, 9, 1000),
        ({"divide_by": 5, "round": "down"}, 10, 2000),
        ({"divide_by": 5, "round": "down"}, 4, 0),
    ],
)
def test_packages_are_counted_whole(package, quantity, cost):
    sold = price(terms={"package": package} if package else {})
    assert amounts.cost(sold, "usd", quantity) == cost
    assert amounts.package_of(sold) == (package or {"divide_by": 1})["divide_by"]


@pytest.mark.parametrize(("decimal", "quantity", "cost"), [("0.5", 1, 1), ("0.4", 1, 0), ("0.5", 2, 1), ("0.5", 3, 2)])
def test_a_fraction_is_rounded_once_half_up(decimal, quantity, cost):
    sold = by(decimals={"usd": decimal})
    assert amounts.cost(sold, "usd", quantity) == cost
    assert amounts.unit(sold, "usd") == Decimal(decimal)
    assert not amounts.is_plain(sold, "usd")


def test_an_amount_is_of_its_currency_alone_and_what_is_used_costs_nothing_ahead():
    sold = price(currency_options={"eur": 900}, terms={"decimals": {"gbp": "7.5", "chf": "8"}})
    assert amounts.currencies(sold) == ["usd", "eur", "gbp", "chf"]
    assert [amounts.cost(sold, each) for each in ("usd", "eur", "gbp", "jpy")] == [1000, 900, 8, None]
    assert amounts.amounts(sold) == {"usd": 1000, "eur": 900, "chf": 8}
    assert amounts.cost(price(terms={"is_metered": True}), "usd") is None
    assert amounts.amounts(price(terms={"is_metered": True})) == {}
    assert amounts.amounts(price(terms={"package": {"divide_by": 2, "round": "up"}})) == {}
    assert amounts.amounts(by(tiers_mode="volume", tiers=STEPS)) == {}
    assert amounts.currencies(by(tiers_mode="volume", tiers=STEPS)) == ["usd", "eur"]
    assert (amounts.is_tiered(by(tiers={})), amounts.is_tiered(price())) == (True, False)


def test_a_price_is_free_where_nothing_of_it_costs_anything():
    assert amounts.is_free(price(unit_amount=0))
    assert not amounts.is_free(price())
    assert not amounts.is_free(price(unit_amount=None))
    assert amounts.is_free(price(currency_options={"eur": 0}), "eur")
    assert not amounts.is_free(price(unit_amount=0, currency_options={"eur": 1}), "eur")
    tiered = by(tiers_mode="volume", tiers=STEPS)
    assert (amounts.is_free(tiered), amounts.is_free(tiered, "eur")) == (False, True)
    assert not amounts.is_free(by(tiers_mode="volume", tiers={"usd": [tier(1, "0"), tier(None, "0", "1")]}))
    assert not amounts.is_free(by(tiers_mode="volume", tiers={"usd": [tier(1, "0"), tier(None, "1")]}))


def test_tax_is_treated_as_the_currency_says_and_else_as_the_price():
    sold = price(tax_behavior="inclusive", terms={"tax_behaviors": {"eur": "exclusive"}})
    assert [amounts.tax_behavior(sold, each) for each in ("usd", "eur")] == ["inclusive", "exclusive"]
    assert amounts.tax_behavior(price(), "usd") == "unspecified"


def stripe_price(**changes):
    return {
        "currency": "usd",
        "unit_amount": 1000,
        "billing_scheme": "per_unit",
        "tax_behavior": "exclusive",
        **changes,
    }


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({}, {}),
        ({"recurring": {"usage_type": "licensed"}}, {}),
        ({"recurring": {"usage_type": "metered"}}, {"is_metered": True}),
        ({"transform_quantity": {"divide_by": 5, "round": "up"}}, {"package": {"divide_by": 5, "round": "up"}}),
        ({"unit_amount_decimal": "1000"}, {}),
        ({"unit_amount": None, "unit_amount_decimal": "0.5"}, {"decimals": {"usd": "0.5"}}),
        ({"unit_amount": None}, {}),
        ({"currency_options": {"usd": {"unit_amount": None, "unit_amount_decimal": "7.5"}}}, {}),
        ({"currency_options": {"eur": {"unit_amount": None, "unit_amount_decimal": "7.5"}}},
         {"decimals": {"eur": "7.5"}}),
        ({"currency_options": {"eur": {"unit_amount": 9, "tax_behavior": "exclusive"}}}, {}),
        ({"currency_options": {"eur": {"unit_amount": 9, "tax_behavior": None}}}, {}),
        ({"currency_options": {"eur": {"unit_amount": 9, "tax_behavior": "inclusive"}}},
         {"tax_behaviors": {"eur": "inclusive"}}),
        ({"billing_scheme": "tiered", "tiers": None, "tiers_mode": "volume"}, None),
        ({"billing_scheme": "tiered", "tiers": [], "tiers_mode": "volume"},
         {"tiers_mode": "volume", "tiers": {"usd": []}}),
        (
            {"billing_scheme": "tiered", "tiers_mode": "graduated",
             "tiers": [{"up_to": 2, "unit_amount": 5, "unit_amount_decimal": "5", "flat_amount": 3},
                       {"unit_amount_decimal": "0.5", "flat_amount_decimal": "1.5"}],
             "currency_options": {"eur": {"tiers": [{"up_to": None, "unit_amount": 4}]}, "gbp": {}}},
            {"tiers_mode": "graduated",
             "tiers": {"usd": [tier(2, "5", "3"), tier(None, "0.5", "1.5")], "eur": [tier(None, "4")], "gbp": []}},
        ),
    ],
)  # fmt: skip
def test_the_terms_are_what_stripe_says_beyond_an_amount(changes, terms):
    assert amounts.terms_of(stripe_price(**changes)) == terms

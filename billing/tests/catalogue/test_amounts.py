"""What a quantity costs is what Stripe charges for it, by unit, package, tier or usage; labels show it as it is."""

import pytest

from billing.cadence import Cadence
from billing.catalogue import amounts, labels, price_for_sale, prices
from billing.models import Plan

pytestmark = pytest.mark.django_db

TIERS = [{"up_to": 5, "unit_amount": 1000}, {"up_to": "inf", "unit_amount": 800, "flat_amount": 500}]
TIERED = {"billing_scheme": "tiered", "tiers": TIERS}
KINDS = {
    "flat": {"unit_amount": 2000},
    "graduated": {**TIERED, "tiers_mode": "graduated"},
    "volume": {**TIERED, "tiers_mode": "volume"},
    "package": {"unit_amount": 1000, "transform_quantity": {"divide_by": 5, "round": "up"}},
    "package_down": {"unit_amount": 1000, "transform_quantity": {"divide_by": 2, "round": "down"}},
    "decimal": {"unit_amount_decimal": "0.5"},
}


@pytest.fixture
def make(world):
    """Make a price of Pro by three months at Stripe, and return our row of it."""

    def new(**params):
        product = world.stripe("GET", "prices", lookup_keys=["pro_month"])["data"][0]["product"]
        given = {"product": product, "currency": "usd", "recurring": {"interval": "month", "interval_count": 3}}
        made = world.stripe("POST", "prices", lookup_key="pro_3_month", **{**given, **params})
        world.deliver()
        row = price_for_sale(Plan.objects.get(slug="pro"), Cadence("month", 3))
        assert row.pk == made["id"]
        return row

    return new


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("quantity", [1, 5, 7])
def test_a_quantity_costs_what_stripe_charges_for_it(world, make, kind, quantity):
    row = make(**KINDS[kind])
    customer = world.stripe("POST", "customers")["id"]
    items = [{"price": row.pk, "quantity": quantity}]
    asked = {"customer": customer, "subscription_details": {"items": items}}
    assert amounts.cost(row, "usd", quantity) == world.stripe("POST", "invoices/create_preview", **asked)["total"]


@pytest.mark.parametrize(
    ("kind", "figure", "unit"),
    [
        ("flat", "$20.00", ""),
        ("graduated", "from $10.00", ""),
        ("package", "$10.00", "5 units"),
        ("decimal", "$0.005", ""),
    ],
)
def test_a_label_never_shows_a_wrong_amount(make, kind, figure, unit):
    row = make(**KINDS[kind])
    assert (labels.figure(row, "usd"), labels.unit_words(row)) == (figure, unit)
    assert amounts.amounts(row) == ({"usd": 2000} if kind == "flat" else {})


def test_tiers_are_told_one_by_one(make):
    row = make(**KINDS["volume"])
    assert labels.tier_words(row, "usd") == [("1–5", "$10.00 each"), ("6 and more", "$8.00 each + $5.00 in all")]
    assert labels.tier_words(row, "eur") == []


def test_what_is_billed_by_usage_costs_nothing_ahead(world, make):
    meter = world.stripe(
        "POST", "billing/meters", display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )["id"]
    recurring = {"interval": "month", "interval_count": 3, "usage_type": "metered", "meter": meter}
    row = make(recurring=recurring, unit_amount_decimal="0.25")
    assert (amounts.cost(row, "usd"), amounts.is_metered(row), amounts.is_free(row)) == (None, True, False)
    assert (labels.figure(row, "usd"), labels.unit_words(row)) == ("$0.0025", "unit used")


def test_other_currencies_have_amounts_and_tax_behaviour_of_their_own(make):
    others = {"eur": {"unit_amount": 900, "tax_behavior": "inclusive"}, "jpy": {"unit_amount_decimal": "0.5"}}
    row = make(unit_amount=1000, tax_behavior="exclusive", currency_options=others)
    assert amounts.currencies(row) == ["usd", "eur", "jpy"]
    assert [amounts.tax_behavior(row, c) for c in ("usd", "eur", "jpy")] == ["exclusive", "inclusive", "unspecified"]
    assert (amounts.cost(row, "eur", 2), amounts.cost(row, "jpy", 3), amounts.cost(row, "gbp")) == (1800, 2, None)


def test_a_price_of_nothing_is_free_and_one_with_a_free_first_tier_is_not(make):
    row = make(unit_amount=0)
    assert (amounts.is_free(row), amounts.cost(row, "usd", 9)) == (True, 0)
    row.terms = {"tiers_mode": "graduated", "tiers": {"usd": [
        {"up_to": 1, "unit": "0", "flat": "0"}, {"up_to": None, "unit": "5", "flat": "0"}]}}  # fmt: skip
    assert not amounts.is_free(row)


def test_tiers_that_were_not_expanded_leave_what_is_known(make):
    row = make(**KINDS["graduated"])
    bare = {
        "id": row.pk, "object": "price", "active": True, "currency": "usd", "unit_amount": None, "product": row.product,
        "billing_scheme": "tiered", "lookup_key": "pro_3_month",
        "recurring": {"interval": "month", "interval_count": 3},
    }  # fmt: skip
    assert amounts.cost(prices.record_price(bare), "usd", 7) == amounts.cost(row, "usd", 7)

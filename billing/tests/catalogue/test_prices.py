"""A Stripe price is found among our prices, and the prices on offer are chosen."""

from datetime import UTC, datetime

import pytest

from billing import catalogue
from billing.cadence import Cadence
from billing.catalogue import amounts, definitions, prices
from billing.models import Plan, Price

pytestmark = pytest.mark.django_db

MONTH = Cadence("month")


@pytest.fixture(autouse=True)
def _plans():
    definitions.update_plans()


def stripe_price(**changes):
    price = {
        "id": "price_1",
        "object": "price",
        "active": True,
        "currency": "usd",
        "unit_amount": 2000,
        "lookup_key": "pro_month",
        "recurring": {"interval": "month", "interval_count": 1},
    }
    return {**price, **changes}


def test_default_plans_are_made_once_and_never_overwritten():
    Plan.objects.filter(slug="pro").update(name="Professional")
    Plan.objects.get(slug="pro").limits.update(quantity=7)
    assert definitions.update_plans() == 0
    pro = Plan.objects.get(slug="pro")
    assert (pro.name, pro.limit("generations")) == ("Professional", 7)


def test_a_price_is_known_by_its_id_whatever_its_lookup_key():
    known = Price.objects.create(
        pk="price_1", plan=Plan.objects.get(slug="team"), currency="usd", unit_amount=1, interval="month"
    )
    assert prices.plan_price(stripe_price(lookup_key="pro_month")) == known
    assert prices.plan_price(stripe_price(lookup_key=None)).plan.slug == "team"


def test_an_unknown_price_is_mapped_by_its_lookup_key_and_remembered():
    price = prices.plan_price(stripe_price())
    assert (price.plan.slug, price.interval, price.unit_amount) == ("pro", "month", 2000)
    assert Price.objects.get().pk == "price_1"


@pytest.mark.parametrize("key", [None, "", "gold_month", "pro", "pro_fortnight"])
def test_a_price_of_none_of_our_plans_says_what_to_do(key):
    with pytest.raises(catalogue.UnmappedPrice, match=r"price_1.*import_customers --price price_1=<plan slug>"):
        prices.plan_price(stripe_price(lookup_key=key))


def test_a_price_that_changes_at_stripe_changes_here():
    catalogue.record_price(stripe_price(currency_options={"usd": {"unit_amount": 2000}, "eur": {"unit_amount": 1900}}))
    catalogue.record_price(stripe_price(active=False, lookup_key=None))
    price = Price.objects.get()
    assert (price.is_active, price.lookup_key) == (False, "")
    assert price.currency_options == {"eur": 1900}, "an event that carries no currency options does not empty them"


def test_a_price_of_something_else_is_left_alone():
    assert catalogue.record_price(stripe_price(lookup_key="shirt")) is None
    assert catalogue.record_price(stripe_price(recurring=None)) is None
    assert not Price.objects.exists()


def test_the_price_with_our_lookup_key_is_on_offer_before_others():
    catalogue.record_price(stripe_price(id="price_old", unit_amount=1000))
    catalogue.record_price(stripe_price(id="price_old", unit_amount=1000, lookup_key=None))
    catalogue.record_price(stripe_price(id="price_new", unit_amount=3000))
    assert catalogue.price_for_sale(Plan.objects.get(slug="pro"), MONTH).pk == "price_new"


def test_an_archived_price_is_not_on_offer():
    catalogue.record_price(stripe_price(active=False))
    assert catalogue.price_for_sale(Plan.objects.get(slug="pro"), MONTH) is None


def test_of_several_items_the_highest_plan_counts():
    extra = {"price": stripe_price(id="price_extra", lookup_key="storage")}
    pro, team = {"price": stripe_price()}, {"price": stripe_price(id="price_2", lookup_key="team_month")}
    item, price = catalogue.plan_item([extra, pro, team])
    assert (item, price.plan.slug) == (team, "team")
    with pytest.raises(catalogue.UnmappedPrice, match="price_extra"):
        catalogue.plan_item([extra])
    with pytest.raises(catalogue.UnmappedPrice):
        catalogue.plan_item([])
    assert [catalogue.is_plan(items) for items in ([extra, pro], [extra], [])] == [True, False, False]


def test_each_column_is_what_stripe_says_and_an_option_without_an_amount_or_of_the_own_currency_is_none():
    options = {"usd": {"unit_amount": 2000}, "eur": {"unit_amount": 1900}, "jpy": {"unit_amount": None}, "gbp": {}}
    yearly = {"interval": "year", "interval_count": 2}
    assert prices.price_columns(stripe_price(recurring=yearly, active=False, currency_options=options)) == {
        "lookup_key": "pro_month", "currency": "usd", "unit_amount": 2000, "interval": "year", "interval_count": 2,
        "is_active": False, "currency_options": {"eur": 1900}, "created_at": None, "product": "", "tax_behavior": "",
        "terms": {},
    }  # fmt: skip
    bare = prices.price_columns(stripe_price(lookup_key=None, unit_amount=None))
    assert (bare["lookup_key"], bare["unit_amount"], "currency_options" in bare) == ("", None, False)


def test_a_lookup_key_that_moves_to_another_price_is_taken_from_the_first_and_from_no_other():
    for name, key in (("price_old", "pro_month"), ("price_team", "team_month"), ("price_none", "pro_year")):
        catalogue.record_price(stripe_price(id=name, lookup_key=key))
    catalogue.record_price(stripe_price(id="price_none", lookup_key=None))
    catalogue.record_price(stripe_price(id="price_new"))
    assert dict(Price.objects.values_list("pk", "lookup_key")) == {
        "price_old": "", "price_team": "team_month", "price_none": "", "price_new": "pro_month",
    }  # fmt: skip


def row(name, plan="pro", **columns):
    usual = {"currency": "usd", "unit_amount": 1, "interval": "month", "plan": Plan.objects.get(slug=plan)}
    return Price.objects.create(pk=name, **{**usual, **columns})


@pytest.mark.parametrize("columns", [{"is_active": False}, {"interval": "year"}, {"interval_count": 3}])
def test_only_an_active_price_by_that_interval_is_for_sale_the_keyed_one_first_then_the_newest(columns):
    pro = Plan.objects.get(slug="pro")
    row("price_other", plan="team", lookup_key="pro_month")
    assert catalogue.price_for_sale(pro, MONTH) is None
    row("price_2", unit_amount=9, created_at=datetime(2026, 1, 1, tzinfo=UTC))
    newest = row("price_1", created_at=datetime(2026, 1, 2, tzinfo=UTC))
    row("price_3", lookup_key="pro_month", **columns)
    assert catalogue.price_for_sale(pro, MONTH) == newest
    Price.objects.filter(pk="price_2").update(lookup_key="pro_month")
    assert catalogue.price_for_sale(pro, MONTH).pk == "price_2"


def test_amounts_begin_with_the_prices_own_currency():
    price = Price(currency="usd", unit_amount=5, currency_options={"eur": 4})
    assert list(amounts.amounts(price).items()) == [("usd", 5), ("eur", 4)]
    price.unit_amount = None
    assert amounts.amounts(price) == {"eur": 4}


def test_public_plans_bring_what_is_sold_and_name_every_currency_once(django_assert_num_queries):
    Plan.objects.filter(slug="team").update(is_public=False)
    row("price_1", currency_options={"eur": 1})
    row("price_2", is_active=False, currency="gbp")
    row("price_3", interval_count=2, currency="sek")
    row("price_4", plan="team", currency="jpy")
    with django_assert_num_queries(3):
        found = list(prices.public_plans())
        assert [plan.slug for plan in found] == ["free", "pro"]
        assert [[price.pk for price in plan.prices.all()] for plan in found] == [[], ["price_1", "price_3"]]
        assert [[limit.feature for limit in plan.limits.all()] for plan in found] == [["generations"]] * 2
    assert prices.currencies_of(found) == ["usd", "eur", "sek"]
    assert [str(cadence) for cadence in prices.cadences_of(found)] == ["month", "2 month"]
    assert prices.plan_slugs() == ["free", "pro", "team"]


# Looked up once


def test_a_price_is_looked_up_once_while_prices_are_remembered(django_assert_num_queries):
    known, other = row("price_1"), row("price_2")
    with prices.prices_remembered():
        assert prices.plan_price(stripe_price()) == known
        with django_assert_num_queries(0):
            assert prices.plan_price(stripe_price()) == known
        assert prices.plan_price(stripe_price(id="price_2")) == other
        made = prices.plan_price(stripe_price(id="price_3"))
        with pytest.raises(catalogue.UnmappedPrice):
            prices.plan_price(stripe_price(id="price_4", lookup_key=None))
        with django_assert_num_queries(0), pytest.raises(catalogue.UnmappedPrice):
            prices.plan_price(stripe_price(id="price_4", lookup_key=None))
    assert Price.objects.get(pk="price_3") == made
    with django_assert_num_queries(1):
        prices.plan_price(stripe_price())


def test_a_dry_run_knows_a_price_by_its_key_and_saves_none_and_what_is_known_is_given():
    given = Price(pk="price_given", plan=Plan.objects.get(slug="team"))
    with prices.prices_remembered(is_dry=True, known={"price_given": given}):
        assert prices.plan_price(stripe_price(id="price_given", lookup_key=None)) is given
        found = prices.plan_price(stripe_price())
        assert (found.pk, found.plan.slug, found.interval) == ("price_1", "pro", "month")
    assert not Price.objects.exists()


@pytest.mark.parametrize(("key", "slug"), [("pro_month", "pro"), ("pro_decade", None), ("gold_month", None),
                                           ("a_b_month", "a_b"), ("month", None)])  # fmt: skip
def test_a_lookup_key_names_a_plan_and_an_interval(key, slug):
    Plan.objects.create(slug="a_b", name="A B", rank=5)
    plan = prices._plan_named(stripe_price(lookup_key=key))
    assert (plan and plan.slug) == slug


@pytest.mark.parametrize(
    ("items", "line"),
    [
        ([], None),
        ([{"price": {"product": "prod_line"}}], "storage"),
        ([{"price": {"product": {"id": "prod_line"}}}], "storage"),
        ([{"price": {"product": "prod_other"}}, {"price": {"product": "prod_line"}}], "storage"),
        ([{"price": {"product": "prod_other"}}], None),
        ([{"price": {}}], None),
    ],
)
@pytest.mark.django_db
def test_a_line_is_known_by_a_product_of_ours_and_no_product_is_of_none(items, line):
    plan = Plan.objects.create(slug="lined", name="Lined", rank=1, line="storage")
    for product in ("prod_line", ""):
        Price.objects.create(
            pk=f"price_{product}", plan=plan, product=product, currency="usd", unit_amount=1, interval="month"
        )
    assert prices.line_of_product(items) == line


@pytest.mark.parametrize(
    ("key", "recurring", "slug"),
    [
        ("two_3_month", ("month", 3), "two"),
        ("two_3_month", ("month", 1), "two_3"),
        ("two_3_month", ("month", 2), "two_3"),
        ("two_month", ("month", 1), "two"),
        ("two_month", ("year", 1), "two"),
        ("nobody_month", ("month", 1), None),
    ],
)
@pytest.mark.django_db
def test_a_lookup_key_that_two_plans_could_have_is_of_the_one_that_is_billed_so(key, recurring, slug):
    for name in ("two", "two_3"):
        Plan.objects.create(slug=name, name=name, rank=70 + len(name))
    interval, count = recurring
    told = stripe_price(lookup_key=key, recurring={"interval": interval, "interval_count": count})
    named = prices._plan_named(told)
    assert (named and named.slug) == slug


def options(**amounts):
    return {currency: {"unit_amount": amount} for currency, amount in amounts.items()}


def test_what_stripe_did_not_expand_stays_as_it_was_and_what_it_did_is_taken_over():
    tiers = [{"up_to": None, "unit_amount": 500, "unit_amount_decimal": "500", "flat_amount": None}]
    first = {"billing_scheme": "tiered", "tiers_mode": "graduated", "tiers": tiers, "unit_amount": None}
    catalogue.record_price(stripe_price(**first, currency_options=options(usd=2000)))
    known = Price.objects.get()
    assert known.terms
    catalogue.record_price(stripe_price())
    known.refresh_from_db()
    assert known.terms
    catalogue.record_price(stripe_price(currency_options=options(usd=2000)))
    known.refresh_from_db()
    assert known.terms == {}


def test_a_price_without_its_options_gets_its_terms_where_it_is_new():
    assert prices.price_columns(stripe_price())["terms"] == {}
    assert catalogue.record_price(stripe_price()).terms == {}


def test_the_products_name_is_known_where_it_was_expanded_and_cut_to_its_column():
    expanded = {"id": "prod_1", "active": True, "name": "n" * 251}
    told = prices.price_columns(stripe_price(product=expanded))
    assert (told["product"], told["product_name"], told["is_active"]) == ("prod_1", "n" * 250, True)
    assert prices.price_columns(stripe_price(product={**expanded, "name": "n" * 250}))["product_name"] == "n" * 250
    for bare in ("prod_1", {"id": "prod_1", "deleted": True}):
        told = prices.price_columns(stripe_price(product=bare))
        assert (told["product"], "product_name" in told, told["is_active"]) == ("prod_1", False, True)


@pytest.mark.parametrize(
    ("of_price", "of_product", "metadata", "is_active"),
    [
        (True, True, {}, True),
        (False, True, {}, False),
        (True, False, {}, False),
        (True, True, {catalogue.prices.AGREEMENT_KEY: "1"}, False),
    ],
)
def test_a_price_is_for_sale_where_it_and_its_product_are_and_nobody_agreed_on_it(
    of_price, of_product, metadata, is_active
):
    product = {"id": "prod_1", "active": of_product, "name": "Pro"}
    told = prices.price_columns(stripe_price(active=of_price, product=product, metadata=metadata))
    assert told["is_active"] is is_active


def test_what_staff_map_is_recorded_unless_it_is_paid_once():
    team = Plan.objects.get(slug="team")
    for once in (None, {"interval": "fortnight", "interval_count": 1}):
        assert prices.give_price(stripe_price(recurring=once), team) is None
    assert not Price.objects.exists()
    given = prices.give_price(stripe_price(lookup_key="shirt"), team)
    assert (given.plan, given.unit_amount, given.lookup_key) == (team, 2000, "shirt")
    assert prices.give_price(stripe_price(unit_amount=9), Plan.objects.get(slug="pro")).unit_amount == 9
    assert Price.objects.get().plan.slug == "pro"


def test_a_price_that_names_a_plan_is_none_of_it_where_it_is_paid_once_or_by_an_interval_of_no_ours():
    for recurring in (None, {"interval": "fortnight", "interval_count": 1}):
        assert prices._unsaved_price(stripe_price(recurring=recurring)) is None
        Price.objects.create(
            pk="price_1", plan=Plan.objects.get(slug="pro"), currency="usd", unit_amount=1, interval="month"
        )
        assert catalogue.record_price(stripe_price(recurring=recurring)) is None
        assert Price.objects.get().unit_amount == 1
        Price.objects.all().delete()


@pytest.mark.parametrize(("named", "slug"), [("pro", "pro"), ("gold", None), (None, None)])
def test_an_agreed_price_is_of_the_plan_that_its_metadata_name_and_not_of_its_key(named, slug):
    metadata = {catalogue.prices.AGREEMENT_KEY: "1", **({catalogue.prices.PLAN_KEY: named} if named else {})}
    price = stripe_price(lookup_key="team_month", metadata=metadata)
    assert prices.is_plans_key(price) is (slug is not None)
    plan = prices._plan_named(price)
    assert (plan and plan.slug) == slug
    assert prices.is_agreed(price)
    assert not prices.is_agreed(stripe_price())
    assert prices.is_plans_key(stripe_price())


def test_products_of_no_price_are_of_no_line():
    row("price_a", product="prod_1")
    row("price_b", product="")
    assert prices._lines_by_product() == {"prod_1": "main"}

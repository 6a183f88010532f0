"""A Stripe price is found among our prices, and the prices on offer are chosen."""

import pytest

from billing import catalogue
from billing.catalogue import definitions, prices
from billing.models import Plan, Price

pytestmark = pytest.mark.django_db


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
    assert catalogue.price_for_sale(Plan.objects.get(slug="pro"), "month").pk == "price_new"


def test_an_archived_price_is_not_on_offer():
    catalogue.record_price(stripe_price(active=False))
    assert catalogue.price_for_sale(Plan.objects.get(slug="pro"), "month") is None


def test_of_several_items_the_highest_plan_counts():
    extra = {"price": stripe_price(id="price_extra", lookup_key="storage")}
    pro, team = {"price": stripe_price()}, {"price": stripe_price(id="price_2", lookup_key="team_month")}
    item, price = catalogue.plan_item([extra, pro, team])
    assert (item, price.plan.slug) == (team, "team")
    with pytest.raises(catalogue.UnmappedPrice, match="price_extra"):
        catalogue.plan_item([extra])

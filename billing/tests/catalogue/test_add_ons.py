"""Add-ons are kept as they are defined, their prices as Stripe has them, and an item is one by its price alone."""

import pytest

from billing.cadence import Cadence
from billing.catalogue import add_ons
from billing.models import AddOn, AddOnPrice, Plan, Price

pytestmark = pytest.mark.django_db

MONTH, YEAR = Cadence("month"), Cadence("year")


@pytest.fixture
def pro():
    plan = Plan.objects.create(slug="pro", name="Pro", rank=1)
    return Price.objects.create(pk="price_pro", plan=plan, currency="usd", unit_amount=1, interval="month")


@pytest.fixture
def extra():
    return AddOn.objects.create(slug="extra", name="Extra", place=0)


@pytest.fixture
def bystander():
    """Another add-on with a price, to which nothing happens."""
    other = AddOn.objects.create(slug="other", name="Other", place=1)
    price_of(other, "price_other", lookup_key="addon_other_month")
    return other


def price_of(add_on, name="price_extra", interval="month", **columns):
    usual = {"currency": "usd", "amounts": {"usd": 800, "eur": 750}, "interval": interval}
    return AddOnPrice.objects.create(pk=name, add_on=add_on, **{**usual, **columns})


def stripe_price(name="price_1", **changes):
    price = {
        "id": name, "active": True, "currency": "usd", "unit_amount": 800, "product": "prod_1",
        "lookup_key": "addon_extra_month", "recurring": {"interval": "month", "interval_count": 1}, "metadata": {},
    }  # fmt: skip
    return {**price, **changes}


def item(price, quantity=1):
    return {"price": price, "quantity": quantity}


# What is defined


def defined(**changes):
    return {"slug": "extra", "name": "Extra", "limits": {"exports": 5}, "prices": {"month": {"usd": 1}}, **changes}


def test_the_settings_come_before_the_default_and_none_is_none(settings):
    settings.BILLING_ADD_ONS = None
    settings.BILLING_PLANS = None
    assert [row.slug for row in add_ons.defined_add_ons()] == ["extra"]
    settings.BILLING_PLANS = [{"slug": "own", "name": "Own", "limits": {}}]
    assert add_ons.defined_add_ons() == []
    settings.BILLING_ADD_ONS = []
    assert add_ons.defined_add_ons() == []
    settings.BILLING_ADD_ONS = [defined(slug="mine")]
    assert [(row.slug, row.most, row.is_public) for row in add_ons.defined_add_ons()] == [("mine", None, True)]


@pytest.mark.parametrize(
    ("plans", "is_stated"), [([], True), (["pro"], True), (["gone", "pro"], True), (["gone"], False)]
)
def test_an_add_on_is_stated_where_one_of_its_plans_is_there(settings, pro, plans, is_stated):
    settings.BILLING_ADD_ONS = [defined(plans=plans)]
    assert bool(add_ons.stated()) is is_stated


def test_add_ons_are_made_and_changed_as_defined_and_what_is_no_longer_defined_is_sold_no_more(settings, bystander):
    settings.BILLING_ADD_ONS = [defined(slug="other", name="Other", limits={}), defined()]
    assert add_ons.update_add_ons() == 2
    assert list(AddOn.objects.values_list("slug", "place", "is_public", "limits")) == [
        ("other", 0, True, {}), ("extra", 1, True, {"exports": 5}),
    ]  # fmt: skip
    assert add_ons.update_add_ons() == 0
    settings.BILLING_ADD_ONS[1]["most"] = 3
    assert add_ons.update_add_ons() == 1
    assert list(AddOn.objects.values_list("slug", "most")) == [("other", None), ("extra", 3)]
    del settings.BILLING_ADD_ONS[1]
    assert (add_ons.update_add_ons(), add_ons.update_add_ons()) == (1, 0)
    assert dict(AddOn.objects.values_list("slug", "is_public")) == {"other": True, "extra": False}


def test_what_is_for_sale_is_public_and_has_a_price_that_is_sold_and_is_named_once(extra, bystander):
    price_of(extra, "price_a")
    price_of(extra, "price_b", "year")
    assert list(add_ons.for_sale()) == [extra, bystander]
    AddOn.objects.filter(pk=bystander.pk).update(is_public=False)
    assert list(add_ons.for_sale()) == [extra]
    AddOnPrice.objects.filter(pk="price_a").update(is_active=False)
    assert list(add_ons.for_sale()) == [extra]
    AddOnPrice.objects.update(is_active=False)
    assert list(add_ons.for_sale()) == []


def test_a_price_is_sold_by_its_interval_and_currency_the_keyed_one_first_then_the_newest(extra, bystander):
    assert add_ons.price_for(extra, MONTH, "usd") is None
    first, newest = price_of(extra, "price_1"), price_of(extra, "price_2")
    assert add_ons.price_for(extra, MONTH, "usd") == newest
    assert add_ons.price_for(extra, MONTH, "") == newest
    assert add_ons.price_for(extra, MONTH, "gbp") is None
    assert add_ons.price_for(extra, YEAR, "usd") is None
    AddOnPrice.objects.filter(pk=first.pk).update(lookup_key=add_ons.lookup_key("extra", MONTH))
    assert add_ons.price_for(extra, MONTH, "eur") == first
    AddOnPrice.objects.filter(pk=first.pk).update(is_active=False)
    assert add_ons.price_for(extra, MONTH, "eur") == newest


@pytest.mark.parametrize(
    ("plans", "interval", "is_allowed"),
    [([], "month", True), (["pro"], "month", True), (["team"], "month", False), ([], "year", False)],
)
def test_an_add_on_may_stay_beside_a_price_of_its_plans_and_rhythm(extra, pro, plans, interval, is_allowed):
    extra.plans = plans
    price_of(extra, interval=interval, is_active=False)
    price_of(extra, "price_by_the_week", "week")
    assert add_ons.is_allowed(extra, pro) is is_allowed


# Items


def test_an_item_is_an_add_on_by_its_price_where_it_stands_beside_another(extra, bystander, django_assert_num_queries):
    price_of(extra)
    plan, more, other = item("price_pro"), item({"id": "price_extra"}, 2), item("price_other", 3)
    with django_assert_num_queries(0):
        assert add_ons.add_on_items([more]) == []
    found = add_ons.add_on_items([plan, more, other])
    assert [(each["quantity"], price.pk) for each, price in found] == [(2, "price_extra"), (3, "price_other")]
    assert add_ons.quantities_in([plan, more, other, more]) == {"extra": 4, "other": 3}
    assert add_ons.quantities_in([plan, item("price_extra", 0)]) == {}
    assert list(add_ons.quantities_in([other, more])) == ["extra", "other"]


def test_a_price_that_we_had_not_seen_is_taken_by_what_it_says_and_a_strangers_is_not(extra):
    plan = item("price_pro")
    assert add_ons.add_on_items([plan, item(stripe_price(lookup_key="shirt"))]) == []
    assert add_ons.add_on_items([plan, item("price_unseen")]) == []
    ((_, taken),) = add_ons.add_on_items([plan, item(stripe_price())])
    assert (taken.pk, taken.add_on) == ("price_1", extra)
    assert AddOnPrice.objects.get() == taken


def test_what_add_ons_cost_is_counted_by_the_month_in_their_currency(extra):
    monthly, yearly = price_of(extra), price_of(extra, "price_y", "year", amounts={"usd": 9000})
    pairs = [(item("price_extra", 2), monthly), (item("price_y"), yearly)]
    assert add_ons.monthly_cost(pairs, "usd") == 2 * 800 + 750
    assert add_ons.monthly_cost(pairs, "eur") == 1500
    assert add_ons.monthly_cost([], "usd") == 0
    assert (add_ons.cost_of(monthly, "usd", 3), add_ons.cost_of(monthly, "gbp", 3)) == (2400, None)


def test_each_one_gives_its_limits_and_what_gives_any_number_still_does(extra, bystander, django_assert_num_queries):
    AddOn.objects.filter(pk=extra.pk).update(limits={"exports": 5, "seats": None})
    AddOn.objects.filter(pk=bystander.pk).update(limits={"exports": 7})
    with django_assert_num_queries(0):
        assert add_ons.limits_of({}) == []
    assert sorted(add_ons.limits_of({"extra": 3}), key=str) == [("exports", 15), ("seats", None)]
    assert sorted(add_ons.limits_of({"extra": 1, "other": 2}), key=str) == [
        ("exports", 14), ("exports", 5), ("seats", None),
    ]  # fmt: skip


# Prices from Stripe


def test_a_price_is_kept_as_stripe_has_it(extra, bystander):
    options = {"usd": {"unit_amount": 800}, "eur": {"unit_amount": 750}}
    made = add_ons.record_price(stripe_price(currency_options=options, recurring={"interval": "year"}))
    made.refresh_from_db()
    assert (made.add_on, made.lookup_key, made.product, made.currency) == (extra, "addon_extra_month", "prod_1", "usd")
    assert (made.amounts, made.interval, made.interval_count, made.is_active) == (
        {"usd": 800, "eur": 750}, "year", 1, True)  # fmt: skip
    again = add_ons.record_price(stripe_price(active=False, unit_amount=900, recurring={"interval": "month",
                                              "interval_count": 3}, product={"id": "prod_2"}))  # fmt: skip
    assert (again.amounts, again.cadence, again.is_active, again.product) == (
        {"usd": 900, "eur": 750}, Cadence("month", 3), False, "prod_2")  # fmt: skip
    assert AddOnPrice.objects.get(pk="price_other").amounts == {"usd": 800, "eur": 750}


def test_a_price_without_an_amount_costs_nothing_and_its_main_currency_is_named_first(extra):
    assert add_ons.record_price(stripe_price(unit_amount=None)).amounts == {"usd": 0}
    options = {"eur": {"unit_amount": 750}}
    assert list(add_ons.record_price(stripe_price("price_2", currency_options=options)).amounts.items()) == [
        ("usd", 0), ("eur", 750),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"lookup_key": "shirt"},
        {"lookup_key": None},
        {"lookup_key": "addon_gone_month"},
        {"recurring": None},
        {"recurring": {"interval": "fortnight"}},
        {"recurring": {"interval": "month", "usage_type": "metered"}},
    ],
)
def test_what_is_no_price_of_an_add_on_is_not_kept(extra, changes):
    assert add_ons.record_price(stripe_price(**changes)) is None
    assert not AddOnPrice.objects.exists()


def test_our_mark_comes_before_the_key_and_what_is_known_or_said_before_both(extra, bystander):
    marked = stripe_price(metadata={add_ons.MARK: "other"})
    assert add_ons.is_of_an_add_on(marked)
    assert add_ons.is_of_an_add_on(stripe_price())
    assert not add_ons.is_of_an_add_on(stripe_price(metadata={add_ons.MARK: "gone"}))
    assert not add_ons.is_of_an_add_on(stripe_price(lookup_key="addon_extra_fortnight"))
    assert add_ons.record_price(marked).add_on == bystander
    assert add_ons.record_price(stripe_price()).add_on == bystander, "whoever pays it has that one"
    assert add_ons.record_price(stripe_price(), extra).add_on == extra


def test_a_key_that_moves_is_taken_from_the_first_price_and_from_no_other(extra, bystander):
    add_ons.record_price(stripe_price("price_old"))
    price_of(extra, "price_bare")
    add_ons.record_price(stripe_price("price_none", lookup_key=None, metadata={add_ons.MARK: "extra"}))
    add_ons.record_price(stripe_price("price_new"))
    assert dict(AddOnPrice.objects.values_list("pk", "lookup_key")) == {
        "price_old": "", "price_new": "addon_extra_month", "price_bare": "", "price_none": "",
        "price_other": "addon_other_month",
    }  # fmt: skip

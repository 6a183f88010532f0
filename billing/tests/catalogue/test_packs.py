"""Packs are kept as they are defined, and sold at what Stripe says of their price, each by itself."""

import pytest

from billing.catalogue import packs
from billing.models import Pack, Plan

pytestmark = pytest.mark.django_db


@pytest.fixture
def pro():
    plan = Plan.objects.create(slug="pro", name="Pro", rank=1)
    plan.limits.create(feature="exports", quantity=5)
    return plan


def defined(slug="more", **changes):
    return {"slug": slug, "name": "More", "feature": "exports", "quantity": 100, "prices": {"usd": 500}, **changes}


def test_the_settings_come_before_the_defaults_and_none_is_none(settings):
    settings.BILLING_PACKS, settings.BILLING_PLANS = None, None
    assert [pack.key for pack in packs.defined_packs()] == ["pack_credits_1000", "pack_lifetime_pro"]
    settings.BILLING_PLANS = [{"slug": "own", "name": "Own", "limits": {}}]
    assert packs.defined_packs() == []
    settings.BILLING_PACKS = []
    assert packs.defined_packs() == []
    settings.BILLING_PACKS = [defined()]
    (pack,) = packs.defined_packs()
    assert (pack.slug, pack.plan, pack.is_own, pack.lasts_days, pack.is_public) == ("more", "", False, None, True)


@pytest.mark.parametrize(
    ("changes", "is_stated"),
    [
        ({}, True),
        ({"feature": "gone"}, False),
        ({"feature": "", "quantity": None, "plan": "pro"}, True),
        ({"feature": "", "quantity": None, "plan": "gone"}, False),
        ({"feature": "", "quantity": None, "is_own": True}, True),
    ],
)
def test_a_pack_is_stated_where_its_plan_or_feature_is_there_or_it_is_the_projects_own(
    settings, pro, changes, is_stated
):
    settings.BILLING_PACKS = [defined(**changes)]
    assert bool(packs.stated()) is is_stated


def test_packs_are_made_and_changed_as_defined_and_what_is_no_longer_defined_is_sold_no_more(settings, pro):
    settings.BILLING_PACKS = [defined("one"), defined("two", feature="", quantity=None, plan="pro", lasts_days=9)]
    assert (packs.update_packs(), packs.update_packs()) == (2, 0)
    one, two = Pack.objects.order_by("place")
    assert (one.slug, one.feature, one.quantity, one.plan, one.place) == ("one", "exports", 100, None, 0)
    assert (two.slug, two.plan, two.lasts_days, two.place, two.is_public) == ("two", pro, 9, 1, True)
    settings.BILLING_PACKS[0]["quantity"] = 200
    assert (packs.update_packs(), packs.update_packs()) == (1, 0)
    assert list(Pack.objects.order_by("place").values_list("quantity", flat=True)) == [200, None]
    del settings.BILLING_PACKS[1]
    assert (packs.update_packs(), packs.update_packs()) == (1, 0)
    assert dict(Pack.objects.values_list("slug", "is_public")) == {"one": True, "two": False}


def test_what_is_public_and_has_a_price_is_for_sale():
    for slug, price, is_public in (("a", "price_a", True), ("b", "", True), ("c", "price_c", False)):
        Pack.objects.create(slug=slug, name=slug, is_own=True, price_id=price, is_public=is_public)
    assert [pack.slug for pack in packs.for_sale()] == ["a"]


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({}, ("price_1", "prod_1", "usd", {"usd": 500})),
        ({"active": False}, ("", "prod_1", "usd", {"usd": 500})),
        ({"product": {"id": "prod_2"}}, ("price_1", "prod_2", "usd", {"usd": 500})),
        ({"currency_options": {"usd": {"unit_amount": 500}, "eur": {"unit_amount": 450}}},
         ("price_1", "prod_1", "usd", {"usd": 500, "eur": 450})),
    ],
)  # fmt: skip
def test_a_packs_price_is_as_stripe_has_it_and_a_bystanders_stays(changes, kept):
    for slug in ("more", "other"):
        Pack.objects.create(slug=slug, name=slug, is_own=True, price_id="price_0", currency="gbp", amounts={"gbp": 1})
    price = {"id": "price_1", "active": True, "product": "prod_1", "currency": "usd", "unit_amount": 500}
    packs.record_price(packs.PackDefinition("more", "More"), {**price, **changes})
    rows = Pack.objects.values_list("price_id", "product", "currency", "amounts")
    assert rows.get(slug="more") == kept
    assert rows.get(slug="other") == ("price_0", "", "gbp", {"gbp": 1})


def test_the_main_currency_is_named_first_and_once():
    pack = Pack(currency="usd", amounts={"eur": 4, "usd": 5, "gbp": 3})
    assert packs.currencies_of(pack) == ["usd", "eur", "gbp"]

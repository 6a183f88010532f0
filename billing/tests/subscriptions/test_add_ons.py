"""An add-on is an item of the plan's subscription: its row knows it, its limits add up, and its price counts."""

import pytest

from billing import access, usage
from billing.catalogue import add_ons
from billing.models import AddOn, AddOnPrice, MrrMovement, SubscriptionItem
from billing.setup import doctor, publishing_add_ons
from billing.sync import runs

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(world):
    publishing_add_ons.publish()
    return world


@pytest.fixture
def ada(shop):
    return shop.subscribed()


@pytest.fixture
def ben(shop):
    """A bystander with the plan alone, to whom nothing happens."""
    ben = shop.subscribed(email="ben@example.com")
    yield ben
    assert (limit_of(ben), ben.row.add_ons, ben.row.mrr) == (1000, {}, 2000)


def limit_of(someone):
    return usage.summary(someone.user)["generations"].limit


def price_of(interval="month"):
    return AddOnPrice.objects.get(lookup_key=f"addon_extra_{interval}")


def add(shop, someone, price, quantity=1):
    return shop.stripe(
        "POST", "subscription_items", subscription=someone.subscription, price=price, quantity=quantity
    )  # fmt: skip


def other_price(shop, amount, **more):
    product = shop.stripe("POST", "products", name="Support")["id"]
    recurring = {"interval": "month"}
    asked = {"product": product, "currency": "usd", "unit_amount": amount, "recurring": recurring, **more}
    return shop.stripe("POST", "prices", **asked)["id"]


def test_plan_and_add_on_times_quantity_add_up(shop, ada, ben):
    add(shop, ada, price_of().pk, 3)
    shop.deliver()
    assert (ada.row.add_ons, limit_of(ada)) == ({"extra": 3}, 1000 + 3 * 500)
    assert (ada.row.quantity, ada.row.plan.slug, ada.row.mrr) == (1, "pro", 2000 + 3 * 800)
    usage.consume(ada.user, "generations", 2500)
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada.user, "generations")


def test_the_mrr_moves_with_the_quantity_and_back(shop, ada, ben):
    item = add(shop, ada, price_of().pk, 2)
    shop.deliver()
    shop.stripe("DELETE", f"subscription_items/{item['id']}")
    shop.deliver()
    moved = MrrMovement.objects.filter(customer=ada.customer).order_by("pk").values_list("kind", "amount")
    assert list(moved) == [("new", 2000), ("expansion", 1600), ("contraction", -1600)]
    assert (ada.row.add_ons, limit_of(ada)) == ({}, 1000)


def test_an_item_row_names_the_price_of_its_add_on(shop, ada):
    add(shop, ada, price_of().pk)
    shop.deliver()
    rows = SubscriptionItem.objects.filter(subscription=ada.row).order_by("add_on_price")
    assert {row.add_on_price_id for row in rows} == {None, price_of().pk}


def test_an_unknown_item_stays_foreign_and_gives_nothing(shop, ada, ben):
    add(shop, ada, other_price(shop, 300), 5)
    shop.deliver()
    assert (ada.row.whose, ada.row.add_ons, limit_of(ada), ada.row.mrr) == ("ours", {}, 1000, 2000)


def test_a_metered_item_with_our_mark_is_no_add_on(shop, ada):
    shop.stripe(
        "POST", "billing/meters", display_name="Calls", event_name="calls", default_aggregation={"formula": "sum"}
    )
    meter = shop.stripe("GET", "billing/meters")["data"][0]["id"]
    recurring = {"interval": "month", "usage_type": "metered", "meter": meter}
    metered = other_price(shop, 5, recurring=recurring, metadata={add_ons.MARK: "extra"})
    shop.stripe("POST", "subscription_items", subscription=ada.subscription, price=metered)
    shop.deliver()
    assert (ada.row.add_ons, limit_of(ada)) == ({}, 1000)


def test_a_price_that_was_made_elsewhere_is_known_by_its_lookup_key(shop, ada):
    made = other_price(shop, 900, lookup_key="addon_extra_month", transfer_lookup_key=True)
    add(shop, ada, made, 2)
    shop.deliver()
    assert (ada.row.add_ons, limit_of(ada), ada.row.mrr) == ({"extra": 2}, 2000, 2000 + 2 * 900)
    assert list(AddOnPrice.objects.filter(lookup_key="addon_extra_month").values_list("pk", flat=True)) == [made]


def test_whoever_pays_an_earlier_price_keeps_the_add_on(shop, ada, settings):
    add(shop, ada, price_of().pk, 2)
    shop.deliver()
    stated = [{**add_ons.DEFAULT_ADD_ONS[0], "prices": {"month": {"usd": 1000}}}]
    settings.BILLING_ADD_ONS = stated
    publishing_add_ons.publish()
    shop.deliver()
    assert (ada.row.add_ons, ada.row.mrr) == ({"extra": 2}, 2000 + 2 * 800)
    assert price_of().amounts == {"usd": 1000}


def test_a_subscription_that_ends_takes_the_add_on_with_it(shop, ada, ben):
    add(shop, ada, price_of().pk)
    shop.deliver()
    shop.stripe("DELETE", f"subscriptions/{ada.subscription}")
    shop.deliver()
    assert (limit_of(ada), ada.row.mrr) == (10, 0)


def test_a_lost_event_is_found_by_the_sync(shop, ada, ben):
    shop.deliver()
    add(shop, ada, price_of().pk, 4)
    shop.delivered.update(event["id"] for event in shop.events())
    runs.run(runs.Wanted(customer=ada.customer))
    assert (ada.row.add_ons, limit_of(ada)) == ({"extra": 4}, 3000)


def test_a_feature_that_only_an_add_on_has_is_given_by_it(shop, ada, ben):
    AddOn.objects.filter(slug="extra").update(limits={"reports": None})
    assert not access.has_access(ada.user, feature="reports")
    add(shop, ada, price_of().pk)
    shop.deliver()
    assert access.has_access(ada.user, feature="reports")
    assert access.has_access(ada.user, plan="pro", feature="reports")
    assert not access.has_access(ada.user, plan="team", feature="reports")
    assert not access.has_access(ben.user, feature="reports")
    assert usage.summary(ada.user)["reports"].limit is None


def test_publishing_again_makes_nothing(shop):
    assert publishing_add_ons.missing() == []
    publishing_add_ons.publish()
    prices = [price for price in shop.stripe("GET", "prices", limit=100)["data"] if price["metadata"].get(add_ons.MARK)]
    assert sorted(price["lookup_key"] for price in prices) == ["addon_extra_month", "addon_extra_year"]


def test_an_add_on_that_is_no_longer_stated_is_no_longer_sold_and_stays(shop, ada, settings):
    add(shop, ada, price_of().pk)
    shop.deliver()
    settings.BILLING_ADD_ONS = []
    publishing_add_ons.publish()
    assert not add_ons.for_sale().exists()
    assert (limit_of(ada), ada.row.add_ons) == (1500, {"extra": 1})


def test_the_doctor_names_an_add_on_that_the_plan_is_not_sold_with(shop, ada, ben):
    add(shop, ada, price_of().pk)
    shop.deliver()
    assert list(doctor.add_ons.add_ons()) == []
    AddOn.objects.update(plans=["team"])
    (said,) = doctor.add_ons.add_ons()
    assert "1 subscriptions to pro have the add-on extra" in said.text
    assert limit_of(ada) == 1500, "what is paid is given"


def test_more_and_less_is_announced_once(shop, ada):
    shop.heard.clear()
    add(shop, ada, price_of().pk, 2)
    shop.deliver(scramble=True)
    assert shop.said(ada).count("add_on_changed") == 1

"""Prices changed at Stripe are the ones sold here, however late and often it is told."""

import pytest
from djstripe import models as djstripe

from billing import catalogue, testing
from billing.models import Plan, Price, StripeEvent

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def sold(interval="month"):
    return catalogue.offered(Plan.objects.prefetch_related("prices").get(slug="pro"), interval)


def dearer(world, amount=2500):
    """What staff do in the dashboard: another price takes the lookup key over, the old one is archived."""
    old = sold()
    product = world.stripe("GET", f"prices/{old.pk}")["product"]
    made = world.stripe("POST", "prices", product=product, currency="usd", unit_amount=amount, lookup_key="pro_month",
                        transfer_lookup_key=True, recurring={"interval": "month"})  # fmt: skip
    world.stripe("POST", f"prices/{old.pk}", active=False)
    return old, made["id"]


@pytest.fixture
def world(world):
    world.deliver()
    return world


@pytest.mark.parametrize("order", [list, reversed])
def test_another_price_is_sold_and_the_old_one_known_to_who_has_it(world, order):
    ada = world.subscribed()
    old, new = dearer(world)
    world.deliver(order(world.events()))
    assert (sold().pk, sold().unit_amount) == (new, 2500)
    assert Price.objects.get(pk=old.pk).is_active is False
    assert (ada.row.price_id, ada.access.plan.slug) == (old.pk, "pro")
    assert djstripe.Price.objects.get(id=new).stripe_data["unit_amount"] == 2500


def test_an_event_that_comes_late_does_not_bring_the_old_price_back(world):
    _, new = dearer(world)
    told = world.events()
    world.deliver(told)
    for event in told:
        StripeEvent.objects.filter(pk=event["id"]).delete()
    world.deliver(told[::-1])
    assert sold().pk == new


def test_other_currencies_changed_at_stripe_are_sold_too(world):
    world.stripe("POST", f"prices/{sold().pk}", nickname="Dearer", currency_options={"eur": {"unit_amount": 2100}})
    world.deliver()
    assert catalogue.amounts(sold())["eur"] == 2100


def test_a_price_that_is_archived_is_on_the_price_page_no_more(world, client):
    assert "$20<" in client.get("/").content.decode()
    world.stripe("POST", f"prices/{sold().pk}", active=False)
    world.deliver()
    assert "$20<" not in client.get("/").content.decode()


def test_a_price_that_stripe_does_not_know_is_left_as_it_is(world):
    Price.objects.create(pk="price_elsewhere", plan=Plan.objects.get(slug="free"), currency="usd", interval="year")
    world.deliver([testing.event("price.updated", {"id": "price_elsewhere", "object": "price"})])
    assert Price.objects.get(pk="price_elsewhere").is_active


def test_a_price_that_is_deleted_at_stripe_is_sold_no_more(world):
    Price.objects.create(pk="price_gone", plan=Plan.objects.get(slug="free"), currency="usd", interval="year")
    world.deliver([testing.event("price.deleted", {"id": "price_gone", "object": "price", "deleted": True})])
    assert not Price.objects.get(pk="price_gone").is_active


def test_the_price_of_something_else_changes_nothing_here(world):
    product = world.stripe("POST", "products", name="A shirt")["id"]
    made = world.stripe("POST", "prices", product=product, currency="usd", unit_amount=900)
    world.deliver()
    assert not Price.objects.filter(pk=made["id"]).exists()


def test_while_stripe_is_away_the_price_stays_and_then_follows(world):
    _, new = dearer(world)
    with world.down():
        world.deliver(work=False)
        testing.work()
        assert sold().pk != new
    testing.retry()
    testing.assert_all_processed()
    assert sold().pk == new

"""What a subscription bills is kept item by item, however many Stripe lists at once."""

import pytest

from billing.models import Price, Subscription, SubscriptionItem
from billing.stripe_client import fetch

pytestmark = pytest.mark.django_db


def other_price(world, product, amount):
    recurring = {"interval": "month"}
    return world.stripe(
        "POST", "prices", product=product, currency="usd", unit_amount=amount, recurring=recurring
    )["id"]  # fmt: skip


def test_each_item_is_a_row_ours_and_others(world):
    ada = world.subscribed()
    product = world.stripe("POST", "products", name="Support")["id"]
    support = other_price(world, product, 300)
    made = world.stripe("POST", "subscription_items", subscription=ada.subscription, price=support, quantity=2)
    world.deliver()
    rows = SubscriptionItem.objects.filter(subscription=ada.row).order_by("unit_amount")
    assert [(row.stripe_price, row.price_id, row.product, row.quantity, row.unit_amount) for row in rows] == [
        (support, None, product, 2, 300),
        (ada.row.price_id, ada.row.price_id, ada.row.price.product, 1, 2000),
    ]
    world.stripe("DELETE", f"subscription_items/{made['id']}")
    world.deliver()
    assert list(rows.values_list("stripe_price", flat=True)) == [ada.row.price_id]


def test_items_beyond_the_tenth_are_read_too(world):
    ada = world.subscribed()
    product = world.stripe("POST", "products", name="Support")["id"]
    for amount in range(1, 13):
        world.stripe(
            "POST", "subscription_items", subscription=ada.subscription, price=other_price(world, product, amount)
        )
    world.deliver()
    assert SubscriptionItem.objects.filter(subscription=ada.row).count() == 13
    assert (ada.row.whose, ada.access.plan.slug) == ("ours", "pro")


def test_subscriptions_beyond_the_hundredth_are_read_too(world, monkeypatch):
    ada = world.subscribed()
    usual = fetch.subscriptions_request
    monkeypatch.setattr(
        fetch, "subscriptions_request", lambda customer: (usual(customer)[0], {**usual(customer)[1], "limit": 2})
    )
    price = Price.objects.get(lookup_key="pro_month").pk
    for _ in range(4):
        world.subscribe_again(ada, price)
    world.deliver()
    assert Subscription.objects.count() == 5
    assert Subscription.objects.filter(counts=True).count() == 1

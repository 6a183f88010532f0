"""dj-stripe's rows: the same whether we write them together or leave them to dj-stripe one by one."""

import pytest
from djstripe import models as djstripe

from billing import stripe_client
from billing.stripe_client import fetch
from billing.subscriptions import mirror, mirror_bulk

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

TABLES = (djstripe.Customer, djstripe.PaymentMethod, djstripe.Subscription, djstripe.SubscriptionItem)
OWN = {"djstripe_id", "djstripe_created", "djstripe_updated"}


def rows():
    found = {table: list(table.objects.order_by("id").values()) for table in TABLES}
    return {t: [{k: v for k, v in row.items() if k not in OWN} for row in kept] for t, kept in found.items()}


def mirrored(person):
    with stripe_client.drain_reads():
        mirror.write_subscriptions(fetch.subscriptions(person.customer))
    return rows()


@pytest.fixture
def left_to_djstripe(monkeypatch):
    """A switch: from its turning on, nothing is plain enough to be written together."""
    return lambda: monkeypatch.setattr(mirror_bulk, "write_subscriptions", lambda found: False)


def test_what_is_written_together_is_what_djstripe_writes(world, left_to_djstripe):
    ada = world.subscribed()
    for table in reversed(TABLES):
        table.objects.all().delete()
    together = mirrored(ada)
    for table in reversed(TABLES):
        table.objects.all().delete()
    left_to_djstripe()
    assert together == mirrored(ada)
    assert all(together.values())


def test_what_changed_is_written_over_and_a_link_by_hand_stays(world, left_to_djstripe, django_user_model):
    ada = world.subscribed()
    user = django_user_model.objects.first()
    djstripe.Customer.objects.update(subscriber=user)
    world.stripe("POST", f"customers/{ada.customer}", email="ada@new.example")
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    together = mirrored(ada)
    assert together[djstripe.Customer][0]["subscriber_id"] == user.pk
    assert together[djstripe.Customer][0]["email"] == "ada@new.example"
    left_to_djstripe()
    assert together == mirrored(ada)


def test_a_price_never_seen_before_is_left_to_djstripe(world):
    ada = world.subscribed()
    djstripe.Product.objects.all().delete()
    assert not djstripe.Price.objects.exists()
    mirrored(ada)
    assert djstripe.SubscriptionItem.objects.get().price.product is not None

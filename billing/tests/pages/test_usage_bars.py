"""A full quota says what can be done: wait, a larger plan, or a pack; nothing is sold under a hold."""

import pytest

from billing import usage
from billing.models import Pack
from billing.setup import publishing_packs

from .test_buying import text

pytestmark = pytest.mark.django_db


def shown(client, user):
    client.force_login(user)
    return text(client.get("/billing/"))


def test_who_used_all_of_the_free_plan_is_shown_larger_plans(world, client):
    ada = world.sign_up()
    assert "You have used all" not in shown(client, ada)
    usage.consume(ada, "generations", 10)
    page = shown(client, ada)
    assert "You have used all generations of this period. You can use more from " in page
    assert "See larger plans" in page


def test_credits_that_are_sold_are_offered(world, client):
    publishing_packs.publish()
    assert Pack.objects.filter(feature="generations").exists()
    ada = world.sign_up()
    usage.consume(ada, "generations", 10)
    assert "Buy more generations" in shown(client, ada)


def test_under_a_hold_a_full_quota_sells_nothing(world, client):
    ada = world.subscribed()
    world.dispute(ada)
    world.deliver()
    usage.consume(ada.user, "generations", 10)
    page = shown(client, ada.user)
    assert "You have used all generations of this period." in page
    assert "See larger plans" not in page

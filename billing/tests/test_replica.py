"""A host project reads its users and its cache on a replica, which lags: nothing of ours asks it."""

from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.core.management import call_command
from django.test import RequestFactory

from billing import access, usage
from billing.access import has_access
from billing.lifecycle import deletion
from billing.models import AccountDeletion, Customer
from billing.rates import checkout_wait
from billing.testing import work

pytestmark = pytest.mark.django_db(transaction=True)


class ReadsOnReplica:
    """There is no connection of this name, so asking it is an error."""

    def db_for_read(self, model, **hints):
        return "replica" if model._meta.object_name in {"User", "CacheEntry"} else "default"

    def db_for_write(self, model, **hints):
        return "default"


@pytest.fixture
def ada(world, settings):
    ada = world.subscribed()
    settings.DATABASE_ROUTERS = [f"{__name__}.ReadsOnReplica"]
    with pytest.raises(Exception, match="replica"):
        get_user_model().objects.get(email="ada@example.com")
    return ada


def test_access_is_read_where_it_is_written(world, ada):
    assert has_access(ada.user, plan="pro")
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    world.deliver()
    assert not has_access(ada.user, plan="pro")
    assert access.explain(ada.user).decided.reason == "canceled"


def test_a_customers_subscriber_is_read_with_the_name_that_they_have_now(ada):
    get_user_model().objects.db_manager("default").filter(pk=ada.user.pk).update(email="new@example.com")
    customer = Customer.objects.get()
    assert customer.subscriber.email == "new@example.com"
    [prefetched] = Customer.objects.prefetch_related("subscriber")
    assert prefetched.subscriber == ada.user


def test_usage_sync_explanation_and_deletion_ask_no_replica(world, ada):
    usage.consume(ada.user, "generations")
    call_command("sync_stripe", "--full", stdout=StringIO())
    call_command("explain_access", "ada@example.com", stdout=(said := StringIO()))
    assert "has access" in said.getvalue()
    deletion.begin(ada.user)
    work()
    assert AccountDeletion.objects.get().done_at


def test_limits_are_counted_exactly_by_a_cache_in_the_database(ada):
    assert type(caches["default"]).__name__ == "ExactDatabaseCache"
    request = RequestFactory().post("/")
    request.user = ada.user
    waits = [bool(checkout_wait(request)) for _ in range(6)]
    assert waits == [False] * 5 + [True]
    caches["default"].set("here", 1)
    assert "here" in caches["default"]

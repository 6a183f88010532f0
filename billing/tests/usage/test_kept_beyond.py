"""Beyond the limit a use goes by what was kept too: of credits, paid by use, and with a key; a change makes it old."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import grants, usage
from billing.models import Credit, Customer, Hold, KeyedUse, Subscription, SubscriptionItem, Usage

from .test_reporting_rules import NOW, noon, price, subscribed

pytestmark = pytest.mark.django_db

__all__ = ["noon", "price"]


def tables(user, feature="exports", most=8, **call):
    """This returns what a use reads and writes, table by table."""
    with CaptureQueriesContext(connection) as queries:
        usage.consume(user, feature, **call)
    told = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(told) <= most, told
    return " ".join(told)


def decides_anew(user, most=8):
    return Customer._meta.db_table in tables(user, most=most)


def test_credits_are_spent_by_what_was_kept_and_counted_to_the_last_one(ada, ben):
    for user in (ada, ben):
        grants.give_credits(user, "exports", 6, source="pack")
    first = usage.consume(ada, "exports")
    assert (first.limit, first.credits) == (0, 5)
    assert not decides_anew(ada)
    assert usage.consume(ada, "exports", 3).credits == 1
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "exports", 2)
    assert usage.consume(ada, "exports").credits == 0
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "exports")
    assert list(Credit.objects.order_by("used").values_list("used", "left")) == [(0, 6), (6, 0)]


def test_the_rest_of_a_limit_and_credits_are_taken_together_and_refused_together(ada):
    usage.override_limit(ada, "exports", 5)
    grants.give_credits(ada, "exports", 3, source="pack")
    usage.consume(ada, "exports", 3)
    with pytest.raises(usage.QuotaExceeded) as refused:
        usage.consume(ada, "exports", 6)
    assert (refused.value.used, refused.value.credits) == (3, 3)
    now = usage.consume(ada, "exports", 4)
    assert (now.used, now.limit, now.credits) == (5, 5, 1)


def test_credits_that_expire_are_not_spent_though_nothing_was_noted(ada, noon):
    grants.give_credits(ada, "exports", 9, source="pack", until=NOW + timedelta(minutes=5))
    usage.override_limit(ada, "exports", 5)
    assert usage.consume(ada, "exports").credits == 9
    noon.move_to(NOW + timedelta(minutes=5))
    assert usage.consume(ada, "exports").credits == 0
    usage.consume(ada, "exports", 3)
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "exports")


def test_what_is_paid_by_use_is_counted_by_what_was_kept(ada, ben):
    for user in (ada, ben):
        subscribed(user)
        usage.consume(user, "exports", 6)
    assert not decides_anew(ada)
    assert usage.consume(ada, "exports", 2).overage == 4
    row = Usage.objects.get(subscriber=ada)
    assert (row.used, row.overage, row.overage_price, row.overage_subscription) == (5, 4, "price_beyond", "sub_ada")
    assert Usage.objects.get(subscriber=ben).overage == 1


def test_a_cap_is_kept_by_what_was_kept(ada, settings):
    settings.BILLING_SPEND_CAP = {"usd": 90}
    subscribed(ada)
    usage.consume(ada, "exports", 6)
    assert not decides_anew(ada, most=12)
    usage.consume(ada, "exports")
    with pytest.raises(usage.SpendCapReached):
        usage.consume(ada, "exports")
    assert Usage.objects.get(subscriber=ada).overage == 3


def test_with_two_features_paid_by_use_each_use_is_decided_anew_for_they_share_a_cap(ada):
    row = subscribed(ada)
    row.plan.limits.create(feature="films", quantity=5, overage={"usd": "1"})
    usage.consume(ada, "exports", 6)
    assert usage.kept.standing(ada, "exports") is None
    assert usage.consume(ada, "exports").overage == 2


def test_a_key_counts_once_by_what_was_kept(ada):
    subscribed(ada)
    usage.consume(ada, "exports")
    asked = tables(ada, key="job 1")
    assert Customer._meta.db_table not in asked
    assert usage.consume(ada, "exports", key="job 1") == usage.Quota(2, 5)
    assert KeyedUse.objects.get().period_start == Usage.objects.get().period_start
    usage.consume(ada, "exports", 3)
    usage.consume(ada, "exports", 4, key="beyond")
    usage.release(ada, "exports", "beyond")
    usage.release(ada, "exports", "job 1")
    row = Usage.objects.get()
    assert (row.used, row.overage) == (4, 0)


CHANGES = {
    "a hold": (lambda row: Hold.objects.create(customer=row.customer, kind="staff", reference="x", placed_at=NOW)),
    "an end": (lambda row: Subscription.objects.filter(pk=row.pk).update(status="unpaid")),
    "a pause of collecting": (lambda row: Subscription.objects.filter(pk=row.pk).update(collection_paused="void")),
    "a limit": (lambda row: row.plan.limits.update(overage={})),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_ends_what_is_paid_by_use_at_once_and_nobody_elses(ada, ben, change):
    rows = {user: subscribed(user) for user in (ada, ben)}
    for user in rows:
        usage.consume(user, "exports", 6)
        assert usage.kept.standing(user, "exports") is not None
    change(rows[ada])
    with pytest.raises((usage.QuotaExceeded, usage.NoAccess)):
        usage.consume(ada, "exports")
    assert Usage.objects.get(subscriber=ada).overage == 1
    if not rows[ada].plan.limits.filter(overage={}).exists():
        assert usage.consume(ben, "exports").overage == 2


def test_an_item_that_is_removed_bills_nothing_more(ada):
    subscribed(ada)
    usage.consume(ada, "exports", 6)
    SubscriptionItem.objects.all().delete()
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "exports")


def test_while_everything_is_withheld_nothing_is_spent_of_credits(ada):
    row = subscribed(ada)
    grants.give_credits(ada, "exports", 6, source="pack")
    usage.consume(ada, "exports", 6)
    Hold.objects.create(customer=row.customer, kind="staff", reference="x", placed_at=NOW)
    for _ in range(2):
        with pytest.raises((usage.QuotaExceeded, usage.NoAccess)):
            usage.consume(ada, "exports")
    assert Credit.objects.get().left == 5

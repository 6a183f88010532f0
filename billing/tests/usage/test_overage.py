"""Use beyond limit and credits is counted where the plan prices it, and refused everywhere else."""

import pytest

from billing import grants, usage
from billing.models import KeyedUse, OveragePrice, SubscriptionItem

from .metered_plans import counter, metered_plans, reports, shop, use  # noqa: F401

pytestmark = pytest.mark.django_db


def test_a_subscription_has_an_item_for_each_limit_with_a_price_beyond_it(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    prices = SubscriptionItem.objects.filter(is_metered=True).values_list("stripe_price", flat=True)
    rows = OveragePrice.objects.filter(pk__in=list(prices)).order_by("feature")
    assert [(row.feature, row.amounts["usd"]) for row in rows] == [("exports", "30"), ("generations", "2.5")]
    assert len(prices) == 2
    assert ada.row.mrr == 2000


def test_beyond_the_limit_use_is_counted_apart(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    ben = shop.subscribed("pro", email="ben@example.com")
    use(ben, 100)
    assert use(ada, 95) == usage.Quota(95, 100)
    assert use(ada, 8) == usage.Quota(100, 100, overage=3)
    assert use(ada, 7) == usage.Quota(100, 100, overage=10)
    assert usage.summary(ada.user)["generations"] == usage.Quota(100, 100, overage=10)
    assert usage.summary(ben.user)["generations"] == usage.Quota(100, 100)
    usage.reporting.cut_all()
    assert (reports(ada), reports(ben)) == ([(10, "waiting")], [])


def test_the_allowance_is_used_first_then_credits_then_what_is_paid_by_use(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    grants.give_credits(ada.user, "generations", 20, source="pack")
    assert use(ada, 130) == usage.Quota(100, 100, overage=10)
    grants.give_credits(ada.user, "generations", 5, source="another")
    assert use(ada, 3) == usage.Quota(100, 100, credits=2, overage=10)
    assert use(ada, 3) == usage.Quota(100, 100, overage=11)


def test_the_free_plan_is_not_paid_by_use(shop, ada):  # noqa: F811
    usage.consume(ada, "generations", 10)
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations", 1)


@pytest.mark.parametrize("plan", ["flat"])
def test_a_plan_without_a_price_beyond_its_limit_stops_there(shop, plan):  # noqa: F811
    ada = shop.subscribed(plan)
    use(ada, 2000)
    with pytest.raises(usage.QuotaExceeded):
        use(ada, 1)


@pytest.mark.parametrize("status", ["trialing", "past_due", "unpaid"])
def test_only_an_active_subscription_is_used_beyond_its_limit(shop, status):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 5)
    type(ada.row).objects.filter(pk=ada.row.pk).update(status=status)
    with pytest.raises(usage.QuotaExceeded):
        use(ada, 101)


def test_without_its_item_at_stripe_nothing_is_counted_beyond_the_limit(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    SubscriptionItem.objects.filter(is_metered=True).delete()
    with pytest.raises(usage.QuotaExceeded):
        use(ada, 101)


def test_a_hold_withholds_use_beyond_the_limit_too(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    from billing.subscriptions import holds

    holds.place(ada.row.customer, "staff", "case 1", "fraud?")
    with pytest.raises(usage.QuotaExceeded):
        use(ada, 101)


def test_what_is_released_comes_back_from_what_is_paid_by_use_first(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    grants.give_credits(ada.user, "generations", 20, source="pack")
    use(ada, 90)
    assert use(ada, 40, key="job") == usage.Quota(100, 100, overage=10)
    assert use(ada, 40, key="job") == usage.Quota(100, 100, overage=10)
    assert KeyedUse.objects.get().quantity == 40
    assert usage.release(ada.user, "generations", "job") == usage.Quota(90, 100, credits=20)


def test_a_reservation_gives_back_what_it_held_beyond_the_limit(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    usage.reserve(ada.user, "generations", 150, key="job")
    assert usage.commit(ada.user, "generations", "job", 110) == usage.Quota(100, 100, overage=10)


def test_what_was_reported_and_is_given_back_is_reported_as_less(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 130, key="job")
    usage.reporting.cut_all()
    usage.release(ada.user, "generations", "job")
    usage.reporting.cut_all()
    assert sorted(quantity for quantity, _ in reports(ada)) == [-30, 30]
    assert counter(ada).reported == 0


def test_the_running_amount_is_told_with_fractions_of_a_cent(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 103)
    use(ada, 7, "exports")
    usage.reporting.cut_all()
    use(ada, 2)
    granted = usage.allowance(ada.user)
    rows = [(row.feature, row.quantity, float(row.cost)) for row in usage.overage.running(ada.user, granted)]
    assert rows == [("exports", 2, 60.0), ("generations", 5, 12.5)]

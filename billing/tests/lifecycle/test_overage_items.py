"""Metered items come and go with the plan, and no use is lost on the way."""

import pytest

from billing import usage
from billing.lifecycle import cancel, change, checkout, overview, previews
from billing.models import OveragePrice, SubscriptionItem, UsageReport
from billing.stripe_client import StripeUnavailable
from billing.tests.usage.metered_plans import (  # noqa: F401
    invoiced,
    lost_answer,
    metered_plans,
    reports,
    shop,
    summed,
    use,
)

pytestmark = pytest.mark.django_db
BEYOND = "40 × Pro: generations beyond the limit (at $0.025 / month)"


def billed_by(subscriber):
    """Plan and feature of each metered item, as our rows have them."""
    items = SubscriptionItem.objects.filter(subscription__stripe_id=subscriber.subscription, is_metered=True)
    rows = OveragePrice.objects.filter(pk__in=items.values("stripe_price")).select_related("plan")
    return sorted((row.plan.slug, row.feature, str(row.cadence)) for row in rows)


def at_stripe(world, subscriber):
    items = world.api("GET", f"subscriptions/{subscriber.subscription}")["items"]["data"]
    return sorted(item["price"]["lookup_key"] for item in items)


def test_checkout_sells_the_metered_items_of_its_interval_and_currency(shop):  # noqa: F811
    ada = shop.subscribed("pro", "year")
    assert billed_by(ada) == [("pro", "exports", "year"), ("pro", "generations", "year")]
    attempt = checkout.start(shop.sign_up("ben@example.com"), "pro", "month", "eur")
    assert len(attempt.params["line_items"]) == 3


def test_a_plan_that_prices_nothing_beyond_its_limit_sells_itself_alone(shop):  # noqa: F811
    attempt = checkout.start(shop.sign_up(), "flat", "month")
    assert len(attempt.params["line_items"]) == 1


def test_an_upgrade_bills_what_was_used_at_the_price_it_was_used_at(shop):  # noqa: F811
    ada, ben = shop.subscribed("pro"), shop.subscribed("pro", email="ben@example.com")
    use(ada, 140)
    use(ben, 140)
    change.change(ada.user, "team", "month")
    shop.deliver()
    assert billed_by(ada) == [("team", "generations", "month")]
    assert summed(shop, ada) == 40
    assert (BEYOND, 100) in invoiced(shop, ada)
    assert use(ada, 900) == usage.Quota(1000, 1000, overage=40)
    assert use(ada, 1) == usage.Quota(1000, 1000, overage=41)
    usage.each_minute()
    rows = UsageReport.objects.filter(customer_id=ada.customer).values_list("price__plan__slug", "quantity")
    assert sorted(rows) == [("pro", 40), ("team", 1)]
    assert billed_by(ben)[0][0] == "pro"


def test_a_downgrade_exchanges_the_items_when_the_period_ends(shop):  # noqa: F811
    ada = shop.subscribed("team")
    change.change(ada.user, "pro", "month")
    shop.deliver()
    assert billed_by(ada) == [("team", "generations", "month")]
    shop.advance(days=31, hours=2)
    shop.deliver()
    assert billed_by(ada) == [("pro", "exports", "month"), ("pro", "generations", "month")]


def test_a_change_is_refused_while_stripe_does_not_take_the_usage(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    shop.control("faults", api={"fail_next": 1_000, "status": 503})
    with pytest.raises(StripeUnavailable):
        change.change(ada.user, "team", "month")


def test_the_preview_of_a_change_has_what_was_used(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    usage.each_minute()
    lines = [(line.description, line.amount) for line in previews.preview(ada.user, "team", "month").lines]
    assert (BEYOND, 100) in lines


def test_what_was_used_is_invoiced_when_the_subscription_is_cancelled_now(shop):  # noqa: F811
    ada, ben = shop.subscribed("pro"), shop.subscribed("pro", email="ben@example.com")
    use(ada, 140)
    use(ben, 140)
    cancel.cancel(ada.user, "now")
    shop.deliver()
    assert reports(ada) == [(40, "sent")]
    assert (BEYOND, 100) in invoiced(shop, ada)
    assert reports(ben) == []


def test_a_cancellation_waits_while_stripe_does_not_answer_about_usage(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    with lost_answer(shop), pytest.raises(StripeUnavailable):
        cancel.cancel(ada.user, "now")
    UsageReport.objects.update(next_attempt_at=UsageReport.objects.get().made_at)
    cancel.cancel(ada.user, "now")
    shop.deliver()
    assert summed(shop, ada) == 40
    assert (BEYOND, 100) in invoiced(shop, ada)


def test_what_is_used_until_the_end_of_the_period_is_billed_at_the_end(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    cancel.cancel(ada.user, "period_end")
    use(ada, 140)
    shop.advance(days=31)
    usage.each_minute()
    shop.deliver()
    usage.each_minute()
    shop.advance(hours=2)
    assert (BEYOND, 100) in invoiced(shop, ada)


def test_a_plan_that_was_switched_in_the_portal_gets_its_items(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    items = shop.api("GET", f"subscriptions/{ada.subscription}")["items"]["data"]
    plan = next(item for item in items if item.get("quantity"))
    team = shop.api("GET", "prices", lookup_keys=["team_month"])["data"][0]["id"]
    shop.api("POST", f"subscriptions/{ada.subscription}", items=[{"id": plan["id"], "price": team}])
    shop.deliver()
    assert at_stripe(shop, ada) == ["overage:team:generations:month", "team_month"]
    assert billed_by(ada) == [("team", "generations", "month")]


def test_the_account_shows_the_plan_as_before(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    now = overview.overview_of(ada.user)
    assert (now.plan, now.usage["generations"]) == ("pro", usage.Quota(0, 100))

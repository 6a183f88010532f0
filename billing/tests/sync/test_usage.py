"""The sync compares Stripe's meters with our reports, names what differs, and sends nothing for it."""

import pytest

from billing import usage
from billing.models import SubscriptionItem, UsageReport
from billing.sync import runs
from billing.tests.usage.metered_plans import metered_plans, reports, shop, summed, use  # noqa: F401

pytestmark = pytest.mark.django_db


def drifts(run):
    return [(row["customer"], row["field"], row["ours"], row["theirs"], row["cause"]) for row in run.drifts]


def test_what_agrees_is_not_named(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    usage.each_minute()
    shop.advance(hours=1)
    assert drifts(runs.run(runs.Wanted())) == []


def test_what_differs_is_named_by_customer_and_month_and_nothing_is_sent(shop):  # noqa: F811
    ada, ben = shop.subscribed("pro"), shop.subscribed("pro", email="ben@example.com")
    for each in (ada, ben):
        use(each, 140)
    usage.each_minute()
    row = UsageReport.objects.get(customer_id=ada.customer)
    shop.api("POST", "billing/meter_event_adjustments", event_name="billing_generations", type="cancel",
             cancel={"identifier": str(row.pk)})  # fmt: skip
    shop.advance(hours=1)
    found = drifts(runs.run(runs.Wanted()))
    assert [(each[0], each[2:]) for each in found] == [(ada.customer, (40, 0.0, "unknown"))]
    assert found[0][1].startswith("usage_of_generations_since_")
    assert summed(shop, ada) == 0


def test_a_report_without_an_answer_is_named_as_the_cause(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    usage.each_minute()
    UsageReport.objects.update(state="doubtful", sent_at=None)
    shop.advance(hours=1)
    run = runs.run(runs.Wanted())
    assert drifts(run)[0][2:] == (0, 40.0, "a usage report that waits for a person")
    assert any("nobody knows whether Stripe counted it" in note for note in run.notes)


def test_an_error_that_stripe_found_later_refuses_the_report(shop):  # noqa: F811
    ada, ben = shop.subscribed("pro"), shop.subscribed("pro", email="ben@example.com")
    use(ada, 140)
    use(ben, 120)
    usage.reporting.cut_all()
    UsageReport.objects.filter(customer_id=ada.customer).update(customer_id="cus_nobody")
    usage.each_minute()
    assert reports(ben) == [(20, "sent")]
    shop.control("advance", seconds=60)
    usage.each_minute()
    row = UsageReport.objects.get(customer_id="cus_nobody")
    assert row.state == "refused"
    assert "meter_event_customer_not_found" in row.error_message
    assert reports(ben) == [(20, "sent")]


def test_metered_items_that_are_missing_are_added_by_the_sync(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    found = shop.api("GET", f"subscriptions/{ada.subscription}")["items"]["data"]
    for item in found:
        if item.get("quantity") is None:
            shop.api("DELETE", f"subscription_items/{item['id']}")
    SubscriptionItem.objects.filter(is_metered=True).delete()
    run = runs.run(runs.Wanted())
    assert [row["field"] for row in run.drifts] == ["metered_items"]
    assert run.healed == 1
    assert SubscriptionItem.objects.filter(is_metered=True).count() == 2
    assert len(shop.api("GET", f"subscriptions/{ada.subscription}")["items"]["data"]) == 3

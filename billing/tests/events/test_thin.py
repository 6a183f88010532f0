"""Meters tell their errors by thin events, which come in at the door and refuse the usage reports that they name."""

import pytest

from billing import stripe_client, testing, usage
from billing.models import Alert, OveragePrice, StripeEvent, UsageReport
from billing.tests.usage.metered_plans import metered_plans, reports, shop, use  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)
TYPE = "v1.billing.meter.error_report_triggered"


def told_by_stripe(shop):  # noqa: F811
    """Return what Stripe delivers of its newest error report: the event without its data."""
    meter = OveragePrice.objects.filter(feature="generations").values_list("meter", flat=True).first()
    found = stripe_client.get(usage.meter_errors.EVENTS, object_id=meter, limit=100)["data"]
    newest = next(row for row in found if row["type"] == TYPE)
    return {name: value for name, value in dict(newest).items() if name != "data"}


@pytest.fixture
def refused(shop):  # noqa: F811
    """A report that we count as sent, and that Stripe has found to be wrong since."""
    ada, ben = shop.subscribed("pro"), shop.subscribed("pro", email="ben@example.com")
    for person in (ada, ben):
        use(person, 120)
    usage.each_minute()
    report = UsageReport.objects.get(customer_id=ada.customer)
    payload = {"stripe_customer_id": "cus_nobody", "value": "20"}
    stripe_client.post(
        "/v1/billing/meter_events",
        idempotency_key=f"{report.pk}:2",
        event_name="billing_generations",
        payload=payload,
    )
    shop.control("advance", seconds=15)
    return ada, ben


def test_an_error_report_is_heard_at_the_door_and_refuses_the_report_it_names(shop, refused):  # noqa: F811
    ada, ben = refused
    thin = told_by_stripe(shop)
    assert testing.deliver(thin).json()["status"] == "received"
    assert testing.deliver(thin).json()["status"] == "duplicate"
    testing.work()
    testing.assert_all_processed()
    assert (reports(ada), reports(ben)) == ([(20, "refused")], [(20, "sent")])
    assert Alert.objects.filter(subject__icontains="usage").exists()
    row = StripeEvent.objects.get(pk=thin["id"])
    assert (row.type, row.object["object"], row.deliveries) == (TYPE, "billing.meter", 2)


def test_an_error_report_of_nobody_here_has_no_effect_and_another_thin_event_is_ignored(shop, refused):  # noqa: F811
    ada, _ = refused
    thin = told_by_stripe(shop)
    UsageReport.objects.filter(customer_id=ada.customer).update(state="waiting")
    testing.deliver(thin)
    testing.work()
    assert "refuses no usage report" in StripeEvent.objects.get(pk=thin["id"]).error_message
    other = {**thin, "id": "evt_test_other", "type": "v2.core.account.updated"}
    assert testing.deliver(other).json()["status"] == "ignored"


@pytest.mark.parametrize("wrong", [{"created": 7}, {"created": "soon"}, {"type": None}, {"livemode": "no"}, {"id": ""},
                                   {"related_object": {"id": "../x", "type": "billing.meter"}}])  # fmt: skip
def test_a_thin_event_that_is_none_is_refused(shop, wrong):  # noqa: F811
    thin = {"id": "evt_test_1", "object": "v2.core.event", "type": TYPE, "created": "2026-12-01T12:00:00.000Z",
            "livemode": False, "related_object": {"id": "mtr_1", "type": "billing.meter", "url": "/"}}  # fmt: skip
    assert testing.deliver({**thin, **wrong}).status_code == 400
    assert not StripeEvent.objects.exists()

"""What was used beyond a limit arrives at Stripe's meter once, whatever is lost on the way."""

from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from billing import usage
from billing.models import Alert, NextCharge, UsageReport
from billing.subscriptions import next_charges
from billing.usage import reporting

from .metered_plans import counter, invoiced, lost_answer, metered_plans, reports, shop, summed, use  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def minute(django_capture_on_commit_callbacks):
    """The worker's minute, with what it does after its commits."""

    def run():
        with django_capture_on_commit_callbacks(execute=True):
            usage.each_minute()

    return run


def due_now():
    UsageReport.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=timezone.now())


def test_a_minute_is_one_report_and_the_next_invoice_bills_it(shop):  # noqa: F811
    ada, ben = shop.subscribed("pro"), shop.subscribed("pro", email="ben@example.com")
    for _ in range(5):
        use(ada, 25)
    usage.each_minute()
    usage.each_minute()
    assert reports(ada) == [(25, "sent")]
    assert (summed(shop, ada), summed(shop, ben)) == (25, 0)
    shop.advance(days=31, hours=2)
    assert ("25 × Pro: generations beyond the limit (at $0.025 / month)", 63) in invoiced(shop, ada)
    assert all("25" not in words for words, amount in invoiced(shop, ben) if amount == 63)


def charge_of(subscriber):
    return NextCharge.objects.get(subscription__stripe_id=subscriber.subscription)


def preview_is_due():
    NextCharge.objects.filter(ask_at__isnull=False).update(ask_at=timezone.now())
    next_charges.each_minute()


def test_the_next_charge_has_what_was_reported_and_is_told_meanwhile(shop):  # noqa: F811
    ada, ben = shop.subscribed("pro"), shop.subscribed("pro", email="ben@example.com")
    preview_is_due()
    before = charge_of(ben)
    for quantity in (140, 60):
        use(ada, quantity)
        usage.each_minute()
    row = charge_of(ada)
    assert (row.amount, row.ask_at - timezone.now() > timedelta(minutes=2)) == (2_000, True)
    next_charges.each_minute()
    assert charge_of(ada).amount == 2_000  # Stripe is asked once, after some minutes
    preview_is_due()
    assert (charge_of(ada).amount, charge_of(ada).ask_at) == (2_250, None)
    assert (charge_of(ben).amount, charge_of(ben).version) == (2_000, before.version)


def test_a_preview_that_was_asked_before_a_report_does_not_count(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    preview_is_due()
    use(ada, 140)
    usage.each_minute()
    real = next_charges.stripe_client.post

    def post(path, **params):
        answer = real(path, **params)
        use(ada, 40)
        reporting.cut_all()
        NextCharge.objects.filter(subscription__stripe_id=ada.subscription).ask_soon(timezone.now())
        return answer

    with mock.patch.object(next_charges.stripe_client, "post", post):
        preview_is_due()
    assert charge_of(ada).ask_at is not None
    usage.each_minute()
    preview_is_due()
    assert charge_of(ada).amount == 2_200


def test_a_lost_answer_is_not_counted_twice(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    with lost_answer(shop):
        usage.each_minute()
    assert reports(ada) == [(40, "sending")]
    due_now()
    usage.each_minute()
    assert reports(ada) == [(40, "sent")]
    assert summed(shop, ada) == 40


def test_a_worker_killed_between_sending_and_writing_it_down_sends_nothing_twice(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    with mock.patch.object(reporting, "settle", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        usage.each_minute()
    assert (reports(ada), summed(shop, ada)) == ([(40, "sending")], 40)
    usage.each_minute()
    assert reports(ada) == [(40, "sending")]  # claimed: another worker may still be at it
    due_now()
    usage.each_minute()
    assert (reports(ada), summed(shop, ada)) == ([(40, "sent")], 40)


def test_an_outage_loses_nothing(shop):  # noqa: F811
    ada, ben = shop.subscribed("pro"), shop.subscribed("pro", email="ben@example.com")
    use(ada, 140)
    use(ben, 120)
    with shop.down():
        usage.each_minute()
        use(ada, 2)
        usage.each_minute()
    due_now()
    usage.each_minute()
    assert (summed(shop, ada), summed(shop, ben)) == (42, 20)


@pytest.mark.parametrize(("arrives", "state"), [(True, "sent"), (False, "sent")])
def test_after_a_day_stripe_is_asked_before_anything_is_sent_again(shop, arrives, state):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    with lost_answer(shop) if arrives else shop.down():
        usage.each_minute()
    shop.advance(days=2)
    due_now()
    usage.each_minute()
    due_now()
    usage.each_minute()
    assert reports(ada) == [(40, state)]
    assert summed(shop, ada) == 40


def test_what_cannot_be_told_apart_waits_for_a_person(shop, minute):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    with shop.down():
        minute()
    row = UsageReport.objects.get()
    shop.api("POST", "billing/meter_events", event_name="billing_generations", timestamp=int(row.at.timestamp()),
             payload={"stripe_customer_id": ada.customer, "value": "7"})  # fmt: skip
    shop.advance(days=2)
    minute()
    assert reports(ada) == [(40, "doubtful")]
    assert "Stripe has counted 7" in UsageReport.objects.get().error_message
    assert Alert.objects.filter(cause="usage_report_doubtful").exists()
    minute()
    assert summed(shop, ada) == 7


def test_a_person_sends_it_again_under_another_identifier(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    usage.reporting.cut_all()
    UsageReport.objects.update(state="doubtful")
    row = UsageReport.objects.get()
    assert usage.reporting.send_again(row, "staff:1")
    assert not usage.reporting.send_again(row, "staff:1")
    usage.each_minute()
    assert sorted(reports(ada)) == [(40, "dropped"), (40, "sent")]
    assert summed(shop, ada) == 40


@pytest.mark.parametrize(("decide", "state"), [(reporting.count_as_sent, "sent"), (reporting.give_up, "dropped")])
def test_a_person_settles_it_without_sending(shop, decide, state):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    usage.reporting.cut_all()
    UsageReport.objects.update(state="refused")
    assert decide(UsageReport.objects.get(), "staff:1")
    assert not decide(UsageReport.objects.get(), "staff:2")
    assert reports(ada) == [(40, state)]
    assert UsageReport.objects.get().settled_by == "staff:1"


def test_what_stripe_refuses_is_visible_and_not_tried_again(shop, minute):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    meter = shop.api("GET", "billing/meters")["data"]
    for row in meter:
        shop.api("POST", f"billing/meters/{row['id']}/deactivate")
    minute()
    minute()
    row = UsageReport.objects.get()
    assert (row.state, row.attempts) == ("refused", 1)
    assert "No active meter" in row.error_message
    assert Alert.objects.get(cause="usage_report_refused").waiting == 1


def test_use_at_the_months_edge_is_billed_in_the_month_it_was_used_in(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    shop.advance(days=31)  # the renewal is a draft, and its event has not come
    usage.each_minute()
    use(ada, 1)
    assert counter(ada).used == 1
    shop.advance(hours=2)
    assert ("40 × Pro: generations beyond the limit (at $0.025 / month)", 100) in invoiced(shop, ada)


def test_what_is_too_late_for_its_invoice_is_billed_by_the_next(shop):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    shop.advance(days=31, hours=3)
    shop.deliver()
    usage.each_minute()
    row = UsageReport.objects.get()
    assert row.state == "sent"
    assert "Dated anew" in row.error_message
    shop.advance(days=31, hours=3)
    assert ("40 × Pro: generations beyond the limit (at $0.025 / month)", 100) in invoiced(shop, ada)


def test_what_no_invoice_will_bill_any_more_is_late(shop, minute):  # noqa: F811
    ada = shop.subscribed("pro")
    use(ada, 140)
    shop.api("DELETE", f"subscriptions/{ada.subscription}")
    shop.deliver()
    shop.advance(hours=3)
    minute()
    assert reports(ada) == [(40, "late")]
    assert Alert.objects.filter(cause="usage_report_late").exists()


def test_a_worker_that_was_away_for_six_weeks_reports_all_the_same(shop):  # noqa: F811
    ada = shop.subscribed("pro", "year")
    use(ada, 140)
    shop.advance(days=42)
    usage.each_minute()
    assert (reports(ada), summed(shop, ada)) == ([(40, "sent")], 40)

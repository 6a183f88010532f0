"""Counting, reporting and capping at the same instant, on PostgreSQL."""

from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
import time_machine
from django.db import transaction

from billing import grants, usage
from billing.models import (
    Credit,
    Customer,
    OveragePrice,
    Plan,
    PlanLimit,
    Price,
    Subscription,
    SubscriptionItem,
    Usage,
    UsageReport,
)
from billing.tests import parallel
from billing.usage import reporting

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def paying(user, **prices):
    """A subscriber of Pro whose limit is 50, with a metered item for each feature."""
    plan = Plan.objects.get(slug="pro")
    price = Price.objects.create(pk=f"price_{user.pk}", plan=plan, currency="usd", unit_amount=2000, interval="month")
    customer = Customer.objects.create(pk=f"cus_{user.pk}", subscriber=user, currency="usd")
    row = Subscription.objects.create(
        customer=customer, stripe_id=f"sub_{user.pk}", plan=plan, price=price, status="active", currency="usd",
        current_period_start=NOON - timedelta(days=5), current_period_end=NOON + timedelta(days=25),
        billing_cycle_anchor=NOON - timedelta(days=5),
    )  # fmt: skip
    for feature, amount in (prices or {"generations": "2.5"}).items():
        PlanLimit.objects.update_or_create(
            plan=plan, feature=feature, defaults={"quantity": 50, "overage": {"usd": amount}}
        )
        metered, _ = OveragePrice.objects.get_or_create(
            plan=plan, feature=feature, interval="month",
            defaults={"pk": f"price_{feature}", "amounts": {"usd": amount}, "meter": "mtr_1", "event_name": feature},
        )  # fmt: skip
        SubscriptionItem.objects.create(
            subscription=row, stripe_id=f"si_{feature}_{user.pk}", stripe_price=metered.pk, is_metered=True
        )
    return row


def counted(outcomes):
    return sum(isinstance(outcome, usage.Quota) for outcome in outcomes)


def test_a_hundred_over_the_edge_are_each_counted_once_in_order_of_what_costs_least(ada, ben):
    paying(ada)
    paying(ben)
    grants.give_credits(ada, "generations", 20, source="pack")
    outcomes = parallel.at_once(lambda _: usage.consume(ada, "generations"), 100)
    assert counted(outcomes) == 100
    row = Usage.objects.get(subscriber=ada)
    assert (row.used, row.overage, Credit.objects.get().used) == (50, 30, 20)
    assert not Usage.objects.filter(subscriber=ben).exists()


def test_flushes_at_the_same_instant_as_use_report_each_use_once(ada):
    paying(ada)
    usage.consume(ada, "generations", 50)

    def act(number):
        if number % 3:
            return usage.consume(ada, "generations")
        return reporting.cut_all()

    outcomes = parallel.at_once(act, 60)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    reporting.cut_all()
    row = Usage.objects.get()
    reported = sum(UsageReport.objects.values_list("quantity", flat=True))
    assert (row.overage, row.reported, reported) == (40, 40, 40)


def test_twenty_flushes_at_once_make_one_report(ada):
    paying(ada)
    usage.consume(ada, "generations", 90)
    made = parallel.at_once(lambda _: reporting.cut_all(), 20)
    assert sum(number for number in made if number) == 1
    assert UsageReport.objects.get().quantity == 40


def test_twenty_workers_claim_a_report_once(ada):
    paying(ada)
    usage.consume(ada, "generations", 90)
    reporting.cut_all()
    claimed = parallel.at_once(lambda _: reporting._claim(UsageReport.objects.get()), 20)
    assert [each for each in claimed if each is True] == [True]
    assert UsageReport.objects.get().attempts == 1


def test_a_cap_is_kept_to_the_last_use_by_a_hundred_at_once(ada):
    paying(ada)
    usage.capping.set_cap(ada, 50, "usd")  # 20 uses at 2.5
    outcomes = parallel.at_once(lambda _: usage.consume(ada, "generations"), 100)
    assert counted(outcomes) == 70
    assert sum(isinstance(outcome, usage.SpendCapReached) for outcome in outcomes) == 30
    assert Usage.objects.get().overage == 20


def test_a_cap_over_two_features_is_kept_by_a_hundred_at_once(ada):
    paying(ada, generations="2", exports="10")
    usage.consume(ada, "generations", 50)
    usage.consume(ada, "exports", 50)
    usage.capping.set_cap(ada, 100, "usd")
    parallel.at_once(lambda number: usage.consume(ada, "exports" if number % 2 else "generations"), 100)
    used = dict(Usage.objects.values_list("feature", "overage"))
    cost = used["generations"] * 2 + used["exports"] * 10
    assert 98 <= cost <= 100


def test_release_and_flush_at_the_same_instant_lose_nothing(ada):
    paying(ada)
    for number in range(20):
        usage.consume(ada, "generations", 5, key=f"job {number}")

    def act(number):
        if number % 2:
            return reporting.cut_all()
        return usage.release(ada, "generations", f"job {number}")

    outcomes = parallel.at_once(act, 20)
    assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
    reporting.cut_all()
    row = Usage.objects.get()
    assert row.overage == sum(UsageReport.objects.values_list("quantity", flat=True))
    assert row.used + row.overage == 50


def test_use_at_the_months_edge_counts_in_one_of_both_months(ada, clock):
    row = paying(ada)
    usage.consume(ada, "generations", 60)
    clock.move_to(row.current_period_end - timedelta(seconds=1))
    usage.consume(ada, "generations", 3)
    clock.move_to(row.current_period_end + timedelta(days=6))  # the month of usage is over, the renewal unheard of
    usage.consume(ada, "generations", 60)
    reporting.cut_all()
    months = Usage.objects.order_by("period_start").values_list("used", "overage", "reported")
    assert list(months) == [(50, 13, 13), (50, 10, 10)]
    assert all(report.at < row.current_period_end for report in UsageReport.objects.all())


def test_a_worker_that_reads_while_another_commits_reports_the_rest_later(ada, at_once):
    paying(ada)
    usage.consume(ada, "generations", 60)
    counter, go = Usage.objects.get(), Event()

    def slow():
        with transaction.atomic():
            usage.consume(ada, "generations", 5)
            go.set()
        return True

    future = at_once(slow)
    go.wait(20)
    reporting.cut(counter)
    assert future.result(20)
    reporting.cut_all()
    assert sum(UsageReport.objects.values_list("quantity", flat=True)) == 15

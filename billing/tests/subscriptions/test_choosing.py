"""In each line one row counts, by each difference alone, in whichever order the rows come."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing.models import Customer, Plan, Price, Subscription
from billing.subscriptions import choosing

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LOW, HIGH = Plan(pk=1, slug="low", name="Low", rank=1), Plan(pk=2, slug="high", name="High", rank=2)
FREE = Price(pk="price_0", plan=LOW, currency="usd", unit_amount=0, interval="month")


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOW, tick=False):
        yield


def row(name="sub_b", status="active", plan=LOW, **columns):
    usual = {"started_at": NOW - DAY, "currency": "usd"}
    made = Subscription(customer=Customer(pk="cus_1"), stripe_id=name, status=status, plan=plan, **{**usual, **columns})
    if status == "past_due" and "past_due_since" not in columns:
        made.past_due_since = NOW - DAY
    return made


def counting(*rows, too_many=()):
    both = []
    for order in (rows, rows[::-1]):
        for each in rows:
            each.counts = None
        choosing.mark_counting(list(order), frozenset(too_many))
        assert all(each.counts in (True, False) for each in rows)
        both.append(sorted(each.stripe_id for each in rows if each.counts))
    assert both[0] == both[1]
    return both[0]


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        # Access today counts most, whatever the rest says.
        (row("a"), row("b", "unpaid", HIGH, started_at=NOW)),
        (row("a", cancel_at=NOW + DAY), row("b", "unpaid", HIGH)),
        (row("a", "past_due", past_due_since=NOW - DAY), row("b", "past_due", HIGH, past_due_since=NOW - 9 * DAY)),
        (row("a"), row("b", plan=None, started_at=NOW)),
        # Then what goes on.
        (row("a"), row("b", plan=HIGH, cancel_at=NOW + DAY, started_at=NOW)),
        # Then the higher plan.
        (row("a", plan=HIGH), row("b", started_at=NOW)),
        (row("a", "past_due", HIGH), row("b", started_at=NOW)),
        # Then one that costs something.
        (row("a"), row("b", price=FREE, started_at=NOW)),
        (row("a", "past_due"), row("b", price=FREE, started_at=NOW)),
        # Then one that is paid.
        *((row("a", status), row("b", "past_due", started_at=NOW)) for status in ("active", "trialing")),
        # Then the newest, and the last by name.
        (row("a", started_at=NOW), row("b", "trialing")),
        (row("a"), row("b", started_at=None)),
        (row("b"), row("a")),
        # Without access: one that lives, in that order of statuses.
        *(
            (row("a", first), row("b", second, HIGH, started_at=NOW))
            for first, second in (("unpaid", "paused"), ("paused", "incomplete"), ("incomplete", "canceled"),
                                  ("incomplete", "incomplete_expired"))
        ),
        (row("a", "past_due", past_due_since=NOW - 9 * DAY), row("b", "unpaid", HIGH)),
        (row("a", "unpaid", HIGH), row("b", "unpaid", started_at=NOW)),
        (row("a", "unpaid"), row("b", "unpaid", None, started_at=NOW)),
        (row("a", "unpaid", started_at=NOW), row("b", "unpaid")),
        # What has ended counts by its end, then as what began last.
        (row("a", "canceled", ended_at=NOW), row("b", "canceled", HIGH, ended_at=NOW - DAY, started_at=NOW)),
        (row("a", "canceled", ended_at=NOW - DAY), row("b", "incomplete_expired", HIGH, started_at=NOW)),
        (row("a", "canceled", ended_at=NOW, started_at=NOW), row("b", "canceled", HIGH, ended_at=NOW)),
    ],
)  # fmt: skip
def test_of_two_rows_the_one_counts_that_gives_more_from_now_on(winner, loser):
    assert counting(winner, loser) == [winner.stripe_id]


def test_each_line_has_one_and_a_single_one_counts_whatever_it_is():
    storage = row("c", "canceled", line="storage")
    assert counting(row("a"), row("b"), storage) == ["b", "c"]
    assert counting(row("a", "incomplete_expired", None)) == ["a"]
    assert counting() == []


def test_what_is_one_too_many_or_foreign_never_counts():
    assert counting(row("a"), row("b", plan=HIGH), too_many=["b"]) == ["a"]
    assert counting(row("a"), row("b", plan=HIGH, whose="foreign")) == ["a"]
    assert counting(row("a", whose="foreign")) == []
    assert counting(row("a", whose="unknown"), too_many=["b"]) == ["a"]

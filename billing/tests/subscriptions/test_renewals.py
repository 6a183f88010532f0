"""Renewals are counted from the anchor, in every rhythm, from both sides of each moment."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from billing.cadence import Cadence
from billing.models import Price, Subscription
from billing.subscriptions import renewals

SECOND = timedelta(seconds=1)


def on(day, month=1, year=2027):
    return datetime(year, month, day, 9, 30, tzinfo=UTC)


def subscription(end, anchor=None, interval="month", count=1):
    price = Price(pk="price_1", interval=interval, interval_count=count)
    return Subscription(price=price, current_period_end=end, billing_cycle_anchor=anchor)


@pytest.mark.parametrize(
    ("rhythm", "end", "anchor", "following"),
    [
        ("day", on(28, 2), on(1), [on(28, 2), on(1, 3), on(2, 3)]),
        ("2 week", on(10), on(10), [on(10), on(24), on(7, 2)]),
        ("month", on(10), on(10), [on(10), on(10, 2), on(10, 3)]),
        ("month", on(31), on(31), [on(31), on(28, 2), on(31, 3)]),
        ("month", on(28, 2), on(31), [on(28, 2), on(31, 3), on(30, 4)]),
        ("month", on(28, 2), on(28), [on(28, 2), on(28, 3), on(28, 4)]),
        ("month", on(15), on(31), [on(15), on(15, 2), on(15, 3)]),
        ("3 month", on(30, 11, 2026), on(31, 8, 2026), [on(30, 11, 2026), on(28, 2), on(31, 5)]),
        ("month", on(31, 12, 2026), None, [on(31, 12, 2026), on(31), on(28, 2)]),
        ("year", on(29, 2, 2028), on(29, 2, 2028), [on(29, 2, 2028), on(28, 2, 2029), on(28, 2, 2030)]),
        ("2 year", on(10), on(10), [on(10), on(10, 1, 2029), on(10, 1, 2031)]),
    ],
)
def test_each_renewal_is_of_the_anchors_day_or_the_months_last(rhythm, end, anchor, following):
    cadence = Cadence.parse(rhythm)
    row = subscription(end, anchor, cadence.interval, cadence.count)
    assert renewals.renewals_until(row, following[-1]) == following
    assert renewals.renewals_until(row, following[-1] - SECOND) == following[:-1]
    for earlier, later in pairwise(following):
        assert renewals.first_from(row, earlier) == earlier
        assert renewals.first_from(row, earlier + SECOND) == later


def test_the_day_is_that_of_utc():
    ahead = timezone(timedelta(hours=14))
    assert renewals.after(on(31).astimezone(ahead), Cadence("month"), 1, on(31).astimezone(ahead)) == on(28, 2)


@pytest.mark.parametrize("columns", [{"current_period_end": None}, {"price": None}])
def test_where_price_or_period_is_not_known_no_renewal_is(columns):
    row = subscription(on(10))
    for name, value in columns.items():
        setattr(row, name, value)
    assert (list(renewals.renewals_of(row)), renewals.first_from(row, on(1))) == ([], None)


def test_they_come_to_an_end():
    assert len(list(renewals.renewals_of(subscription(on(10))))) == renewals.MOST

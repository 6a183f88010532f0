"""A month is counted from its day, ends where the next begins, and is never before the first."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from billing.usage import months

pytestmark = pytest.mark.django_db


def day(month, number, year=2027, **more):
    return datetime(year, month, number, tzinfo=UTC, **more)


TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("anchor", "at", "period"),
    [
        (day(1, 10), day(1, 10), (day(1, 10), day(2, 10))),
        (day(1, 10), day(2, 10) - TICK, (day(1, 10), day(2, 10))),
        (day(1, 10), day(2, 10), (day(2, 10), day(3, 10))),
        (day(1, 10), day(2, 9), (day(1, 10), day(2, 10))),
        (day(1, 10), day(2, 11), (day(2, 10), day(3, 10))),
        (day(1, 10), day(1, 9, 2028), (day(12, 10), day(1, 10, 2028))),
        (day(1, 10), day(3, 10, 2029), (day(3, 10, 2029), day(4, 10, 2029))),
        (day(11, 10), day(2, 9, 2028), (day(1, 10, 2028), day(2, 10, 2028))),
        # The last day of a shorter month, which changes no later one.
        (day(1, 31), day(2, 27), (day(1, 31), day(2, 28))),
        (day(1, 31), day(2, 28), (day(2, 28), day(3, 31))),
        (day(1, 31), day(3, 31) - TICK, (day(2, 28), day(3, 31))),
        (day(1, 31), day(3, 31), (day(3, 31), day(4, 30))),
        (day(1, 31, 2028), day(2, 29, 2028), (day(2, 29, 2028), day(3, 31, 2028))),
        # Before the first month the first one is told.
        (day(3, 10), day(3, 9), (day(3, 10), day(4, 10))),
        (day(3, 10), day(2, 20), (day(3, 10), day(4, 10))),
        (day(3, 10), day(1, 1, 2020), (day(3, 10), day(4, 10))),
        # With the time of day.
        (day(1, 10, hour=9), day(2, 10, hour=8), (day(1, 10, hour=9), day(2, 10, hour=9))),
        (day(1, 10, hour=9), day(2, 10, hour=9), (day(2, 10, hour=9), day(3, 10, hour=9))),
    ],
)
def test_a_month_lasts_from_its_day_to_the_same_day_of_the_next(anchor, at, period):
    assert months.month_of(anchor, at) == period


@pytest.mark.parametrize(
    ("at", "start"),
    [
        (day(5, 20, hour=12, minute=34, second=56, microsecond=7), day(5, 1)),
        (day(5, 1), day(5, 1)),
        (day(5, 1) - TICK, day(4, 1)),
        (datetime(2027, 5, 1, 1, tzinfo=timezone(timedelta(hours=2))), day(4, 1)),
    ],
)
def test_a_calendar_month_begins_on_its_first_day_by_utc(at, start):
    assert months.month_start(at) == start

"""Counters hold to their bound and their window, and survive a reset at the wrong moment."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from accounts.counting import Counter, Rate

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(datetime(2026, 5, 10, 12, tzinfo=UTC), tick=False) as clock:
        yield clock


def test_a_full_counter_counts_no_more_and_says_how_long(clock):
    counter, bystander = Counter("a", Rate(2, 60)), Counter("b", Rate(2, 60))
    clock.shift(timedelta(seconds=20))
    assert [counter.take() for _ in range(4)] == [0, 0, 40, 40]
    assert (counter.is_full, bystander.is_full) == (True, False)
    counter.give_back()
    assert (counter.is_full, counter.take()) == (False, 0)
    clock.shift(timedelta(seconds=39.9))
    assert counter.take() == 1
    clock.shift(timedelta(seconds=0.1))
    assert counter.take() == 0


def test_a_window_begun_late_in_its_first_second_is_kept_to_its_end(clock):
    counter = Counter("a", Rate(1, 60))
    clock.shift(timedelta(seconds=0.9))
    assert counter.take() == 0
    clock.shift(timedelta(seconds=59))
    assert counter.take() == 1


def test_nothing_is_given_back_to_a_counter_that_was_reset():
    counter = Counter("a", Rate(1, 60))
    counter.take()
    counter.reset()
    counter.give_back()
    assert [counter.take() for _ in range(2)] == [0, 60]

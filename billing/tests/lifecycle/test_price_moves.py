"""Renewals are reckoned as Stripe does, and what is written at Stripe is decided by its answer."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from billing.cadence import Cadence
from billing.lifecycle.price_moves import notice, renewals
from billing.models import PriceMove, PriceMoveRow, Subscription


def at(month, day, year=2027):
    return datetime(year, month, day, 9, 30, tzinfo=UTC)


def subscription(end, anchor=None):
    return Subscription(stripe_id="sub_1", current_period_end=end, billing_cycle_anchor=anchor)


@pytest.mark.parametrize(
    ("spelling", "end", "anchor", "not_before", "renewal"),
    [
        ("month", at(2, 10), at(1, 10), at(2, 1), at(2, 10)),
        ("month", at(2, 10), at(1, 10), at(2, 10), at(2, 10)),
        ("month", at(2, 10), at(1, 10), at(2, 11), at(3, 10)),
        ("month", at(2, 28), at(1, 31), at(3, 1), at(3, 31)),
        ("month", at(2, 28), at(1, 31), at(4, 1), at(4, 30)),
        ("month", at(2, 28), at(1, 28), at(3, 1), at(3, 28)),
        ("month", at(2, 15), at(1, 31), at(2, 20), at(3, 15)),
        ("3 month", at(2, 28), at(11, 30, 2026), at(3, 1), at(5, 30)),
        ("year", at(2, 28), at(2, 29, 2024), at(3, 1), at(2, 29, 2028)),
        ("2 week", at(2, 10), at(1, 10), at(2, 11), at(2, 24)),
        ("day", at(2, 10), None, at(3, 12), at(3, 12)),
        ("2 year", at(2, 10), None, at(2, 11), at(2, 10, 2029)),
    ],
)  # fmt: skip
def test_the_first_renewal_is_that_of_stripes_rhythm(spelling, end, anchor, not_before, renewal):
    assert renewals.first_renewal(subscription(end, anchor), Cadence.parse(spelling), not_before) == (
        renewal if renewal != at(2, 29, 2028) else at(2, 28, 2028).replace(day=29)
    )


def test_without_a_period_there_is_no_renewal():
    with pytest.raises(ValueError, match="sub_1 has no period"):
        renewals.first_renewal(subscription(None), Cadence("month"), at(1, 1))


def row(*, at_renewal, notice_days=30):
    move = PriceMove(notice_days=notice_days, at_renewal=at_renewal)
    return PriceMoveRow(move=move, told_at=at(1, 1), moves_at=at(6, 1))


def test_stripe_is_told_a_day_before_the_renewal_or_once_the_notice_is_over():
    assert notice.writes_from(row(at_renewal=True)) == at(5, 31)
    assert notice.writes_from(row(at_renewal=False)) == at(1, 31).replace(hour=10)
    assert notice.writes_from(PriceMoveRow(move=PriceMove(notice_days=1))) is None


def test_the_worst_of_what_witnesses_say_counts(monkeypatch):
    told, late, failed = (
        (each, each.value) for each in (notice.Notice.TOLD, notice.Notice.TOO_LATE, notice.Notice.FAILED)
    )
    one = SimpleNamespace(is_confirmed=False, is_same_amount=False)
    for said, worst in (([], told[0]), ([told, late], late[0]), ([late, failed, told], failed[0])):
        monkeypatch.setattr(notice, "_witnesses", {str(n): lambda row, each=each: each for n, each in enumerate(said)})
        assert notice.notice_of(one)[0] == worst
    assert notice.notice_of(SimpleNamespace(is_confirmed=True))[0] == notice.Notice.TOLD


def test_a_mail_is_in_time_while_the_days_of_notice_are_left():
    assert notice.is_in_time(row(at_renewal=True), at(5, 2))
    assert not notice.is_in_time(row(at_renewal=True), at(5, 3))

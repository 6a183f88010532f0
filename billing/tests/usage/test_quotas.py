"""A quota says what is left, and a refusal says by how much a use is too many."""

from datetime import datetime, timedelta, timezone

import pytest

from billing.usage import quotas
from billing.usage.quotas import Quota

pytestmark = pytest.mark.django_db

RESETS = datetime(2027, 6, 1, 1, 30, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    ("used", "limit", "left", "remaining", "overflow"),
    [
        (0, 10, 0, 10, 0),
        (9, 10, 0, 1, 0),
        (10, 10, 0, 0, 0),
        (11, 10, 0, 0, 1),
        (12, 10, 5, 5, 2),
        (8, 10, 5, 7, 0),
        (0, 0, 3, 3, 0),
        (7, None, 3, None, 0),
    ],
)
def test_what_remains_is_of_limit_and_credits_and_never_below_zero(used, limit, left, remaining, overflow):
    quota = Quota(used, limit, credits=left)
    assert (quota.remaining, quota.overflow) == (remaining, overflow)


def test_quotas_are_the_same_whenever_they_reset_but_not_with_other_credits_or_overage():
    assert Quota(1, 10, RESETS) == Quota(1, 10)
    assert Quota(1, 10) != Quota(1, 10, credits=1)
    assert Quota(1, 10) != Quota(1, 10, overage=1)
    assert (Quota(1, 10).credits, Quota(1, 10).overage, Quota(1, 10).resets_at) == (0, 0, None)


@pytest.mark.parametrize(
    ("used", "limit", "quantity", "left", "over"),
    [(8, 10, 3, 0, 1), (10, 10, 1, 0, 1), (12, 10, 3, 0, 3), (8, 10, 9, 5, 2), (12, 10, 6, 5, 1)],
)
def test_a_refusal_counts_what_is_too_many(used, limit, quantity, left, over):
    refusal = quotas.QuotaExceeded("exports", used, limit, quantity, RESETS, left)
    assert (refusal.feature, refusal.used, refusal.limit, refusal.quantity) == ("exports", used, limit, quantity)
    assert (refusal.credits, refusal.over, refusal.resets_at) == (left, over, RESETS)
    assert f"{quantity} more would be {over} too many" in str(refusal)
    assert ("credits are left" in str(refusal)) is bool(left)
    assert str(refusal).endswith("The limit resets on 2027-05-31 at 23:30 UTC.")


def test_without_a_word_of_credits_there_are_none():
    assert quotas.QuotaExceeded("exports", 8, 10, 3, RESETS).credits == 0


def test_a_cap_that_is_reached_is_told_beside_what_is_used():
    refusal = quotas.SpendCapReached("exports", 10, 10, 1, RESETS)
    assert "1 more would be 1 too many" in str(refusal)
    assert str(refusal).endswith("Your spend cap for exports beyond the limit is reached.")

"""Access ends with the earliest of what ends the subscription, and not before the last grant beside it."""

from datetime import UTC, datetime, timedelta

import pytest

from billing import access
from billing.models import Customer, Grant, Plan, Subscription

NOW = datetime(2026, 5, 10, tzinfo=UTC)
DAY = timedelta(days=1)
LOW, HIGH = Plan(pk=1, slug="low", name="Low", rank=1), Plan(pk=2, slug="high", name="High", rank=2)


def row(status="active", plan=LOW, **columns):
    return Subscription(customer=Customer(pk="cus_1"), status=status, plan=plan, **columns)


def given(days=None, plan=HIGH):
    return Grant(plan=plan, granted_at=NOW - DAY, until=None if days is None else NOW + days * DAY)


def ends_in(subscription, *grants):
    """Return in how many days access ends, as it is decided; None if nothing ends it."""
    decided = access.decide(access.AccessFacts(subscription, None, False, grants), NOW)
    ends_at = access.access_ends_at(decided)
    return None if ends_at is None else (ends_at - NOW) / DAY


def past_due(days=1, **columns):
    """A payment is overdue for so many days of the grace of three."""
    return row("past_due", past_due_since=NOW - days * DAY, **columns)


def trial(has_method=False, ends="cancel", status="trialing", **columns):
    return row(
        status, has_payment_method=has_method, trial_end_without_card=ends, trial_end=NOW + 4 * DAY, **columns
    )  # fmt: skip


@pytest.mark.parametrize(
    ("subscription", "grants", "days"),
    [
        (row(), (), None),
        (row(cancel_at=NOW + 5 * DAY), (), 5),
        (row(paid_until=NOW + 6 * DAY), (), 6),
        (row(cancel_at=NOW + 5 * DAY, paid_until=NOW + 6 * DAY), (), 5),
        (row(cancel_at=NOW + 7 * DAY, paid_until=NOW + 6 * DAY), (), 6),
        # Grace ends access only where a payment is overdue.
        (past_due(), (), 2),
        (past_due(cancel_at=NOW + DAY), (), 1),
        (past_due(cancel_at=NOW + 9 * DAY), (), 2),
        (row(past_due_since=NOW - DAY), (), None),
        # A trial ends it that nothing pays for.
        (trial(), (), 4),
        (trial(ends="pause"), (), 4),
        (trial(ends="create_invoice"), (), None),
        (trial(has_method=True), (), None),
        (trial(has_method=None), (), None),
        (trial(status="active"), (), None),
        (trial(cancel_at=NOW + 3 * DAY), (), 3),
        # Access ends with the last of the grants and the subscription.
        (row("none", plan=None), (given(8),), 8),
        (row("none", plan=None), (given(8), given(9, LOW)), 9),
        (row("none", plan=None), (given(8), given(plan=LOW)), None),
        (row("canceled", cancel_at=NOW - DAY), (given(8),), 8),
        (row("unpaid"), (given(8),), 8),
        (row(plan=None), (given(8),), 8),
        (row(), (given(8),), None),
        (row(cancel_at=NOW + 5 * DAY), (given(8),), 8),
        (row(cancel_at=NOW + 9 * DAY), (given(8),), 9),
        (row(cancel_at=NOW + 5 * DAY), (given(),), None),
        (past_due(), (given(8),), 8),
        (past_due(), (given(1),), 2),
        (past_due(), (given(1, LOW),), 2),
        # Where there is no access, nothing ends.
        (row("canceled", cancel_at=NOW + DAY), (), None),
        (past_due(days=3), (), None),
    ],
)
def test_access_ends_with_the_first_end_of_what_is_paid_and_the_last_of_what_is_given(subscription, grants, days):
    assert ends_in(subscription, *grants) == days


def test_what_is_withheld_has_no_end_and_what_is_not_has():
    closed = access.AccessFacts(row(cancel_at=NOW + 5 * DAY), "staff", False, (given(3),))
    assert access.access_ends_at(access.decide(closed, NOW)) is None
    assert ends_in(row(cancel_at=NOW + 5 * DAY), given(3)) == 5


def test_a_subscription_whose_customer_was_deleted_is_no_part_of_the_end():
    deleted = row(cancel_at=NOW + 5 * DAY)
    deleted.customer.deleted_at = NOW
    assert ends_in(deleted) is None
    assert access.ends_with_trial(trial()) is True
    assert access.ends_with_trial(trial(has_method=True)) is False

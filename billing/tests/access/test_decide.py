"""Access decided from a row: what gives it, what outweighs it, in which order, and from which moment on."""

from datetime import UTC, datetime, timedelta

import pytest

from billing import access
from billing.models import Customer, Grant, Plan, Subscription

AT = datetime(2026, 5, 10, tzinfo=UTC)
TICK = timedelta(microseconds=1)
LOW, HIGH = Plan(pk=1, slug="low", name="Low", rank=1), Plan(pk=2, slug="high", name="High", rank=2)


def row(status="active", plan=LOW, hold=None, closing=False, grant=None, deleted_at=None, **columns):
    made = Subscription(customer=Customer(pk="cus_1", deleted_at=deleted_at), status=status, plan=plan, **columns)
    return access.AccessFacts(made, hold, closing, (grant,) if grant else ())


def given(plan=HIGH, until=AT + TICK, since=AT - TICK, ended_at=None):
    return Grant(plan=plan, granted_at=since, until=until, ended_at=ended_at)


def decided(made, at=AT):
    answer = access.decide(made, at)
    assert answer.has_access is (answer.plan is not None)
    return answer.reason, answer.plan and answer.plan.slug


@pytest.mark.parametrize(
    ("made", "answer"),
    [
        (row(), ("active", "low")),
        (row("trialing"), ("trialing", "low")),
        (row("unpaid"), ("unpaid", None)),
        (row("paused"), ("paused", None)),
        (row("canceled"), ("canceled", None)),
        # While payments are paused, until what was paid is used up.
        (row(paid_until=AT + TICK), ("active", "low")),
        (row(paid_until=AT), ("collection_paused", None)),
        (row(paid_until=AT, grant=given()), ("grant", "high")),
        (row("canceled", paid_until=AT), ("canceled", None)),
        (row("incomplete"), ("incomplete", None)),
        (row("incomplete_expired"), ("incomplete", None)),
        (row("none", plan=None), ("no_subscription", None)),
        (row(plan=None), ("unmapped_price", None)),
        # A grant counts where it gives more.
        (row(grant=given()), ("grant", "high")),
        (row(grant=given(plan=LOW)), ("active", "low")),
        (row(plan=HIGH, grant=given(plan=LOW)), ("active", "high")),
        (row("unpaid", grant=given(plan=LOW)), ("grant", "low")),
        (row(plan=None, grant=given()), ("grant", "high")),
        (row(grant=given(until=AT)), ("active", "low")),
        (row(grant=given(until=None)), ("grant", "high")),
        (row("canceled", deleted_at=AT, grant=given()), ("grant", "high")),
        # What outweighs it.
        (row(hold="dispute"), ("hold_dispute", None)),
        (row(hold="staff", grant=given()), ("hold_staff", None)),
        (row("unpaid", hold="dispute"), ("unpaid", None)),
        (row(plan=None, hold="dispute"), ("unmapped_price", None)),
        (row(closing=True), ("closing", None)),
        (row(closing=True, hold="dispute"), ("closing", None)),
        (row(plan=None, closing=True), ("closing", None)),
        (row("unpaid", closing=True), ("unpaid", None)),
        (row("unpaid", closing=True, grant=given()), ("closing", None)),
        (row(closing=True, deleted_at=AT), ("customer_deleted", None)),
        (row("canceled", deleted_at=AT), ("customer_deleted", None)),
    ],
)
def test_status_and_grant_give_access_and_the_heaviest_reason_takes_it(made, answer):
    assert decided(made) == answer


@pytest.mark.parametrize(
    ("days", "at", "answer"),
    [
        (None, timedelta(days=3) - TICK, ("grace", "low")),
        (None, timedelta(days=3), ("grace_over", None)),
        (5, timedelta(days=5) - TICK, ("grace", "low")),
        (5, timedelta(days=5), ("grace_over", None)),
        (0, timedelta(0), ("grace_over", None)),
    ],
)
def test_grace_lasts_as_long_as_the_plan_or_else_the_setting_says(settings, days, at, answer):
    settings.BILLING_GRACE_DAYS = 3
    plan = Plan(pk=3, slug="low", rank=1, grace_days=days)
    assert decided(row("past_due", plan=plan, past_due_since=AT), AT + at) == answer


def test_past_due_since_nobody_knows_when_is_no_grace():
    made = row("past_due")
    assert (decided(made), access.decide(made, AT).grace_ends_at) == (("grace_over", None), None)


def test_the_grant_in_force_is_told_whatever_outweighs_it():
    assert access.decide(row(grant=given(), hold="staff"), AT).grant
    assert access.decide(row(grant=given(until=AT)), AT).grant is None

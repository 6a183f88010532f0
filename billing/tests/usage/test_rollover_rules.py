"""What rolls over is reckoned feature by feature and person by person; each bound is touched from both sides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing import cause, grants, usage
from billing.models import Credit, Hold, Plan, PlanLimit, Subscription, Usage
from billing.usage import rollover

from . import test_rollover as stories
from .test_rollover import A_DAY, JULY, JUNE, START, kept, subscribe

pytestmark = pytest.mark.django_db

clock, _pro_rolls_over = stories.clock, stories._pro_rolls_over
SECOND = timedelta(seconds=1)
MONTHS = "months carried over"


@pytest.fixture
def exports():
    """A second feature of pro that rolls over."""
    return PlanLimit.objects.create(plan_id=pro(), feature="exports", quantity=10, rollover=5)


def pro():
    return PlanLimit.objects.filter(plan__slug="pro").first().plan_id


def used(user, quantity, since=START, feature="generations", *, has_carried_over=False):
    return Usage.objects.create(subscriber=user, feature=feature, period_start=since, used=quantity,
                                has_carried_over=has_carried_over)  # fmt: skip


def marks(user):
    rows = Usage.objects.filter(subscriber=user).order_by("period_start", "feature")
    return [(row.period_start, row.feature, row.has_carried_over) for row in rows]


def test_the_worker_carries_over_each_month_of_each_person_once_and_counts_them(ada, ben, clock, exports):
    subscribe(ada), subscribe(ben)
    clock.move_to(JUNE)
    assert rollover.hourly() == f"4 {MONTHS}"
    assert rollover.hourly() == f"0 {MONTHS}"
    sources = {f"rollover:{name}:{START.isoformat()}" for name in ("generations", "exports")}
    for user in (ada, ben):
        assert set(Credit.objects.filter(subscriber=user).values_list("source", flat=True)) == sources
    assert sorted(kept(ada)) == sorted(kept(ben)) == [(5, 5), (100, 100)]
    row = Credit.objects.filter(subscriber=ada).first()
    assert (row.cause, row.reason) == ("calendar", "left of the month before")
    assert cause.current() != "calendar"


def test_a_month_that_somebody_used_already_is_left_to_that_use_and_other_features_are_not(ada, ben, clock, exports):
    subscribe(ada), subscribe(ben)
    clock.move_to(JUNE)
    usage.consume(ada, "exports", 3)
    usage.consume(ben, "generations", 2)
    assert marks(ada) == [(JUNE, "exports", True)]
    assert rollover.hourly() == f"2 {MONTHS}"
    assert marks(ada) == [(JUNE, "exports", True), (JUNE, "generations", True)]


def test_a_counter_that_is_there_and_was_not_carried_over_is(ada, clock):
    subscribe(ada)
    used(ada, 30), used(ada, 7, JUNE)
    clock.move_to(JUNE)
    assert rollover.hourly() == f"1 {MONTHS}"
    assert kept(ada) == [(70, 70)]
    assert marks(ada) == [(START, "generations", False), (JUNE, "generations", True)]


def test_what_others_used_and_what_other_features_used_is_not_counted(ada, ben, clock, exports):
    subscribe(ada), subscribe(ben)
    used(ada, 30), used(ada, 10, feature="exports"), used(ben, 90)
    clock.move_to(JUNE)
    rollover.hourly()
    assert (kept(ada), sorted(kept(ben))) == ([(70, 70)], [(5, 5), (10, 10)])


@pytest.mark.parametrize(("spent", "left"), [(98, [(2, 2)]), (99, [(1, 1)]), (100, []), (130, [])])
def test_the_last_one_that_is_left_rolls_over_and_nothing_is_no_credit(ada, clock, spent, left):
    subscribe(ada)
    used(ada, spent)
    clock.move_to(JUNE)
    rollover.hourly()
    assert kept(ada) == left
    assert Credit.objects.count() == len(left)


def test_credits_from_elsewhere_and_of_other_features_take_no_room(ada, clock, exports):
    subscribe(ada)
    grants.give_credits(ada, "generations", 140, source="gift")
    Credit.objects.create(subscriber=ada, feature="exports", quantity=140, left=140, given_at=START,
                          source="rollover:generations:odd")  # fmt: skip
    clock.move_to(JUNE)
    usage.consume(ada, "generations")
    assert Credit.objects.get(feature="generations", source__startswith="rollover:").quantity == 100


def test_a_feature_that_does_not_roll_over_is_not_even_marked(ada, ben, clock):
    PlanLimit.objects.create(plan_id=pro(), feature="exports", quantity=10)
    subscribe(ada)
    clock.move_to(JUNE)
    usage.consume(ada, "exports")
    usage.consume(ben, "generations")
    assert (marks(ada), kept(ada)) == ([(JUNE, "exports", False)], [])
    assert Credit.objects.count() == 0


def test_a_rollover_of_one_rolls_over_one(ada, clock):
    PlanLimit.objects.filter(plan_id=pro()).update(rollover=1)
    subscribe(ada)
    clock.move_to(JUNE)
    rollover.hourly()
    assert kept(ada) == [(1, 1)]


@pytest.mark.parametrize(("rolls_over", "kept_"), [(0, 100), (9, 140)])
def test_a_plan_of_another_line_adds_to_what_is_left_only_if_it_rolls_over(ada, clock, rolls_over, kept_):
    beside = Plan.objects.create(slug="beside", name="Beside", rank=1, line="storage")
    beside.limits.create(feature="generations", quantity=40, rollover=rolls_over)
    subscribe(ada)
    grants.grant(ada, plan="beside", source="partner")
    clock.move_to(JUNE)
    rollover.hourly()
    assert kept(ada) == [(kept_, kept_)]


def test_where_no_plan_rolls_over_nothing_is_looked_for(ada, clock, monkeypatch):
    PlanLimit.objects.update(rollover=0)
    subscribe(ada)
    clock.move_to(JUNE)
    monkeypatch.setattr(rollover, "_begun", lambda plans: pytest.fail("nobody is looked for"))
    assert rollover.hourly() == f"0 {MONTHS}"


# Called with the counter locked


def carry(user, **changes):
    row = Usage.objects.get(subscriber=user, period_start=JUNE)
    rollover.carry_over(row, replace(usage.allowance(user), **changes))


def test_what_is_marked_or_withheld_is_not_carried_over(ada, clock):
    subscribe(ada)
    clock.move_to(JUNE)
    row = used(ada, 0, JUNE, has_carried_over=True)
    carry(ada)
    assert kept(ada) == []
    Usage.objects.filter(pk=row.pk).update(has_carried_over=False)
    carry(ada, withholds_credits=True)
    assert (kept(ada), marks(ada)) == ([], [(JUNE, "generations", False)])
    carry(ada)
    assert kept(ada) == [(100, 100)]


def test_since_the_anchor_moved_there_was_no_month_before(ada, clock):
    subscribe(ada)
    clock.move_to(JUNE)
    used(ada, 0, JUNE)
    carry(ada, anchors={"generations": JUNE})
    assert (kept(ada), marks(ada)) == ([], [(JUNE, "generations", True)])


@pytest.mark.parametrize(
    ("start", "anchor", "before"),
    [
        (datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)),
        (datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)),
        (JUNE, START, START),
    ],
)
def test_the_month_before_ends_where_the_month_begins(start, anchor, before):
    assert rollover._month_before(start, anchor) == (before, start)


# Whose month has begun


@pytest.mark.parametrize(("later", "is_begun"), [(timedelta(0), True), (3 * A_DAY - SECOND, True), (3 * A_DAY, False)])
def test_a_month_is_looked_at_for_three_days(ada, clock, later, is_begun):
    subscribe(ada)
    clock.move_to(JUNE + later)
    assert rollover._begun([pro()]) == ([ada] if is_begun else [])
    assert rollover._carry_over_all(ada) == int(is_begun)


@pytest.mark.parametrize("columns", [
    {"counts": False}, {"plan": None}, {"billing_cycle_anchor": None, "current_period_start": None},
])  # fmt: skip
def test_only_who_has_a_plan_that_rolls_over_is_looked_at(ada, ben, clock, columns):
    subscribe(ada), subscribe(ben)
    Subscription.objects.filter(customer__subscriber=ada).update(**columns)
    clock.move_to(JUNE)
    assert rollover._begun([pro()]) == [ben]


def test_months_by_either_day_begin_and_a_customer_of_nobody_has_none(ada, ben, clock):
    nobody = subscribe(ben)
    nobody.customer.subscriber = None
    nobody.customer.save()
    subscribe(ada)
    rows = Subscription.objects.filter(customer__subscriber=ada)
    clock.move_to(JUNE)
    for columns in ({"current_period_start": None}, {"current_period_start": START - 9 * A_DAY},
                    {"current_period_start": START, "billing_cycle_anchor": START - 9 * A_DAY}):  # fmt: skip
        rows.update(**{"billing_cycle_anchor": START, **columns})
        assert rollover._begun([pro()]) == [ada]


def test_who_was_given_such_a_plan_is_looked_at_and_who_was_given_another_is_not(ada, ben, clock):
    grants.grant(ada, plan="pro", source="partner")
    grants.grant(ben, plan="team", source="partner")
    assert rollover._begun([pro()]) == [ada]


def test_they_are_looked_at_page_by_page_in_order(ada, ben, clock, monkeypatch):
    monkeypatch.setattr(rollover, "AT_ONCE", 1)
    subscribe(ben), subscribe(ada)
    clock.move_to(JUNE)
    assert rollover._begun([pro()]) == sorted([ada, ben], key=lambda user: user.pk)


def test_under_a_hold_the_worker_leaves_the_month_alone(ada, ben, clock):
    row = subscribe(ada)
    subscribe(ben)
    Hold.objects.create(customer=row.customer, kind=Hold.Kind.STAFF, reference="x", placed_at=JUNE)
    clock.move_to(JUNE)
    assert rollover.hourly() == f"1 {MONTHS}"
    assert (marks(ada), kept(ben)) == ([], [(100, 100)])


def test_what_is_kept_is_never_more_than_the_number(ada, clock):
    subscribe(ada)
    for month in (JUNE, JULY):
        clock.move_to(month)
        rollover.hourly()
    assert kept(ada) == [(100, 100), (50, 50)]


def test_where_credits_are_withheld_the_worker_makes_no_counter(ada, clock, monkeypatch):
    subscribe(ada)
    clock.move_to(JUNE)
    withheld = replace(usage.allowance(ada), withholds_credits=True)
    monkeypatch.setattr(rollover, "allowance", lambda subscriber: withheld)
    assert (rollover._carry_over_all(ada), marks(ada)) == (0, [])


def test_a_crash_while_it_is_carried_over_leaves_no_counter(ada, clock, monkeypatch):
    subscribe(ada)
    clock.move_to(JUNE)
    with monkeypatch.context() as patch:
        patch.setattr(rollover.crediting, "give", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            rollover._carry_over_all(ada)
    assert marks(ada) == []
    assert rollover._carry_over_all(ada) == 1

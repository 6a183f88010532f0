"""What a month's limit had left rolls over once, up to the plan's number, for who had the plan then."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing import grants, usage
from billing.models import Credit, Customer, Hold, Plan, PlanLimit, Price, Subscription, SubscriptionChange, Usage

from ..parallel import at_once

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 10, tzinfo=UTC)
JUNE, JULY = datetime(2026, 6, 10, tzinfo=UTC), datetime(2026, 7, 10, tzinfo=UTC)
A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(START + A_DAY, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _pro_rolls_over(ada):
    PlanLimit.objects.filter(plan__slug="pro").update(quantity=100, rollover=150)
    PlanLimit.objects.filter(plan__slug="free").update(rollover=150)


def subscribe(user, slug="pro", since=START):
    plan = Plan.objects.get(slug=slug)
    price, _ = Price.objects.get_or_create(
        pk=f"price_{slug}", defaults={"plan": plan, "currency": "usd", "unit_amount": 2000, "interval": "month"}
    )
    customer, _ = Customer.objects.get_or_create(
        pk=f"cus_{user.pk}", defaults={"subscriber": user, "created_at": since}
    )
    facts = {"status": "active", "plan": plan, "price": price, "billing_cycle_anchor": START}
    facts |= {"current_period_start": START, "current_period_end": datetime(2027, 5, 10, tzinfo=UTC)}
    row, _ = Subscription.objects.update_or_create(customer=customer, stripe_id=f"sub_{user.pk}", defaults=facts)
    state = SubscriptionChange.state_of(row)
    SubscriptionChange.objects.create(customer=customer, recorded_at=since, **state)
    return row


def kept(user):
    rows = Credit.objects.filter(subscriber=user, source__startswith="rollover:").order_by("pk")
    return [(row.quantity, row.left) for row in rows]


def by_use(user):
    usage.consume(user, "generations")
    return 1


def by_worker(user):
    usage.rollover.hourly()
    return 0


@pytest.mark.parametrize("carry", [by_use, by_worker])
def test_what_a_month_had_left_becomes_credits_once(ada, ben, clock, carry):
    subscribe(ada)
    usage.consume(ada, "generations", 30)
    clock.move_to(JUNE + timedelta(hours=1))
    used = carry(ada)
    usage.rollover.hourly()
    usage.consume(ada, "generations")
    assert kept(ada) == [(70, 70)]
    assert usage.summary(ada)["generations"] == usage.Quota(used + 1, 100, credits=70)
    assert not Credit.objects.filter(subscriber=ben).exists()


def test_it_is_spent_after_the_months_limit_and_the_rest_rolls_on_up_to_the_number(ada, clock):
    subscribe(ada)
    clock.move_to(JUNE)
    usage.consume(ada, "generations", 120)
    assert usage.summary(ada)["generations"] == usage.Quota(100, 100, credits=80)
    clock.move_to(JULY)
    usage.rollover.hourly()
    assert kept(ada) == [(100, 80)]
    clock.move_to(datetime(2026, 8, 10, tzinfo=UTC))
    usage.rollover.hourly()
    assert kept(ada) == [(100, 80), (70, 70)]


def test_nothing_is_carried_into_the_first_month_nor_from_the_free_plan(ada, ben, clock):
    subscribe(ada)
    usage.consume(ada, "generations")
    usage.consume(ben, "generations")
    usage.rollover.hourly()
    clock.move_to(datetime(2026, 6, 1, 1, tzinfo=UTC))
    usage.consume(ben, "generations")
    usage.rollover.hourly()
    assert (kept(ada), kept(ben)) == ([], [])


def test_it_counts_the_plan_that_was_in_effect_when_the_month_ended(ada, clock):
    PlanLimit.objects.filter(plan__slug="team").update(rollover=9_000)
    subscribe(ada)
    clock.move_to(JUNE)
    subscribe(ada, "team", since=JUNE)
    clock.move_to(JUNE + timedelta(minutes=1))
    usage.rollover.hourly()
    assert kept(ada) == [(100, 100)]


def test_a_grant_of_the_plan_rolls_over_too(ada, clock):
    grants.grant(ada, plan="pro", source="partner")
    clock.move_to(datetime(2026, 6, 1, tzinfo=UTC))
    usage.rollover.hourly()
    assert kept(ada) == [(100, 100)]


def test_a_month_without_a_limit_has_nothing_left(ada, clock):
    subscribe(ada)
    PlanLimit.objects.filter(plan__slug="pro").update(quantity=None)
    clock.move_to(JUNE)
    usage.consume(ada, "generations")
    usage.rollover.hourly()
    assert kept(ada) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_twenty_at_once_at_the_turn_of_the_month_carry_over_once(ada, clock):
    subscribe(ada)
    clock.move_to(JUNE)
    at_once(lambda number: usage.consume(ada, "generations", 10) if number else usage.rollover.hourly(), 20)
    assert kept(ada) == [(100, 10)]
    assert Usage.objects.get(subscriber=ada, period_start=JUNE).used == 100


def test_under_a_hold_nothing_is_carried_and_nothing_is_lost_by_it(ada, clock):
    row = subscribe(ada)
    hold = Hold.objects.create(customer=row.customer, kind=Hold.Kind.STAFF, reference="x", placed_at=JUNE)
    clock.move_to(JUNE)
    usage.rollover.hourly()
    assert kept(ada) == []
    Hold.objects.filter(pk=hold.pk).update(released_at=JUNE + A_DAY)
    clock.move_to(JUNE + A_DAY)
    usage.rollover.hourly()
    assert kept(ada) == [(100, 100)]

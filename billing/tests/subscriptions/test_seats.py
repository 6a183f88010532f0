"""Seats: what is billed is how many there are in the end, whatever came between."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.db import OperationalError, transaction
from django.utils import timezone

from billing import testing
from billing.events import sweep
from billing.lifecycle import cancel, change, checkout, previews
from billing.lifecycle.refusals import StalePreview
from billing.models import StripeWrite, Subscription
from billing.subscriptions import mrr, seats

pytestmark = pytest.mark.django_db


def counted(subscriber):
    """BILLING_SEATS of these tests: as many as they have groups."""
    return subscriber.groups.count()


def broken(subscriber):
    raise LookupError("seats cannot be counted today")


@pytest.fixture(autouse=True)
def _by_the_seat(settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"


@pytest.fixture
def team(world):
    """Two seats of pro, paid for."""
    user = world.sign_up()
    join(user)
    join(user)
    return world.subscribed(user=user)


def join(user):
    """A member of whom billing is not told."""
    user.groups.add(Group.objects.create(name=uuid4().hex))


@transaction.atomic
def joins(user):
    join(user)
    seats.changed(user)


@transaction.atomic
def leaves(user):
    user.groups.first().delete()
    seats.changed(user)


def at_stripe(world, team):
    return world.stripe("GET", f"subscriptions/{team.subscription}")


def billed(world, team):
    return at_stripe(world, team)["items"]["data"][0]["quantity"]


def prorations(world, team):
    """Amounts that wait for the next invoice."""
    waiting = world.stripe("GET", "invoiceitems", customer=team.customer, pending=True, limit=100)["data"]
    return sorted(row["amount"] for row in waiting)


def owed():
    return StripeWrite.objects.filter(action="set_seats", done_at=None)


def when_it_is_time():
    owed().update(next_attempt_at=timezone.now())
    sweep.sweep()
    testing.work()


# Buying


def test_checkout_buys_as_many_as_there_are_and_they_are_counted_as_revenue(world, team):
    assert (billed(world, team), team.row.quantity) == (2, 2)
    assert mrr.monthly_amount(team.row) == 2 * 2000 == team.last_payment.amount


def test_a_page_about_prices_shows_as_many_as_there_are_and_none_to_who_is_nobody(world, settings):
    user = world.sign_up()
    assert (seats.seats_shown(user), seats.seats_shown(None)) == (1, 0)
    join(user)
    join(user)
    assert (seats.seats_shown(user), seats.seats_shown(None)) == (2, 0)
    settings.BILLING_SEATS = ""
    assert (seats.seats_shown(user), seats.seats_shown(None)) == (0, 0)


def test_an_open_checkout_for_another_number_of_seats_is_replaced(world):
    user = world.sign_up()
    for_one = checkout.start(user, "pro", "month")
    join(user)
    join(user)
    for_two = checkout.start(user, "pro", "month")
    assert for_two.pk != for_one.pk
    assert world.stripe("GET", f"checkout/sessions/{for_one.session_id}")["status"] == "expired"
    assert world.stripe("GET", f"checkout/sessions/{for_two.session_id}")["amount_total"] == 4000


def test_who_joins_while_it_is_being_bought_is_paid_for_soon_after(world):
    user = world.sign_up()
    attempt = checkout.start(user, "pro", "month")
    join(user)
    joins(user)
    world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
    world.deliver()
    assert Subscription.objects.get().quantity == 2


def test_who_comes_back_before_any_event_has_their_seats_looked_at_by_the_sweep(world):
    user = world.sign_up()
    attempt = checkout.start(user, "pro", "month")
    join(user)
    join(user)
    world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")
    checkout.refresh_outcome(attempt)
    assert Subscription.objects.get().quantity == 1
    sweep.sweep()
    testing.work()
    assert Subscription.objects.get().quantity == 2


# Joining and leaving


def test_a_change_asks_nobody_until_the_worker_comes(world, team):
    world.control("faults")
    joins(team.user)
    assert billed(world, team) == 2
    testing.work()
    assert (billed(world, team), team.row.quantity) == (3, 3), "seen here before any event has come"
    assert world.said(team) == ["subscription_changed"]
    world.deliver()
    assert world.said(team) == ["subscription_changed"]


def test_what_joins_is_prorated_onto_the_next_invoice_and_what_leaves_credited(world, team):
    world.advance(days=15)
    joins(team.user)
    testing.work()
    credit, charge = prorations(world, team)
    assert credit < 0 < charge
    assert 800 < credit + charge < 1100
    leaves(team.user)
    testing.work()
    assert sum(prorations(world, team)) == 0
    assert billed(world, team) == 2


def test_several_changes_are_one_write_of_the_last_truth(world, team):
    for _ in range(3):
        joins(team.user)
    leaves(team.user)
    testing.work()
    assert billed(world, team) == 4
    assert len(prorations(world, team)) == 2
    assert not owed().exists()


def test_a_change_that_is_rolled_back_is_none(world, team):
    with transaction.atomic():
        joins(team.user)
        transaction.set_rollback(True)
    assert not owed().exists()


def test_the_last_who_leaves_leaves_one_seat(world, team):
    leaves(team.user)
    leaves(team.user)
    testing.work()
    assert billed(world, team) == 1


# What else may be going on


def test_a_scheduled_change_of_plan_stays_and_is_for_as_many(world, team):
    change.change(team.user, "team", "month")
    testing.work()
    world.deliver()
    change.change(team.user, "pro", "month")
    joins(team.user)
    testing.work()
    row = team.row
    assert (billed(world, team), row.pending_kind, row.pending_price.lookup_key) == (3, "scheduled", "pro_month")
    world.advance(days=31)
    world.deliver()
    assert (team.row.plan.slug, billed(world, team)) == ("pro", 3)
    assert not owed().exists()


def test_a_scheduled_change_of_plan_is_for_as_many_seats_before_and_after_it(world, team):
    change.change(team.user, "team", "month")
    testing.work()
    world.deliver()
    change.change(team.user, "pro", "month")
    schedule = world.stripe("GET", f"subscription_schedules/{at_stripe(world, team)['schedule']}")
    assert [phase["items"][0]["quantity"] for phase in schedule["phases"]] == [2, 2]
    assert billed(world, team) == 2
    world.advance(days=31)
    world.deliver()
    assert (team.row.plan.slug, billed(world, team)) == ("pro", 2)


def test_a_change_that_waits_for_its_payment_is_waited_for(world, team):
    world.change_card(team, "pm_card_authenticationRequired")
    change.change(team.user, "team", "month")
    joins(team.user)
    testing.work()
    assert billed(world, team) == 2
    assert "ChangePending" in owed().get().error_message
    change.take_back(team.user)
    when_it_is_time()
    assert billed(world, team) == 3


def test_a_trial_goes_on_and_nothing_is_owed_for_it(world):
    user = world.sign_up()
    trial = world.subscribed(plan="team", user=user)
    assert trial.row.status == "trialing"
    join(user)
    joins(user)
    testing.work()
    assert (billed(world, trial), prorations(world, trial), trial.row.status) == (2, [], "trialing")


def test_a_subscription_that_is_over_or_never_was_is_left_alone(world, team):
    cancel.cancel(team.user, "now")
    joins(team.user)
    stranger = world.sign_up("ben@example.com")
    joins(stranger)
    testing.work()
    assert (at_stripe(world, team)["status"], owed().count()) == ("canceled", 0)


def test_what_a_change_of_plan_would_cost_is_for_all_seats(world, team):
    assert previews.preview(team.user, "team", "month").renewal_amount == 2 * 6000


def test_what_was_previewed_for_fewer_seats_is_not_charged_for_more(world, team):
    seen = previews.preview(team.user, "team", "month")
    joins(team.user)
    testing.work()
    with pytest.raises(StalePreview):
        change.change(team.user, "team", "month", seen.proration_date)
    assert team.row.plan.slug == "pro"
    seen = previews.preview(team.user, "team", "month")
    assert change.change(team.user, "team", "month", seen.proration_date).plan.slug == "team"
    (latest,) = world.stripe("GET", "invoices", customer=team.customer, limit=1)["data"]
    assert latest["amount_paid"] == seen.amount_due == 3 * (6_000 - 2_000) + 2_000


def test_without_the_setting_a_quantity_is_never_touched(world, team, settings):
    settings.BILLING_SEATS = ""
    joins(team.user)
    testing.work()
    assert (billed(world, team), StripeWrite.objects.filter(reference="members").exists()) == (2, False)


def broken_for_some(subscriber):
    return broken(subscriber) if subscriber.email == "ben@example.com" else counted(subscriber)


def without_its_table(subscriber):
    raise OperationalError("no such table: shop_members")

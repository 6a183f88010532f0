"""Quantities held against the seats: whose is counted, what is told, and that one count that fails harms nobody."""

import pytest
from django.utils import timezone

from billing.models import AccountDeletion, Customer, StripeWrite, Subscription, SyncRun
from billing.sync import seats
from billing.tests.subscriptions.test_seats import at_stripe, join

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _by_the_seat(settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"


@pytest.fixture
def run():
    return SyncRun(mode="full", started_at=timezone.now(), clock_at=timezone.now())


@pytest.fixture
def people(world):
    """Four who pay for one seat, as many as they have."""
    found = [world.subscribed(email=f"{name}@example.com") for name in ("ada", "ben", "max", "zoe")]
    StripeWrite.objects.all().delete()
    return found


def two_seats(*people):
    for one in people:
        join(one.user)
        join(one.user)


def quantities(world, people):
    return [at_stripe(world, one)["items"]["data"][0]["quantity"] for one in people]


def correct(run, customer="", *, is_dry=False):
    """Return how many differences had been noted at each tick."""
    ticks = []
    seats.correct(run, customer, lambda: ticks.append(run.drifted), is_dry=is_dry)
    return ticks


def test_whose_seats_differ_are_corrected_and_whose_are_right_are_not_written_to(world, run, people):
    two_seats(people[0], people[2])
    assert correct(run) == [2, 2]
    assert quantities(world, people) == [2, 1, 2, 1]
    assert (run.drifted, run.healed, run.notes) == (2, 2, [])
    assert set(StripeWrite.objects.values_list("lane", "reference")) == {
        (people[0].customer, "sync"), (people[2].customer, "sync"),
    }  # fmt: skip


def test_asked_about_one_customer_nobody_elses_seats_are_counted(world, run, people):
    two_seats(*people)
    correct(run, people[1].customer)
    assert (quantities(world, people), run.drifted, run.healed) == ([1, 2, 1, 1], 1, 1)


def test_a_dry_run_tells_and_owes_nothing(world, run, people):
    two_seats(people[0])
    assert correct(run, is_dry=True) == []
    assert (quantities(world, people), run.drifted, run.healed) == ([1, 1, 1, 1], 1, 0)
    assert not StripeWrite.objects.exists()


def test_what_stripe_does_not_take_now_is_found_and_not_healed(world, run, people):
    two_seats(people[0], people[1])
    with world.writes_failing():
        correct(run)
    assert (run.drifted, run.healed) == (2, 0)
    assert StripeWrite.objects.filter(done_at=None).count() == 2
    correct(run)
    assert run.drifted == 2, "what is owed already is no new difference"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_it_is_told_of_each_portion_of_subscribers_that_were_counted(run, people, monkeypatch, number):
    monkeypatch.setattr(seats, "AT_ONCE", number)
    assert len(correct(run)) == len(people) // number


def test_one_count_that_fails_is_noted_and_the_others_are_corrected(world, run, people, settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.broken_for_some"
    two_seats(*people)
    correct(run)
    assert quantities(world, people) == [2, 1, 2, 2]
    assert run.notes == [f"The seats of {people[1].customer} could not be counted: LookupError."]


@pytest.mark.parametrize(
    ("status", "is_counted"),
    [(status, status in {"active", "trialing", "past_due", "unpaid"}) for status in Subscription.Status.values],
)
def test_only_what_is_billed_is_counted(run, people, status, is_counted):
    two_seats(people[0])
    Subscription.objects.filter(customer=people[0].customer).update(status=status)
    correct(run, is_dry=True)
    assert run.drifted == int(is_counted)


def test_who_is_leaving_is_gone_is_nobodys_or_has_no_plan_is_not_counted(run, people):
    two_seats(*people)
    leaving, gone, nobodys, planless = (one.customer for one in people)
    AccountDeletion.objects.create(customer_id=leaving, lane=leaving, requested_at=timezone.now())
    Customer.objects.filter(pk=gone).update(deleted_at=timezone.now())
    Customer.objects.filter(pk=nobodys).update(subscriber=None)
    Subscription.objects.filter(customer=planless).update(plan=None)
    correct(run, is_dry=True)
    assert (run.drifted, run.drifts) == (0, [])


def test_without_the_setting_nothing_is_looked_at(run, people, settings):
    settings.BILLING_SEATS = ""
    correct(run)
    assert (run.drifted, run.healed) == (0, 0)

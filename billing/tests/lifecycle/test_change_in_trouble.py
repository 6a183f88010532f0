"""A change is made and charged once after outages, lost answers and crashes, and beside others."""

from contextlib import suppress

import pytest

from billing import testing
from billing.events import worker
from billing.lifecycle import change, previews
from billing.models import Payment
from billing.stripe_client import StripeUnavailable
from billing.stripe_client.http_client import HttpClient
from billing.tests.lifecycle.test_change import charged, price_at_stripe
from billing.tests.parallel import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(world):
    return world.subscribed()


# Outages, lost answers, crashes


def test_an_outage_changes_nothing(world, ada):
    shown = previews.preview(ada.user, "team", "month")
    world.control("faults", api={"fail_next": 20, "status": 500})
    with pytest.raises(StripeUnavailable):
        change.change(ada.user, "team", "month", shown.proration_date)
    world.control("faults")
    assert (price_at_stripe(world, ada), charged(world, ada)) == ("pro_month", [2000])


@pytest.mark.parametrize("lost", [1, 4])
def test_an_upgrade_whose_answer_is_lost_is_charged_once(world, ada, lost):
    shown = previews.preview(ada.user, "team", "month")
    world.control("faults", api={"lose_answer": lost})
    try:
        change.change(ada.user, "team", "month", shown.proration_date)
    except StripeUnavailable:
        world.control("faults")
        assert change.change(ada.user, "team", "month", shown.proration_date).plan.slug == "team"
    world.control("faults")
    world.deliver()
    assert (ada.row.plan.slug, charged(world, ada)) == ("team", [4000, 2000])


def test_a_change_taken_back_after_a_lost_answer_can_be_asked_for_again(world, ada):
    world.change_card(ada, "pm_card_authenticationRequired")
    world.control("faults", api={"lose_answer": 4})
    with pytest.raises(StripeUnavailable):
        change.change(ada.user, "team", "month")
    world.control("faults")
    assert change.take_back(ada.user).pending_kind == ""
    assert change.change(ada.user, "team", "month").pending_kind == "pending_update"


def test_a_trial_changed_to_and_fro_after_a_lost_answer_is_on_what_was_chosen_last(world):
    ada = world.subscribed(plan="team")
    world.control("faults", api={"lose_answer": 4})
    with pytest.raises(StripeUnavailable):
        change.change(ada.user, "pro", "month")
    world.control("faults")
    assert change.change(ada.user, "team", "month").plan.slug == "team"
    assert change.change(ada.user, "pro", "month").plan.slug == "pro"


@pytest.mark.parametrize("lost", [1, 2, 4])
def test_a_downgrade_whose_answers_are_lost_is_scheduled_once(world, lost):
    ada = world.subscribed(interval="year")
    world.control("faults", api={"lose_answer": lost})
    for _ in range(3):
        with suppress(StripeUnavailable):
            change.change(ada.user, "pro", "month")
    assert ada.row.pending_kind == "scheduled"
    assert len(world.stripe("GET", "subscription_schedules", customer=ada.customer)["data"]) == 1


def test_a_downgrade_broken_off_between_its_two_calls_is_gone_on_with(world, monkeypatch):
    ada = world.subscribed(interval="year")
    send = HttpClient.send

    def die_at_the_second(client, method, url, request, post_data=None):
        if "subscription_schedules/" in url and method == "post":
            raise SystemExit
        return send(client, method, url, request, post_data)

    monkeypatch.setattr(HttpClient, "send", die_at_the_second)
    with pytest.raises(SystemExit):
        change.change(ada.user, "pro", "month")
    monkeypatch.undo()
    world.deliver()
    assert ada.row.pending_kind == "", "a schedule without a change in it"
    assert change.change(ada.user, "pro", "month").pending_kind == "scheduled"
    assert len(world.stripe("GET", "subscription_schedules", customer=ada.customer)["data"]) == 1


def test_the_same_confirmation_sent_twice_is_answered_twice_and_charged_once(world, ada):
    shown = previews.preview(ada.user, "team", "month")
    rows = [change.change(ada.user, "team", "month", shown.proration_date) for _ in range(2)]
    assert [row.plan.slug for row in rows] == ["team", "team"]
    assert charged(world, ada) == [4000, 2000]


# At the same moment


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_parallel_clicks_on_an_upgrade_are_charged_once(world):
    ada = world.subscribed()
    shown = previews.preview(ada.user, "team", "month")
    outcomes = at_once(lambda _: change.change(ada.user, "team", "month", shown.proration_date), 4)
    assert {str(outcome) for outcome in outcomes} == {str(ada.row)}
    assert charged(world, ada) == [4000, 2000]


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_a_change_against_the_webhooks_of_another_converges(world):
    ada = world.subscribed()
    world.stripe("POST", f"subscriptions/{ada.subscription}", metadata={"seen": "yes"})
    world.deliver(work=False)
    work = [lambda: change.change(ada.user, "team", "month"), lambda: worker.drain(ada.customer)]
    outcomes = at_once(lambda number: work[number](), 2)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    world.deliver()
    testing.work()
    assert (ada.row.plan.slug, charged(world, ada)) == ("team", [4000, 2000])
    assert world.said(ada).count("subscription_changed") == 1
    assert Payment.objects.count() == 2

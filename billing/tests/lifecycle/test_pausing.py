"""Payments are paused until a renewal and resumed early: what is paid is kept, and nothing is given for nothing."""

from datetime import timedelta

import pytest

from billing import testing
from billing.lifecycle import cancel, change, overview, pausing, refusals
from billing.models import MrrMovement, Payment
from billing.stripe_client import StripeUnavailable
from billing.subscriptions import renewals
from billing.tests.parallel import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def may_pause(settings):
    settings.BILLING_PAUSE_DAYS = 100


@pytest.fixture
def ada(world):
    return world.subscribed()


def at_stripe(world, subscriber):
    return world.stripe("GET", f"subscriptions/{subscriber.subscription}")


def paid(subscriber):
    return Payment.objects.filter(customer=subscriber.customer, amount__gt=0).count()


def until_second(ada):
    """The renewal after the next one: one payment is left out."""
    return pausing.days_offered(ada.row)[0]


def pass_to(world, moment):
    world.control("advance", to=int(moment.timestamp()))
    world.deliver()


def test_a_pause_leaves_out_a_payment_and_gives_no_access_for_nothing(world, ada):
    end, back = ada.row.current_period_end, until_second(ada)
    row = pausing.pause(ada.user, back - timedelta(days=3))
    assert world.said(ada) == ["collection_paused"]
    assert (row.collection_paused, row.paid_until) == ("void", end)
    assert row.collection_resumes_at == back - timedelta(hours=1)
    assert overview.overview_of(ada.user).collection_paused.until == back
    assert ada.access.has_access
    pass_to(world, end + timedelta(hours=2))
    assert (ada.access.has_access, ada.access.reason, ada.row.status) == (False, "collection_paused", "active")
    assert paid(ada) == 1
    pass_to(world, back + timedelta(hours=2))
    assert (ada.access.has_access, paid(ada)) == (True, 2)
    assert world.said(ada).count("collection_paused") == world.said(ada).count("collection_resumed") == 1
    assert world.said(ada).count("access_revoked") == world.said(ada).count("access_granted") == 1


def test_resumed_within_the_paid_time_nothing_is_charged_now(world, ada):
    end = ada.row.current_period_end
    pausing.pause(ada.user, until_second(ada))
    row = pausing.resume_early(ada.user)
    assert (row.collection_paused, row.paid_until, row.current_period_end, paid(ada)) == ("", None, end, 1)
    pass_to(world, end + timedelta(hours=2))
    assert (paid(ada), ada.access.has_access) == (2, True)
    assert world.said(ada).count("collection_resumed") == 1


def test_resumed_after_the_paid_time_a_new_period_is_charged_at_once(world, ada):
    pausing.pause(ada.user, until_second(ada))
    pass_to(world, ada.row.current_period_end + timedelta(days=2))
    assert not ada.access.has_access
    row = pausing.resume_early(ada.user)
    assert ada.access.has_access
    assert row.current_period_start >= testing.now() - timedelta(minutes=1)
    world.deliver()
    assert paid(ada) == 2
    pass_to(world, row.current_period_end + timedelta(hours=2))
    assert paid(ada) == 3


def test_resumed_with_a_card_that_declines_it_is_past_due(world, ada):
    world.change_card(ada, "pm_card_chargeCustomerFail")
    pausing.pause(ada.user, until_second(ada))
    pass_to(world, ada.row.current_period_end + timedelta(days=2))
    assert pausing.resume_early(ada.user).status == "past_due"


def test_a_pause_is_moved_and_asked_for_twice_it_is_made_once(world, ada):
    first, second = pausing.days_offered(ada.row)[:2]
    pausing.pause(ada.user, first)
    pausing.pause(ada.user, first)
    assert world.said(ada) == ["collection_paused"]
    assert pausing.pause(ada.user, second).collection_resumes_at == second - timedelta(hours=1)
    assert world.said(ada) == ["collection_paused"] * 2
    world.deliver()
    assert world.said(ada) == ["collection_paused"] * 2


@pytest.mark.django_db(transaction=True)
def test_two_clicks_pause_once(world, ada):
    day = until_second(ada)
    at_once(lambda _: pausing.pause(ada.user, day), 2)
    assert world.said(ada) == ["collection_paused"]


@pytest.mark.parametrize(("days", "refusal"), [(-3, "PauseTooSoon"), (20, "PauseTooSoon"), (400, "PauseTooLong")])
def test_a_day_that_is_past_or_too_far_is_refused_and_nothing_is_paused(world, ada, days, refusal):
    with pytest.raises(getattr(refusals, refusal)):
        pausing.pause(ada.user, testing.now() + timedelta(days=days))
    assert at_stripe(world, ada)["pause_collection"] is None


def test_who_may_not_pause_is_refused(world, ada, settings):
    day = until_second(ada)
    settings.BILLING_PAUSE_DAYS = 0
    assert pausing.days_offered(ada.row) == []
    with pytest.raises(refusals.NotPausable):
        pausing.pause(ada.user, day)


def test_a_year_is_not_paused_for_some_weeks(world):
    ada = world.subscribed(interval="year")
    assert pausing.days_offered(ada.row) == []
    with pytest.raises(refusals.NotPausable):
        pausing.pause(ada.user, testing.now() + timedelta(days=400))


def test_what_ends_is_overdue_or_about_to_change_is_not_paused(world, ada):
    day = until_second(ada)
    cancel.cancel(ada.user, "period_end")
    with pytest.raises(refusals.CancellationScheduled):
        pausing.pause(ada.user, day)
    cancel.resume(ada.user)
    world.change_card(ada, "pm_card_chargeCustomerFail")
    pass_to(world, ada.row.current_period_end + timedelta(days=1))
    with pytest.raises(refusals.PaymentOverdue):
        pausing.pause(ada.user, day + timedelta(days=31))


def test_nothing_is_changed_or_resumed_that_is_not_paused(world, ada):
    with pytest.raises(refusals.NotPaused):
        pausing.resume_early(ada.user)
    pausing.pause(ada.user, until_second(ada))
    with pytest.raises(refusals.CollectionPaused):
        change.change(ada.user, "team", "month")


def test_a_paused_subscription_can_be_cancelled(world, ada):
    pausing.pause(ada.user, until_second(ada))
    row = cancel.cancel(ada.user, "now")
    assert row.status == "canceled"
    assert world.said(ada).count("collection_resumed") == 0


def test_the_mrr_pauses_too(world, ada):
    pausing.pause(ada.user, until_second(ada))
    assert (ada.row.mrr, list(MrrMovement.objects.order_by("pk").values_list("kind", flat=True))[-1]) == (0, "churn")
    pausing.resume_early(ada.user)
    assert (ada.row.mrr, list(MrrMovement.objects.order_by("pk").values_list("kind", flat=True))[-1]) == (
        2000,
        "reactivation",
    )


def test_a_pause_that_gives_access_for_nothing_takes_none_away(world, ada):
    pause = {"behavior": "mark_uncollectible"}
    world.stripe("POST", f"subscriptions/{ada.subscription}", pause_collection=pause)
    world.deliver()
    pass_to(world, ada.row.current_period_end + timedelta(days=2))
    assert (ada.access.has_access, ada.row.paid_until) == (True, None)


def test_during_an_outage_nothing_is_paused(world, ada):
    with world.writes_failing(), pytest.raises(StripeUnavailable):
        pausing.pause(ada.user, until_second(ada))
    assert ada.row.collection_paused == ""
    assert pausing.pause(ada.user, until_second(ada)).collection_paused == "void"


def test_after_a_lost_answer_it_is_paused_once(world, ada):
    day = until_second(ada)
    world.control("faults", api={"lose_answer": 3})
    with pytest.raises(StripeUnavailable):
        pausing.pause(ada.user, day)
    world.control("faults")
    pausing.pause(ada.user, day)
    world.deliver()
    assert world.said(ada) == ["collection_paused"]


def test_renewals_come_back_to_the_anchors_day(world, ada):
    row = ada.row
    row.billing_cycle_anchor = row.billing_cycle_anchor.replace(year=2026, month=12, day=31, hour=9)
    row.current_period_end = row.billing_cycle_anchor.replace(year=2027, month=1)
    days = [f"{day:%d.%m.}" for day, _ in zip(renewals.renewals_of(row), range(4), strict=False)]
    assert days == ["31.01.", "28.02.", "31.03.", "30.04."]

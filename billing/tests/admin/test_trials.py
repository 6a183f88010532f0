"""Staff extend and end a trial, or let one run whose card had one before: with a permission, a reason and a log."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry

from billing import testing
from billing.models import Plan, StripeWrite
from billing.subscriptions import trials
from billing.tests.lifecycle.test_trials import at_stripe, begin

from .test_staff_actions import address, do, member, page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def staff(world):
    return member("root@example.com", "move_trial", "view_subscription", "view_trial")


@pytest.fixture
def eve(world):
    """She is on a trial of 14 days, and so is charlie, with another card."""
    eve = begin(world, world.sign_up("eve@example.com"), card="pm_card_visa")
    eve.bystander = begin(world, world.sign_up("charlie@example.com"), card="pm_card_mastercard")
    return eve


def day(who, days):
    return (who.row.trial_end + timedelta(days=days)).date().isoformat()


def test_an_extension_reaches_stripe_and_the_subscriber_and_a_bystanders_trial_stays(world, staff, eve):
    before, theirs = eve.row.trial_end, eve.bystander.row.trial_end
    assert address(eve, "extend-trial") in page(staff, eve)
    do(staff, eve, "extend-trial", "she was ill", subscription=eve.row.pk, until=day(eve, 7))
    testing.work()
    world.deliver()
    assert eve.row.trial_end > before + timedelta(days=7)
    assert eve.bystander.row.trial_end == theirs
    assert LogEntry.objects.get().change_message.endswith(": she was ill")
    assert ("trial_extended", eve.customer) in world.heard


@pytest.mark.parametrize(("days", "says"), [
    (-1, "when the trial ends now"), (731, "two years (730 days) at most"), (4_000, "in the next ten years"),
])  # fmt: skip
def test_a_day_that_is_no_later_and_one_past_two_years_are_refused(world, staff, eve, days, says):
    form = {"reason": "because", "subscription": eve.row.pk, "until": day(eve, days)}
    answer = staff.post(address(eve, "extend-trial"), form)
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert not StripeWrite.objects.filter(action="move_trial").exists()


def test_what_is_past_two_years_has_a_clear_code(world, staff, eve):
    form = {"reason": "because", "subscription": eve.row.pk, "until": day(eve, 731)}
    errors = staff.post(address(eve, "extend-trial"), form).context["form"].errors.as_data()
    assert [error.code for error in errors["until"]] == ["trial_too_long"]


def test_the_end_now_charges_the_first_period(world, staff, eve):
    assert "Stripe charges the first period" in staff.get(address(eve, "end-trial")).content.decode()
    do(staff, eve, "end-trial", "agreed with her", subscription=eve.row.pk)
    testing.work()
    world.deliver()
    assert eve.row.status == "active"
    assert world.charge_of(eve)["amount"] == 6_000
    assert address(eve, "end-trial") not in page(staff, eve)


@pytest.mark.parametrize(("choice", "says", "status"), [
    ("cancel", "ends the subscription", "canceled"), ("pause", "pauses the subscription", "paused"),
])  # fmt: skip
def test_the_form_says_truly_what_the_end_does_without_a_card(world, staff, choice, says, status):
    Plan.objects.update(trial_without_card=choice)
    eve = begin(world, world.sign_up("eve@example.com"))
    assert says in staff.get(address(eve, "end-trial")).content.decode()
    do(staff, eve, "end-trial", "because", subscription=eve.row.pk)
    testing.work()
    world.deliver()
    assert eve.row.status == status


def test_a_trial_that_was_over_by_then_is_not_moved(world, staff, eve):
    form = {"reason": "because", "subscription": eve.row.pk}
    world.stripe("POST", f"subscriptions/{eve.subscription}", trial_end="now")
    world.deliver()
    assert staff.post(address(eve, "end-trial"), form).status_code in (302, 400, 409)
    assert not StripeWrite.objects.filter(action="move_trial").exists()


def test_without_the_permission_nothing_is_offered_or_done(world, eve):
    other = member("other@example.com", "refund_payment")
    for name in ("extend-trial", "end-trial", "let-trial-run"):
        assert address(eve, name) not in page(other, eve)
        assert other.post(address(eve, name), {"reason": "because"}).status_code == 403


def test_a_trial_with_a_card_that_had_one_is_explained_and_may_run(world, staff, eve):
    mallory = begin(world, world.sign_up("mallory@example.com"), card="pm_card_visa")
    assert eve.subscription in staff.get(address(mallory, "let-trial-run")).content.decode()
    do(staff, mallory, "let-trial-run", "her sister")
    assert trials.lasting() == []
    assert at_stripe(world, mallory)["status"] == "trialing"
    assert address(mallory, "let-trial-run") not in page(staff, mallory)


def test_ending_such_a_trial_settles_it(world, staff, eve):
    mallory = begin(world, world.sign_up("mallory@example.com"), card="pm_card_visa")
    do(staff, mallory, "end-trial", "abuse", subscription=mallory.row.pk)
    assert trials.lasting() == []


def test_staff_read_why_somebody_gets_no_further_trial(world, staff, eve):
    assert "they have had a subscription in this line" in page(staff, eve)

"""A trial begins without a card where the plan or the site says so; nobody has two; staff move its end."""

from datetime import timedelta

import pytest

from billing import lanes, signals, testing
from billing.lifecycle import checkout, checkout_session, deletion, overview, trials
from billing.lifecycle.cancel import resume
from billing.lifecycle.refusals import NoPaymentMethod, TrialTooLong
from billing.models import Alert, CheckoutAttempt, Plan, StripeWrite, Subscription, Trial
from billing.setup.doctor import functions, here
from billing.subscriptions import reminders
from billing.subscriptions import trials as remembered
from billing.tests.world import Subscriber

pytestmark = pytest.mark.django_db(transaction=True)


def begin(world, user, plan="team", card=None):
    """Go to Checkout and begin the trial there, by default without a card; all is delivered."""
    attempt = checkout.start(user, plan, "month")
    world.control(f"checkout/{attempt.session_id}/complete", **({"payment_method": card} if card else {}))
    session = world.stripe("GET", f"checkout/sessions/{attempt.session_id}")
    world.deliver()
    return Subscriber(user, session["customer"], session["subscription"])


def session_of(world, user, plan="team"):
    return world.stripe("GET", f"checkout/sessions/{checkout.start(user, plan, 'month').session_id}")


def at_stripe(world, who):
    return world.stripe("GET", f"subscriptions/{who.subscription}")


@pytest.fixture
def ada(world):
    return world.sign_up()


@pytest.fixture
def ben(world):
    return world.sign_up("ben@example.com")


# Without a card


def test_by_default_a_trial_asks_for_a_card(world, ada):
    assert session_of(world, ada)["payment_method_collection"] == "always"


@pytest.mark.parametrize(("site", "plan", "wanted"), [
    ("no", "", None), ("cancel", "", "cancel"), ("pause", "", "pause"), ("no", "pause", "pause"), ("pause", "no", None),
])  # fmt: skip
def test_the_plan_decides_before_the_site_whether_a_card_is_asked_for(world, ada, settings, site, plan, wanted):
    settings.BILLING_TRIAL_WITHOUT_CARD = site
    Plan.objects.filter(slug="team").update(trial_without_card=plan)
    params = checkout_session.session_params(checkout.start(ada, "team", "month"), is_first=True)
    settings_of = params["subscription_data"].get("trial_settings")
    assert (settings_of and settings_of["end_behavior"]["missing_payment_method"]) == wanted
    assert ("payment_method_collection" in params) == (wanted is not None)


def test_only_a_trial_goes_without_a_card(world, ada, settings):
    settings.BILLING_TRIAL_WITHOUT_CARD = "cancel"
    assert session_of(world, ada, plan="pro")["payment_method_collection"] == "always"


def test_the_test_kit_begins_one_without_a_card(world, settings):
    settings.BILLING_TRIAL_WITHOUT_CARD = "cancel"
    eve = world.subscribed(plan="team", card="")
    assert (eve.row.status, eve.row.has_payment_method) == ("trialing", False)


def test_without_a_card_the_subscription_ends_with_its_trial(world, ada, settings):
    settings.BILLING_TRIAL_WITHOUT_CARD = "cancel"
    eve = begin(world, ada)
    assert (eve.row.status, eve.row.has_payment_method) == ("trialing", False)
    now = overview.overview_of(ada)
    assert (now.access_ends_at, now.needs_card) == (eve.row.trial_end, True)
    world.advance(days=15)
    world.deliver()
    assert (eve.row.status, overview.overview_of(ada).has_access) == ("canceled", False)
    assert not world.stripe("GET", "charges")["data"]


def test_a_paused_trial_is_taken_up_again_with_a_card_and_charged_from_then_on(world, ada, settings):
    settings.BILLING_TRIAL_WITHOUT_CARD = "pause"
    eve = begin(world, ada)
    world.advance(days=15)
    world.deliver()
    assert (eve.row.status, overview.overview_of(ada).reason) == ("paused", "paused")
    with pytest.raises(NoPaymentMethod):
        resume(ada)
    world.change_card(eve, "pm_card_visa")
    assert resume(ada).status == "active"
    assert world.charge_of(eve)["amount"] == 6_000


def test_a_card_added_during_the_trial_is_charged_at_its_end(world, ada, settings):
    settings.BILLING_TRIAL_WITHOUT_CARD = "cancel"
    eve = begin(world, ada)
    world.change_card(eve, "pm_card_visa")
    world.deliver()
    world.advance(days=14, hours=2)
    world.deliver()
    assert (eve.row.status, world.charge_of(eve)["amount"]) == ("active", 6_000)


# How long


def by_the_name(subscriber, plan):
    return 30 if subscriber and subscriber.email.startswith("ada") else plan.trial_days


def test_the_length_may_depend_on_the_buyer(world, ada, ben, settings):
    settings.BILLING_TRIAL_DAYS = f"{__name__}.by_the_name"
    days = [
        checkout.start(user, "team", "month").params["subscription_data"]["trial_period_days"] for user in (ada, ben)
    ]
    assert days == [30, 14]
    assert [trials.Offers(user).of(Plan.objects.get(slug="team")).days for user in (ada, ben, None)] == [30, 14, 14]


@pytest.mark.parametrize("answer", [731, -1, "14", True, None])
def test_a_trial_past_two_years_or_of_no_number_is_refused_before_anything_is_begun(
    world, ada, settings, monkeypatch, answer
):
    settings.BILLING_TRIAL_DAYS = f"{__name__}.by_the_name"
    monkeypatch.setattr(f"{__name__}.by_the_name", lambda subscriber, plan: answer)
    with pytest.raises(TrialTooLong):
        checkout.start(ada, "team", "month")
    assert not CheckoutAttempt.objects.exists()
    assert Alert.objects.filter(cause="trial_too_long").exists()
    assert trials.Offers(ada).of(Plan.objects.get(slug="team")).days == 0


def fails(subscriber, plan=None):
    raise ZeroDivisionError("by nothing")


def test_a_function_that_fails_gives_no_trial_and_the_pages_go_on_without_it(world, ada, settings, client):
    settings.BILLING_TRIAL_DAYS = f"{__name__}.fails"
    page = client.get("/")
    assert (page.status_code, "free trial" in page.content.decode()) == (200, False)
    assert "trial_period_days" not in checkout.start(ada, "team", "month").params.get("subscription_data", {})
    client.force_login(ada)
    assert client.get("/billing/checkout?plan=team&interval=month").status_code == 200
    assert client.get("/api/v1/plans").json()[-1]["trial_days"] == 0
    assert Alert.objects.get(cause="trial_days").subject == "BILLING_TRIAL_DAYS fails"
    found = list(functions.trial_days())
    assert {finding.level for finding in found} == {"warning"}
    assert "raised ZeroDivisionError for the plan Team: by nothing." in found[-1].text


@pytest.mark.parametrize(("answer", "level"), [(14, "ok"), (731, "error"), (None, "error")])
def test_the_doctor_asks_the_function_for_each_plan(world, settings, monkeypatch, answer, level):
    assert list(functions.trial_days()) == []
    settings.BILLING_TRIAL_DAYS = f"{__name__}.by_the_name"
    monkeypatch.setattr(f"{__name__}.by_the_name", lambda subscriber, plan: answer)
    assert {finding.level for finding in functions.trial_days()} == {level}


def test_two_years_are_the_longest(world, ada, settings):
    Plan.objects.filter(slug="team").update(trial_days=730)
    assert session_of(world, ada)["status"] == "open"


# One for each person


def test_whoever_had_one_is_offered_none_on_the_price_page_and_gets_none(world, ada):
    team = Plan.objects.get(slug="team")
    assert trials.Offers(ada).of(team).days == 14
    eve = begin(world, ada, card="pm_card_visa")
    assert trials.Offers(ada).of(team).days == 0
    world.stripe("DELETE", f"subscriptions/{eve.subscription}")
    world.deliver()
    assert trials.Offers(ada).why_none("main") == "subscribed"
    assert "trial_period_days" not in checkout.start(ada, "team", "month").params["subscription_data"]


@pytest.mark.parametrize("address", ["a.da+two@gmail.com", "ADA@googlemail.com", "ada@gmail.com"])
def test_another_account_with_the_same_mailbox_gets_none(world, settings, address):
    begin(world, world.sign_up("a.d.a+one@gmail.com"), card="pm_card_visa")
    again = world.sign_up(address)
    assert trials.Offers(again).why_none("main") == "email"
    assert "trial_period_days" not in checkout.start(again, "team", "month").params["subscription_data"]
    settings.BILLING_TRIAL_ONCE_PER = ["card"]
    assert trials.Offers(again).why_none("main") == ""


def test_a_neighbour_of_the_same_provider_gets_one(world):
    begin(world, world.sign_up("a.d.a+one@example.com"), card="pm_card_visa")
    assert trials.Offers(world.sign_up("ada@example.com")).why_none("main") == ""
    assert trials.Offers(world.sign_up("a.d.a@example.com")).why_none("main") == "email"


def test_who_deletes_the_account_and_comes_back_gets_none(world, ada):
    begin(world, ada, card="pm_card_visa")
    deletion.begin(ada)
    testing.work()
    world.deliver()
    ada.delete()
    assert trials.Offers(world.sign_up("ada@example.com")).why_none("main") == "email"


def test_nothing_that_tells_a_person_is_kept_where_nobody_asks_for_it(world, ada, settings):
    settings.BILLING_TRIAL_ONCE_PER = []
    begin(world, ada, card="pm_card_visa")
    trial = Trial.objects.get()
    assert (trial.email_digest, trial.card_digest) == ("", "")


def test_the_digests_of_an_earlier_secret_key_are_known_still(world, ada, settings):
    begin(world, ada, card="pm_card_visa")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert trials.Offers(world.sign_up("ada+2@example.com")).why_none("main") == "email"


# The same card with another subscriber


def test_by_default_staff_are_alerted_once_and_the_trial_runs(world, ada, ben):
    begin(world, ada, card="pm_card_visa")
    second = begin(world, ben, card="pm_card_visa")
    trial = Trial.objects.get(subscription_id=second.subscription)
    assert trial.same_person_as.subscription_id != second.subscription
    assert [alert.waiting for alert in Alert.objects.filter(cause__startswith="second_trial")] == [1]
    assert len(remembered.lasting()) == 1
    assert [finding.level for finding in here.trials()] == ["warning"]
    world.deliver()
    assert at_stripe(world, second)["status"] == "trialing"
    assert remembered.settle(trial.customer)
    assert remembered.lasting() == []


def test_another_card_or_another_line_is_no_reason(world, ada, ben):
    begin(world, ada, card="pm_card_visa")
    begin(world, ben, card="pm_card_mastercard")
    assert not Alert.objects.filter(cause__startswith="second_trial").exists()


def test_a_site_may_end_the_trial_at_once_and_the_first_payment_is_charged(world, ada, ben, settings):
    settings.BILLING_TRIAL_SAME_CARD = "end"
    first, second = begin(world, ada, card="pm_card_visa"), begin(world, ben, card="pm_card_visa")
    testing.work()
    world.deliver()
    assert (at_stripe(world, first)["status"], at_stripe(world, second)["status"]) == ("trialing", "active")
    assert world.charge_of(second)["amount"] == 6_000
    assert remembered.lasting() == []


def test_a_card_that_comes_during_the_trial_is_compared_too(world, ada, ben, settings):
    settings.BILLING_TRIAL_WITHOUT_CARD = "pause"
    begin(world, ada, card="pm_card_visa")
    second = begin(world, ben)
    assert remembered.lasting() == []
    world.change_card(second, "pm_card_visa")
    world.deliver()
    assert len(remembered.lasting()) == 1


def test_one_mailbox_with_two_checkouts_open_at_once_is_a_question_for_staff(world, settings):
    settings.BILLING_TRIAL_WITHOUT_CARD, settings.BILLING_TRIAL_SAME_CARD = "cancel", "end"
    people = [world.sign_up(f"eve+{number}@example.com") for number in (1, 2)]
    attempts = [checkout.start(user, "team", "month") for user in people]
    for attempt in attempts:
        world.control(f"checkout/{attempt.session_id}/complete")
    world.deliver()
    testing.work()
    assert "e-mail address" in remembered.lasting()[0]
    assert sorted(Subscription.objects.values_list("status", flat=True)) == ["trialing", "trialing"]


def test_two_that_began_at_the_same_moment_are_compared_by_the_next_hour(world, ada, ben):
    begin(world, ada, card="pm_card_visa")
    second = begin(world, ben, card="pm_card_visa")
    Trial.objects.update(same_person_as=None)
    reminders.hourly()
    assert Trial.objects.exclude(same_person_as=None).get().subscription_id == second.subscription
    assert remembered.compare_missed() == 0


# Its end is moved


def move(who, until):
    lanes.writes.owe_trial_end(who.row.customer, who.subscription, until)
    testing.work()


def test_an_extension_is_announced_and_the_charge_comes_at_the_new_end(world, ada):
    eve = begin(world, ada, card="pm_card_visa")
    before, heard = eve.row.trial_end, []
    until = before + timedelta(days=7)
    signals.trial_extended.connect(lambda sender, **told: heard.append(told), weak=False, dispatch_uid="ext")
    move(eve, until)
    world.deliver()
    signals.trial_extended.disconnect(dispatch_uid="ext")
    assert eve.row.trial_end == until
    assert [(told["trial_end"], told["previous_trial_end"]) for told in heard] == [(until, before)]
    world.advance(days=15)
    world.deliver()
    assert eve.row.status == "trialing"


def test_of_two_decisions_the_last_counts_even_if_the_first_was_not_made_yet(world, ada):
    eve = begin(world, ada, card="pm_card_visa")
    end, length = eve.row.trial_end, timedelta(days=7)
    with world.down():
        move(eve, end + 2 * length)
    lanes.writes.owe_trial_end(eve.row.customer, eve.subscription, end + length)
    StripeWrite.objects.update(next_attempt_at=None)
    testing.work()
    world.deliver()
    assert eve.row.trial_end == end + length


def test_an_end_that_is_late_changes_nothing_and_begins_no_second_trial(world, ada):
    eve = begin(world, ada, card="pm_card_visa")
    until = eve.row.trial_end + timedelta(days=7)
    world.advance(days=15)
    world.deliver()
    move(eve, until)
    assert at_stripe(world, eve)["status"] == "active"
    write = StripeWrite.objects.get(action="move_trial")
    assert write.withdrawn_at is not None
    assert "its trial was over" in write.error_message


def test_a_lost_answer_moves_the_trial_once(world, ada):
    eve = begin(world, ada, card="pm_card_visa")
    until = eve.row.trial_end + timedelta(days=7)
    world.control("faults", api={"lose_answer": 1})
    move(eve, until)
    StripeWrite.objects.update(next_attempt_at=None)
    testing.work()
    world.deliver()
    assert eve.row.trial_end == until
    assert StripeWrite.objects.get(action="move_trial").done_at is not None

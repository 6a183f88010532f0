"""Mails about a trial say truly what its end brings: a charge, a pause, or the end."""

import pytest
from django.contrib.auth import get_user_model

from billing.lifecycle import checkout
from billing.models import Plan
from billing.testing import Subscribed
from notifications import reasons
from notifications.models import Mail

from .test_new_price import written

pytestmark = pytest.mark.django_db

DAY = 86_400


@pytest.fixture
def on_trial(billing_stripe):
    """Begin a trial without a card, whose end is `choice`."""

    def begin(choice, card=None):
        Plan.objects.filter(slug="team").update(trial_without_card=choice)
        user = get_user_model().objects.create_user("ada@example.com")
        attempt = checkout.start(user, "team", "month")
        paid = {"payment_method": card} if card else {}
        billing_stripe.control(f"checkout/{attempt.session_id}/complete", **paid)
        session = billing_stripe.api("GET", f"checkout/sessions/{attempt.session_id}")
        billing_stripe.deliver()
        return Subscribed(user, session["customer"], session["subscription"])

    return begin


def extend(billing_stripe, ada, days=7):
    until = int(ada.row.trial_end.timestamp()) + days * DAY
    billing_stripe.api("POST", f"subscriptions/{ada.subscription}", trial_end=until, proration_behavior="none")
    billing_stripe.deliver()


def test_the_welcome_asks_for_a_card_only_where_there_is_none(billing_stripe, on_trial):
    on_trial("cancel")
    assert "You have given no card." in written("welcome")[1]
    assert "Sie haben keine Karte hinterlegt." in written("welcome", "de")[1]


def test_the_welcome_to_a_trial_with_a_card_asks_for_none(billing_stripe, on_trial):
    on_trial("no", "pm_card_visa")
    assert "You have given no card." not in written("welcome")[1]


@pytest.mark.parametrize(("choice", "says"), [("cancel", "ends that day"), ("pause", "is paused that day")])
def test_the_reminder_says_which_end_comes(billing_stripe, on_trial, choice, says):
    on_trial(choice)
    billing_stripe.advance(days=12)
    billing_stripe.deliver()
    assert f"There is no card to charge, so Team {says}." in written("trial_ending")[1]


def test_an_extension_is_mailed_once_for_its_day_in_each_language(billing_stripe, on_trial):
    ada = on_trial("no", "pm_card_visa")
    extend(billing_stripe, ada)
    subject, text = written("trial_extended")
    assert subject.startswith("Your trial now runs until ")
    assert "We have extended your trial of Team" in text
    assert "After that it costs $60.00 a month. We'll charge you that day." in text
    assert written("trial_extended", "de")[0].startswith("Ihre Testzeit läuft jetzt bis zum ")
    assert written("trial_extended", "fr")[0].startswith("Votre essai dure maintenant jusqu’au ")
    extend(billing_stripe, ada, days=7)
    assert Mail.objects.filter(kind="trial_extended").count() == 2


def test_a_trial_that_was_cut_short_again_is_not_told_to_be_longer(billing_stripe, on_trial):
    ada = on_trial("no", "pm_card_visa")
    extend(billing_stripe, ada)
    billing_stripe.api("POST", f"subscriptions/{ada.subscription}", trial_end="now")
    billing_stripe.deliver()
    assert reasons.not_to_send(Mail.objects.get(kind="trial_extended")) == reasons.MOVED


def test_a_pause_is_mailed_with_the_way_back_until_there_is_a_card(billing_stripe, on_trial):
    ada = on_trial("pause")
    billing_stripe.advance(days=15)
    billing_stripe.deliver()
    subject, text = written("trial_paused")
    assert subject == "Your trial of Team has ended"
    assert "nothing is charged" in text
    assert "add a card on your account page and resume your subscription: $60.00 a month" in text
    assert "reprenez votre abonnement" in written("trial_paused", "fr")[1]
    mail = Mail.objects.get(kind="trial_paused")
    assert reasons.not_to_send(mail) == ""
    billing_stripe.change_card(ada, "pm_card_visa")
    billing_stripe.deliver()
    assert reasons.not_to_send(mail) == reasons.TRIAL_NOT_PAUSED


def test_a_trial_that_ended_without_a_card_is_not_told_as_a_cancellation(billing_stripe, on_trial):
    on_trial("cancel")
    billing_stripe.advance(days=15)
    billing_stripe.deliver()
    text = written("subscription_cancelled")[1]
    assert "Your trial of Team ended on" in text
    assert "since no card was there to be charged" in text
    assert "keine Karte hinterlegt" in written("subscription_cancelled", "de")[1]


def test_who_ends_a_trial_with_a_card_is_told_the_plain_end(billing_stripe, on_trial):
    ada = on_trial("no", "pm_card_visa")
    billing_stripe.api("DELETE", f"subscriptions/{ada.subscription}")
    billing_stripe.deliver()
    assert "no card" not in written("subscription_cancelled")[1]

"""Mails about a price or a charge to come say no more than that."""

import pytest
from django.contrib.auth import get_user_model

from billing.lifecycle import change
from notifications import rendering
from notifications.models import Mail

pytestmark = pytest.mark.django_db


def subscribed(billing_stripe, interval):
    ada = billing_stripe.subscribe(get_user_model().objects.create_user("ada@example.com"), "pro", interval)
    billing_stripe.deliver()
    return ada


def written(kind, language="en"):
    mail = rendering.render(Mail.objects.get(kind=kind), language)
    return mail.subject, " ".join(mail.text.split())


def test_another_price_of_the_same_plan_is_no_move_to_it(billing_stripe):
    ada = subscribed(billing_stripe, "year")
    change.change(ada.subscriber, "pro", "month")
    billing_stripe.deliver()
    subject, text = written("downgrade_scheduled")
    assert subject.startswith("The price of Pro changes on ")
    assert "Price: $20.00 a month" in text
    assert "You keep" not in text
    assert written("downgrade_scheduled", "fr")[0].startswith("Le prix de Pro change le ")
    assert written("downgrade_scheduled", "de")[0].startswith("Der Preis von Pro ändert sich am ")


def test_the_end_of_time_that_staff_gave_by_a_trial_brings_no_first_charge(billing_stripe):
    ada = subscribed(billing_stripe, "month")
    billing_stripe.advance(days=10)
    until = int(ada.row.current_period_end.timestamp()) + 30 * 86_400
    billing_stripe.api("POST", f"subscriptions/{ada.subscription}", trial_end=until, proration_behavior="none")
    billing_stripe.deliver()
    billing_stripe.advance(days=48)
    billing_stripe.deliver()
    assert "After that it costs $20.00 a month. We'll charge you that day." in written("trial_ending")[1]

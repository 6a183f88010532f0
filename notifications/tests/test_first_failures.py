"""A first payment that fails is told by mail where its subscriber did not see it fail."""

import pytest
from django.contrib.auth import get_user_model

from notifications.models import Mail

pytestmark = pytest.mark.django_db
BAD_CARD = "pm_card_chargeCustomerFail"


@pytest.fixture
def ada(billing_stripe):
    """Somebody whose subscription has ended, and whose card will be declined."""
    ada = billing_stripe.subscribe(get_user_model().objects.create_user("ada@example.com"), "pro")
    billing_stripe.change_card(ada, BAD_CARD)
    billing_stripe.api("DELETE", f"subscriptions/{ada.subscription}")
    billing_stripe.deliver()
    Mail.objects.all().delete()
    return ada


def sold_for_tomorrow(billing_stripe, ada):
    """Staff sell Team from tomorrow on."""
    team = billing_stripe.api("GET", "prices", lookup_keys=["team_month"])["data"][0]["id"]
    method = billing_stripe.api("GET", "payment_methods", customer=ada.customer)["data"][0]["id"]
    ended = billing_stripe.api("GET", f"subscriptions/{ada.subscription}")["ended_at"]
    phase = {"items": [{"price": team, "quantity": 1}], "default_payment_method": method}
    billing_stripe.api(
        "POST", "subscription_schedules", customer=ada.customer, start_date=ended + 86_400, phases=[phase]
    )


def failures():
    return Mail.objects.filter(kind=Mail.Kind.PAYMENT_FAILED).exclude(status=Mail.Status.SKIPPED).count()


def test_that_of_what_staff_sold_from_a_later_day_on(billing_stripe, ada):
    sold_for_tomorrow(billing_stripe, ada)
    billing_stripe.advance(days=2)
    billing_stripe.deliver()
    assert (ada.access.reason, failures()) == ("grace", 1)


def test_in_any_order_of_events_it_is_told_once(billing_stripe, ada):
    sold_for_tomorrow(billing_stripe, ada)
    billing_stripe.advance(days=2)
    billing_stripe.deliver(scramble=True)
    assert (ada.access.reason, failures()) == ("grace", 1)


def test_at_checkout_it_is_seen_and_not_mailed(billing_stripe, ada):
    billing_stripe.subscribe(ada.subscriber, "pro", card="pm_card_chargeDeclined")
    billing_stripe.deliver()
    assert failures() == 0

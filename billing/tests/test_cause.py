"""Each recorded change says what caused it."""

import pytest

from billing import cause, testing
from billing.events import sweep
from billing.lifecycle import checkout, deletion
from billing.lifecycle.cancel import cancel
from billing.models import CheckoutAttempt, Grant, SubscriptionChange
from billing.subscriptions import reminders
from billing.sync import runs
from billing.testing import now
from billing.tests.subscriptions.test_grants import give
from billing.tests.subscriptions.test_seats import joins
from billing.tests.world import SIGNALS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def causes():
    """The cause at each signal, by the signal's name."""
    found = {}

    def listener(name):
        return lambda **_: found.update({name: cause.current()})

    for name, signal in SIGNALS.items():
        signal.connect(listener(name), dispatch_uid="causes", weak=False)
    yield found
    for signal in SIGNALS.values():
        signal.disconnect(dispatch_uid="causes")


def test_a_change_says_what_made_it_an_event_the_subscriber_or_the_sync(world):
    ada = world.subscribed()
    assert SubscriptionChange.objects.latest("pk").cause.startswith("evt_")
    cancel(ada.user, "period_end")
    assert SubscriptionChange.objects.latest("pk").cause == "subscriber"
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=False)
    runs.run(runs.Wanted(customer=ada.customer))
    assert SubscriptionChange.objects.latest("pk").cause == "sync"


def test_a_checkout_seen_as_its_buyer_comes_back_says_so(world, causes):
    world.subscribe()
    checkout.refresh_outcome(CheckoutAttempt.objects.get())
    assert SubscriptionChange.objects.get().cause == "return page"
    assert causes["subscription_started"] == causes["payment_succeeded"] == "return page"


def test_the_end_of_a_grace_and_of_a_gift_says_that_time_was_up(world, causes):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=3)
    world.deliver()
    world.advance(days=3)
    sweep.sweep()
    assert causes["access_revoked"] == "grace lapsed"
    ben = world.subscribed(email="ben@example.com")
    cancel(ben.user, "now")
    give(ben, days=1)
    world.advance(days=2)
    sweep.sweep()
    assert (causes["access_revoked"], Grant.objects.get().ended_by) == ("grant lapsed", "grant lapsed")
    assert Grant.objects.get().ended_at < now()


def test_a_reminder_says_that_the_calendar_brought_it(world, causes):
    world.subscribed("pro", "year")
    world.advance(days=340)
    reminders.hourly()
    assert causes["renewal_coming"] == "calendar"


def test_seats_and_deletions_say_so(world, causes, settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"
    ada = world.subscribed()
    joins(ada.user)
    joins(ada.user)
    testing.work()
    assert (SubscriptionChange.objects.latest("pk").quantity, causes["subscription_changed"]) == (2, "seats")
    assert SubscriptionChange.objects.latest("pk").cause == "seats"
    deletion.begin(ada.user)
    testing.work()
    assert causes["account_closed"] == "deletion"
    assert SubscriptionChange.objects.latest("pk").cause == "deletion"


def test_the_innermost_cause_counts_and_ends_with_its_block():
    with cause.recorded_as("sync"):
        with cause.recorded_as("evt_1"):
            assert cause.current() == "evt_1"
        with cause.recorded_by_default_as("subscriber"):
            assert cause.current() == "sync"
    assert cause.current() == ""

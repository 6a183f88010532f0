"""Each recorded change says what caused it."""

import pytest

from billing import cause
from billing.lifecycle.cancel import cancel
from billing.models import SubscriptionChange
from billing.sync import runs

pytestmark = pytest.mark.django_db


def test_a_change_says_what_made_it_an_event_the_subscriber_or_the_sync(world):
    ada = world.subscribed()
    assert SubscriptionChange.objects.latest("pk").cause.startswith("evt_")
    cancel(ada.user, "period_end")
    assert SubscriptionChange.objects.latest("pk").cause == "subscriber"
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=False)
    runs.run(runs.Wanted(customer=ada.customer))
    assert SubscriptionChange.objects.latest("pk").cause == "sync"


def test_the_innermost_cause_counts_and_ends_with_its_block():
    with cause.recorded_as("sync"):
        with cause.recorded_as("evt_1"):
            assert cause.current() == "evt_1"
        with cause.recorded_by_default_as("subscriber"):
            assert cause.current() == "sync"
    assert cause.current() == ""

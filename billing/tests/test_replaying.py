import json
from unittest import mock

import pytest
from django.core import mail
from django.db import transaction

from billing import signals, stripe_account
from billing.models import Payment, Plan
from billing.tests import replaying
from stripe_sandbox import saving

pytestmark = pytest.mark.django_db


class Lives:
    """The same world, as often as it is asked for; `lived` counts how often somebody really subscribed there."""

    def __init__(self, world):
        self.world, self.lived, self.empty = world, 0, saving.document(world.sandbox.state)
        subscribe = world.subscribe

        def counted(*args):
            self.lived += 1
            return subscribe(*args)

        world.subscribe = counted
        replaying._kept.clear()

    def live(self, story=lambda world: world.subscribed(), before=lambda world: None):
        """Return what is there at the end of a story that is undone afterwards."""
        world = self.world
        with transaction.atomic():
            before(world)
            subscriber = story(world)
            state = json.loads(saving.document(world.sandbox.state))
            del state["offset"]
            left = (replaying._rows(), state, len(mail.outbox), world.delivered, subscriber)
            transaction.set_rollback(True)
        self._begin_again()
        return left

    def _begin_again(self):
        sandbox = self.world.sandbox
        sandbox.state = sandbox._prepare(saving.restored(json.loads(self.empty)))
        sandbox.dispatcher.forget(sandbox.state)
        self.world.put_back, self.world.delivered = 0.0, set()
        mail.outbox.clear()
        stripe_account.reset()


@pytest.fixture
def lives(world):
    return Lives(world)


def test_the_second_time_is_a_copy_and_nothing_in_it_differs(lives):
    first, second = lives.live(), lives.live()
    assert lives.lived == 1
    assert first[:-1] == second[:-1]
    assert (first[-1].user, first[-1].customer) == (second[-1].user, second[-1].customer)


def test_a_copy_lives_on_and_so_does_a_bystander(lives):
    def both(world):
        world.subscribed(email="ben@example.com", plan="team")
        ada = world.subscribed()
        world.advance(days=32)
        world.deliver()
        assert Payment.objects.filter(customer=ada.customer).count() == 2
        assert ada.access
        return ada

    lives.live(both)
    lives.live(both)
    assert lives.lived == 2


@pytest.mark.parametrize(
    "before",
    [
        lambda world: Plan.objects.filter(slug="pro").update(name="Professional"),
        lambda world: world.sign_up("ben@example.com"),
        lambda world: world.stripe("POST", "customers", email="ben@example.com"),
        lambda world: world.control("settings", retry_days=[1]),
        lambda world: world.advance(days=1),
        lambda world: world.control("faults", api={"latency_ms": 1}),
    ],
    ids=["a plan", "a user", "an object at Stripe", "a setting of Stripe's", "the time", "a fault"],
)
def test_where_something_differs_it_is_lived_through(lives, before):
    lives.live()
    lives.live(before=before)
    assert lives.lived == 2


def test_under_another_setting_it_is_lived_through(lives, settings):
    lives.live()
    settings.SITE_URL = "https://elsewhere.example.com"
    lives.live()
    assert lives.lived == 2


def test_another_story_is_lived_through(lives):
    lives.live()
    lives.live(lambda world: world.subscribed(interval="year"))
    lives.live(lambda world: world.subscribed(card="pm_card_mastercard"))
    assert lives.lived == 3


def test_who_patches_something_sees_it_happen(lives, monkeypatch):
    lives.live()
    with mock.patch("billing.tests.mailing.anything", create=True):
        lives.live()
    assert lives.lived == 2
    monkeypatch.setattr("billing.tests.mailing.anything", None, raising=False)
    lives.live()
    assert lives.lived == 3
    monkeypatch.undo()
    lives.live()
    assert lives.lived == 3


def test_who_listens_hears_it_happen(lives):
    heard = []

    def hear(**kwargs):
        heard.append(kwargs)

    lives.live()
    signals.subscription_started.connect(hear)
    lives.live()
    signals.subscription_started.disconnect(hear)
    lives.live()
    assert (lives.lived, len(heard)) == (2, 1)


def test_after_five_minutes_it_is_lived_through(lives):
    lives.live()
    for kept in replaying._kept.values():
        kept.at -= replaying.KEPT_SECONDS
    lives.live()
    assert lives.lived == 2

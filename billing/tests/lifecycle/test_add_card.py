"""A card is added in the portal, or at a Checkout that only saves it; a subscriber who never comes back has it too."""

import pytest

from billing import testing
from billing.lifecycle import add_card
from billing.lifecycle.refusals import NoSubscription
from billing.models import StripeWrite
from billing.tests.lifecycle.test_trials import at_stripe, begin

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def eve(world, settings):
    """She is on a trial without a card."""
    settings.BILLING_TRIAL_WITHOUT_CARD = "pause"
    return begin(world, world.sign_up("eve@example.com"))


@pytest.fixture
def by_checkout(settings):
    settings.BILLING_ADD_CARD = "checkout"


def opened(world, who):
    address = add_card.open_page(who.user, locale="fr")
    session = address.rpartition("/")[2]
    return world.stripe("GET", f"checkout/sessions/{session}")


def saved(world, who, card="pm_card_visa"):
    session = opened(world, who)
    world.control(f"checkout/{session['id']}/complete", payment_method=card)
    return session["id"]


def test_by_default_the_portal_opens(world, eve):
    world.control("portal")
    assert "/p/" in add_card.open_page(eve.user)


def test_the_checkout_saves_a_card_and_charges_nothing(world, eve, by_checkout):
    session = opened(world, eve)
    assert (session["mode"], session["locale"], session["customer"]) == ("setup", "fr", eve.customer)
    assert session["metadata"]["billing_card_for"] == eve.subscription


def test_the_card_is_charged_at_the_trials_end(world, eve, by_checkout):
    assert add_card.finish(eve.user, saved(world, eve))
    assert eve.row.has_payment_method
    world.deliver()
    world.advance(days=14, hours=2)
    world.deliver()
    assert (eve.row.status, world.charge_of(eve)["amount"]) == ("active", 6_000)


def test_who_never_comes_back_has_the_card_by_the_webhook_and_both_ways_use_it_once(world, eve, by_checkout):
    session = saved(world, eve)
    world.deliver()
    testing.work()
    world.deliver()
    method = at_stripe(world, eve)["default_payment_method"]
    assert method
    assert eve.row.has_payment_method
    assert add_card.finish(eve.user, session)
    assert StripeWrite.objects.filter(action="use_card").count() == 1
    assert at_stripe(world, eve)["default_payment_method"] == method


def test_a_session_that_is_not_complete_adds_nothing(world, eve, by_checkout):
    assert not add_card.finish(eve.user, opened(world, eve)["id"])
    assert not StripeWrite.objects.filter(action="use_card").exists()


def test_a_strangers_session_and_one_that_was_bought_by_are_refused(world, eve, by_checkout):
    session, mallory = saved(world, eve), world.subscribed(email="mallory@example.com")
    with pytest.raises(NoSubscription):
        add_card.finish(mallory.user, session)
    bought = mallory.row.customer.checkout_attempts.get().session_id
    with pytest.raises(NoSubscription):
        add_card.finish(mallory.user, bought)


def test_an_event_that_names_anothers_subscription_changes_no_card(world, eve, by_checkout):
    """Somebody with the key to our account made a setup session of their own customer for eve's subscription."""
    mallory = world.subscribed(email="mallory@example.com")
    session = world.stripe(
        "POST", "checkout/sessions", mode="setup", customer=mallory.customer, currency="usd",
        metadata={"billing_card_for": eve.subscription}, success_url="https://example.com",
    )  # fmt: skip
    world.control(f"checkout/{session['id']}/complete", payment_method="pm_card_mastercard")
    world.deliver()
    testing.work()
    assert at_stripe(world, eve)["default_payment_method"] is None


def test_without_a_live_subscription_no_card_is_asked_for(world, by_checkout):
    with pytest.raises(NoSubscription):
        add_card.open_page(world.sign_up())
    ben = world.subscribed(email="ben@example.com")
    world.stripe("DELETE", f"subscriptions/{ben.subscription}")
    world.deliver()
    with pytest.raises(NoSubscription):
        add_card.open_page(ben.user)


def test_a_subscription_that_ended_meanwhile_keeps_its_card(world, eve, by_checkout):
    session = saved(world, eve)
    world.stripe("DELETE", f"subscriptions/{eve.subscription}")
    add_card.finish(eve.user, session)
    assert "had ended" in StripeWrite.objects.get(action="use_card").error_message

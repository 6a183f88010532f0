"""A rule of ours hears of an event that the worker applies, with that lane's customer, and of no other."""

import gc

import pytest
from djstripe import event_handlers
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS

from billing import testing
from billing.events import receivers
from billing.events.receivers import customer as receiving
from billing.models import StripeEvent

pytestmark = pytest.mark.django_db(transaction=True)

TYPE = "customer.updated"


@pytest.fixture
def heard():
    """The customers and types that a rule of a host's heard of, connected as ours are."""
    told, before = [], len(receiving.connected)
    rule = receiving.receiver([TYPE])(lambda customer, event: told.append((customer.pk, event.type)))
    assert callable(rule)
    gc.collect()  # signals hold receivers weakly
    yield told
    while len(receiving.connected) > before:
        WEBHOOK_SIGNALS[TYPE].disconnect(receiving.connected.pop(), sender=Event)


def test_a_rule_is_given_the_customer_of_the_lane_that_is_drained(world, heard):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    heard.clear()
    world.stripe("POST", f"customers/{ben.customer}", name="Ben")
    world.deliver()
    assert heard == [(ben.customer, TYPE)]
    world.stripe("POST", f"customers/{ada.customer}", name="Ada")
    world.deliver()
    assert heard == [(ben.customer, TYPE), (ada.customer, TYPE)]


def test_what_djstripes_own_door_brings_runs_no_rule(world, heard):
    ada = world.subscribed()
    heard.clear()
    event = StripeEvent.objects.filter(lane=ada.customer, type=TYPE).first()
    Event.objects.get(id=event.pk).invoke_webhook_handlers()
    with receivers.receiving("evt_another"):
        Event.objects.get(id=event.pk).invoke_webhook_handlers()
    assert heard == []
    with receivers.receiving(event.pk):
        Event.objects.get(id=event.pk).invoke_webhook_handlers()
    Event.objects.get(id=event.pk).invoke_webhook_handlers()
    assert heard == [(ada.customer, TYPE)]


def test_a_rule_keeps_its_name_for_who_calls_it_directly():
    def rule(customer, event):
        """Rule."""

    before = len(receiving.connected)
    assert receiving.receiver([TYPE])(rule) is rule
    WEBHOOK_SIGNALS[TYPE].disconnect(receiving.connected.pop(), sender=Event)
    assert len(receiving.connected) == before


def connected(event_type):
    return WEBHOOK_SIGNALS[event_type]._live_receivers(sender=Event)[0]


def test_djstripes_receivers_are_silent_for_our_types_alone():
    theirs = event_handlers.handle_customer_event
    for event_type in (TYPE, "coupon.created"):
        WEBHOOK_SIGNALS[event_type].connect(theirs, sender=Event)
    try:
        receivers.connect()
        assert theirs not in connected(TYPE)
        assert theirs in connected("coupon.created")
    finally:
        for event_type in (TYPE, "coupon.created"):
            WEBHOOK_SIGNALS[event_type].disconnect(theirs, sender=Event)


def test_modules_of_receivers_are_loaded_as_they_are_connected(monkeypatch):
    monkeypatch.setattr(receivers, "MODULES", ("state", "missing"))
    with pytest.raises(ModuleNotFoundError, match=r"billing\.events\.receivers\.missing"):
        receivers.connect()


def test_an_event_of_a_stranger_reaches_no_rule(world, heard):
    world.subscribed()
    heard.clear()
    testing.deliver(testing.event(TYPE, {"id": "cus_stranger", "object": "customer"}))
    testing.work()
    assert heard == []

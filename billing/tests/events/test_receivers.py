"""Each event type leads to one rule, which hears of an event that the worker applies, with that lane's customer, and of
no other."""

import gc
from collections import Counter

import pytest
from djstripe import event_handlers
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS

from billing import testing
from billing.events import EVENT_TYPES, receivers
from billing.models import StripeEvent

pytestmark = pytest.mark.django_db(transaction=True)

TYPE = "customer.updated"


@pytest.fixture
def heard(monkeypatch):
    """The customers and types that a further rule heard of, connected as ours are."""
    told = []

    def further_rule(customer, event):
        told.append((customer.pk, event.type))

    monkeypatch.setitem(receivers.RECEIVERS, further_rule, (TYPE,))
    receivers.connect()
    gc.collect()  # signals hold receivers weakly
    yield told
    assert WEBHOOK_SIGNALS[TYPE].disconnect(sender=Event, dispatch_uid="billing.further_rule")


def test_every_event_type_has_one_receiver_and_no_other_type_has_any():
    listed = Counter(event_type for types in receivers.RECEIVERS.values() for event_type in types)
    assert listed == Counter(dict.fromkeys(EVENT_TYPES, 1))


def test_connecting_again_connects_no_receiver_twice():
    receivers.connect()
    for rule, types in receivers.RECEIVERS.items():
        for event_type in types:
            uids = [entry[0][0] for entry in WEBHOOK_SIGNALS[event_type].receivers]
            assert uids.count(f"billing.{rule.__name__}") == 1


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
    with receivers.receiving(StripeEvent(id="evt_another", lane=ada.customer)):
        Event.objects.get(id=event.pk).invoke_webhook_handlers()
    assert heard == []
    with receivers.receiving(event):
        Event.objects.get(id=event.pk).invoke_webhook_handlers()
    Event.objects.get(id=event.pk).invoke_webhook_handlers()
    assert heard == [(ada.customer, TYPE)]


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


def test_an_event_of_a_stranger_reaches_no_rule(world, heard):
    world.subscribed()
    heard.clear()
    testing.deliver(testing.event(TYPE, {"id": "cus_stranger", "object": "customer"}))
    testing.work()
    assert heard == []

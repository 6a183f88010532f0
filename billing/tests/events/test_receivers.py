"""Each event type leads to one rule, and only for the event that the worker applies."""

from collections import Counter

import pytest
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS

from billing.events import EVENT_TYPES, receivers
from billing.models import Customer, StripeEvent


def uids(event_type):
    return [entry[0][0] for entry in WEBHOOK_SIGNALS[event_type].receivers]


def test_every_event_type_has_one_receiver_and_no_other_type_has_any():
    listed = Counter(event_type for types in receivers.RECEIVERS.values() for event_type in types)
    assert listed == Counter(dict.fromkeys(EVENT_TYPES, 1))


def test_connecting_again_connects_no_receiver_twice():
    receivers.connect()
    for rule, types in receivers.RECEIVERS.items():
        assert [uids(event_type).count(f"billing.{rule.__name__}") for event_type in types] == [1] * len(types)


def test_no_receiver_of_djstripes_own_answers_our_types():
    own = {id(handler) for handler in receivers.DJSTRIPE_RECEIVERS}
    assert own
    assert [event_type for event_type in EVENT_TYPES if own & set(uids(event_type))] == []


@pytest.mark.django_db
@pytest.mark.parametrize(("sent", "is_called"), [("evt_1", True), ("evt_2", False)])
def test_a_rule_is_called_for_the_event_that_is_applied_with_the_customer_of_its_lane(sent, is_called):
    ada, called = Customer.objects.create(pk="cus_ada"), []
    event = Event(id=sent, type="invoice.paid", data={"object": {"id": "in_1", "customer": "cus_forged"}})
    with receivers.receiving(StripeEvent(id="evt_1", lane=ada.pk)):
        receivers._receive(lambda *given: called.append(given), sender=Event, event=event)
    receivers._receive(lambda *given: called.append(given), sender=Event, event=event)
    assert called == ([(ada, event)] if is_called else [])

"""Each event type leads to one rule, which hears of an event that the worker applies, with that lane's customer, and of
no other."""

import gc
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from djstripe import event_handlers
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS
from structlog.contextvars import bound_contextvars

from billing import testing
from billing.events import CATALOGUE, EVENT_TYPES, receivers
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
    of_customers = [event_type for types in receivers.RECEIVERS.values() for event_type in types]
    listed = Counter([*of_customers, *CATALOGUE])
    assert listed == Counter(dict.fromkeys(EVENT_TYPES, 1))


def test_connecting_again_connects_no_receiver_twice():
    receivers.connect()
    for rule, types in receivers.RECEIVERS.items():
        for event_type in types:
            uids = [entry[0][0] for entry in WEBHOOK_SIGNALS[event_type].receivers]
            assert uids.count(f"billing.{rule.__name__}") == 1
    for event_type in CATALOGUE:
        assert [entry[0][0] for entry in WEBHOOK_SIGNALS[event_type].receivers].count("billing.on_catalogue") == 1


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
    with receivers.receiving(StripeEvent(id="evt_another", lane=ada.customer), {}):
        Event.objects.get(id=event.pk).invoke_webhook_handlers()
    assert heard == []
    with receivers.receiving(event, {}), bound_contextvars(subscriber=None):  # a worker's log is of its task alone
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


RULES = {
    "on_invoice_paid": ("payments.record_payment", "obj_1"),
    "on_invoice_not_paid": ("payments.record_failure", {"id": "obj_1", "invoice": {"id": "in_1"}}, 1000),
    "on_invoice": ("payments.record_invoice", "obj_1"),
    "on_payment_processing": ("payments.record_processing", "obj_1"),
    "on_invoice_not_finalized": ("notices.alert_not_finalized", {"id": "obj_1", "invoice": {"id": "in_1"}}),
    "on_invoice_payment_paid": ("payments.record_links", "in_1"),
    "on_charge_refunded": ("refunds.record_refunds", "obj_1"),
    "on_refund": ("refunds.record_refunds", "ch_of_the_refund"),
    "on_dispute": ("disputes.record_dispute", "obj_1"),
    "on_early_fraud_warning": ("notices.alert_fraud_warning", {"id": "obj_1", "invoice": {"id": "in_1"}}),
    "on_checkout_session": ("attempts.refresh_attempt", "obj_1"),
    "on_subscription": ("subscriptions.refresh_rows",),
    "on_customer_updated": ("subscriptions.refresh_rows",),
}


@pytest.mark.parametrize("name", RULES)
def test_each_receiver_calls_its_rule_for_its_customer_with_what_the_event_brings(monkeypatch, name):
    called = []
    rule, *facts = RULES[name]
    for path in {rule, "subscriptions.refresh_rows"}:
        monkeypatch.setattr(f"{receivers.__name__}.{path}", lambda *args, path=path: called.append((path, *args)))
    monkeypatch.setattr(
        receivers.refunds, "charge_of", lambda customer, refund: f"ch_of_the_{'refund' if refund else ''}"
    )
    event = SimpleNamespace(data={"object": {"id": "obj_1", "invoice": {"id": "in_1"}}}, created=1000)
    getattr(receivers, name)("ada", event)
    refreshed = [("subscriptions.refresh_rows", "ada")]
    assert called == [(rule, "ada", *facts), *(refreshed if name == "on_checkout_session" else [])]


@pytest.mark.parametrize(
    ("is_deleted", "deleted_at", "rule"),
    [
        (True, None, "end_for_deleted_customer"),
        (False, None, "refresh_rows"),
        (False, datetime.now(UTC), "end_for_deleted_customer"),
    ],
)
def test_only_a_customer_whom_stripe_calls_deleted_is_ended(monkeypatch, is_deleted, deleted_at, rule):
    called = []
    monkeypatch.setattr(receivers.fetch, "is_deleted", lambda customer: is_deleted)
    for name in ("refresh_rows", "end_for_deleted_customer"):
        monkeypatch.setattr(receivers.subscriptions, name, lambda customer, name=name: called.append(name))
    receivers.on_customer_deleted(SimpleNamespace(pk="cus_ada", deleted_at=deleted_at), None)
    assert called == [rule]


def test_the_end_of_a_trial_is_said_of_what_stripe_has_now(monkeypatch):
    said = []
    monkeypatch.setattr(receivers.subscriptions, "refresh_rows", lambda customer: said.append(f"refreshed {customer}"))
    monkeypatch.setattr(receivers.subscriptions, "row_for", lambda customer, which: f"the row {which} of {customer}")
    monkeypatch.setattr(receivers.subscriptions, "announce_trial_end", said.append)
    receivers.on_trial_will_end("ada", SimpleNamespace(data={"object": {"id": "sub_1"}}))
    assert said == ["refreshed ada", "the row sub_1 of ada"]

"""A batch of events is applied: an event whose receiver, shape or object fails takes no other with it."""

import pytest
from django.db import OperationalError, connections
from django.utils import timezone
from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS

from billing import testing
from billing.events import ledger, worker
from billing.models import InvoicePayment, Payment, StripeEvent
from billing.subscriptions import mirror
from billing.testing import assert_all_processed

from .failing import make_due

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres, pytest.mark.first_sale]


def test_what_a_failed_event_wrote_is_rolled_back_and_written_once_by_the_next_try(world, broken):
    ada = world.subscribe()
    paid = [event for event in world.events() if event["type"] == "invoice.paid"]
    world.deliver(paid, work=False)
    testing.work()
    assert not Payment.objects.exists()
    assert not ada.access.has_access
    broken.is_broken = False
    make_due()
    assert_all_processed()
    assert Payment.objects.count() == 1
    assert ada.access.reason == "active"


def test_a_replayed_event_repeats_no_effect(world):
    ada = world.subscribed()
    ids = list(StripeEvent.objects.filter(status="processed").values_list("pk", flat=True))
    assert ledger.replay(ids) == len(ids)
    testing.work()
    assert_all_processed()
    assert Payment.objects.count() == 1
    assert world.said(ada) == []


@pytest.fixture
def dangling():
    """A host project's receiver that writes what the database refuses at the commit, long after the savepoint."""

    def write(sender, event, **kwargs):
        nobodys = {"invoice_id": "in_nobody", "customer_id": "cus_nobody", "amount": 1, "currency": "usd"}
        Payment.objects.create(**nobodys, invoiced_at=timezone.now(), paid_at=timezone.now())

    djstripe_receiver("customer.updated")(write)
    yield
    WEBHOOK_SIGNALS["customer.updated"].disconnect(write, sender=Event)


def test_what_only_the_commit_refuses_fails_its_event_alone(world, dangling):
    ada = world.subscribe()
    world.deliver(work=False)
    testing.work()
    refused = StripeEvent.objects.exclude(status__in=["processed", "ignored"]).get()
    assert (refused.type, refused.status, refused.attempts) == ("customer.updated", "failed", 1)
    assert "IntegrityError" in refused.error_message
    assert Payment.objects.get().customer_id == ada.customer
    assert ada.access.reason == "active"


@pytest.mark.parametrize(
    "where",
    ["stripe_client.fetch.subscriptions", "subscriptions.mirror._event", "subscriptions.mirror.as_stripe_object"],
)
def test_a_fault_of_our_own_fails_no_batch_for_ever(world, monkeypatch, where):
    """Wherever it is, each event meets it by itself, and is tried again."""
    ada = world.subscribe()
    world.deliver(work=False)

    def fault(*args):
        raise KeyError(where)

    with monkeypatch.context() as patch:
        patch.setattr(f"billing.{where}", fault)
        assert worker.drain(ada.customer) == "drained"
    assert not StripeEvent.objects.filter(lane=ada.customer, status="received").exists()
    make_due()
    assert_all_processed()
    assert ada.access.reason == "active"


def test_an_object_that_stripe_does_not_give_fails_its_event_alone(world, monkeypatch):
    ada = world.subscribed()
    world.stripe("DELETE", f"subscriptions/{ada.subscription}")
    gone = testing.event("invoice.paid", {"id": "in_gone", "object": "invoice", "customer": ada.customer})
    world.deliver([gone, *world.events()], work=False)
    testing.work()
    assert ada.row.status == "canceled"
    failed = StripeEvent.objects.get(pk=gone["id"])
    assert (failed.status, failed.attempts, "in_gone" in failed.error_message) == ("failed", 1, True)


def test_an_event_without_its_objects_id_fails_alone(world):
    ada = world.subscribed()
    for event_type, kind in [
        ("charge.refunded", "charge"),
        ("charge.dispute.created", "dispute"),
        ("invoice.paid", "invoice"),
    ]:
        world.deliver([testing.event(event_type, {"object": kind, "customer": ada.customer})], work=False)
    testing.work()
    assert set(StripeEvent.objects.filter(object_id="").values_list("status", flat=True)) == {"failed"}


@pytest.mark.parametrize(
    "odd",
    [
        {"data": {"object": {"object": "invoice", "id": "in_1", "created": "long ago"}}},
        {"request": {"id": "x" * 300, "idempotency_key": None}},
    ],
)
def test_an_event_of_an_odd_shape_fails_alone(world, odd):
    ada = world.subscribe()
    event = {**testing.event("invoice.paid", {"id": "in_odd", "object": "invoice", "created": 1}), **odd}
    event["data"]["object"]["customer"] = ada.customer
    world.deliver([event, *world.events()], work=False)
    testing.work()
    assert set(StripeEvent.objects.exclude(pk=event["id"]).values_list("status", flat=True)) <= {"processed", "ignored"}
    assert StripeEvent.objects.get(pk=event["id"]).status == "failed"
    assert ada.access.reason == "active"


def test_a_failed_event_is_known_to_djstripe_once(world, broken):
    world.subscribe()
    world.deliver(work=False)
    testing.work()
    broken.is_broken = False
    make_due()
    assert_all_processed()
    assert set(Event.objects.values_list("id", flat=True)) == set(
        StripeEvent.objects.filter(status="processed").values_list("pk", flat=True)
    )


def test_a_payment_that_names_only_its_invoice_goes_to_the_lane_of_that_invoices_customer(world):
    ada = world.subscribe()
    world.deliver(work=False)
    payment = StripeEvent.objects.get(type="invoice_payment.paid")
    assert payment.lane == ada.customer


def test_a_payment_of_an_invoice_we_have_finds_its_customer_without_the_link(world):
    ada, ben = world.subscribe(), world.subscribed(email="ben@example.com")
    world.delivered.difference_update(event["id"] for event in world.sandbox.events())
    late = [
        event
        for event in world.events("invoice_payment.paid")
        if event["data"]["object"]["invoice"] == ben.last_payment.invoice_id
    ]
    StripeEvent.objects.all().delete()
    InvoicePayment.objects.all().delete()
    world.deliver(late, work=False)
    assert StripeEvent.objects.get().lane == ben.customer != ada.customer


def test_a_mirror_that_cannot_take_an_object_costs_nobody_access(world, monkeypatch):
    def cannot(cls, *args, **kwargs):
        raise ValueError("a shape that dj-stripe does not know")

    monkeypatch.setattr(mirror.djstripe.PaymentMethod, "sync_from_stripe_data", classmethod(cannot))
    ada = world.subscribe()
    world.deliver()
    assert ada.access.reason == "active"
    assert mirror.djstripe.Subscription.objects.filter(id=ada.subscription).exists()


@pytest.fixture
def refused_by_the_database():
    """A host project's receiver whose own statement the database refuses, for a lock or a time that ran out."""

    def write(sender, event, **kwargs):
        raise OperationalError("canceling statement due to lock timeout")

    djstripe_receiver("customer.updated")(write)
    yield
    WEBHOOK_SIGNALS["customer.updated"].disconnect(write, sender=Event)


def test_a_statement_that_the_database_refuses_fails_its_event_alone(world, refused_by_the_database):
    ada = world.subscribe()
    world.deliver(work=False)
    testing.work()
    [failed] = StripeEvent.objects.exclude(status__in=["processed", "ignored"])
    assert (failed.type, failed.status, failed.attempts) == ("customer.updated", "failed", 1)
    assert failed.error_message == "OperationalError: canceling statement due to lock timeout"
    assert ada.access.reason == "active"


def test_a_connection_that_is_lost_fails_no_event_and_leaves_all_to_the_next_drain(
    world, refused_by_the_database, monkeypatch
):
    ada = world.subscribe()
    world.deliver(work=False)
    with monkeypatch.context() as lost:
        lost.setattr(connections["default"], "is_usable", lambda: False)
        with pytest.raises(OperationalError):
            worker.drain(ada.customer)
    waiting = StripeEvent.objects.filter(lane=ada.customer).exclude(status="ignored")
    assert set(waiting.values_list("status", "attempts", "error_message")) == {("received", 0, "")}
    assert not Payment.objects.exists()
    testing.work()
    assert ada.access.reason == "active"

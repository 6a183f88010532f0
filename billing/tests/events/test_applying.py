"""A lane's events when things go wrong: a receiver that raises, Stripe away, a worker that died half-way."""

from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone
from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS

from billing import lanes, signals, testing
from billing.events import applying, ledger, worker
from billing.models import InvoicePayment, Lane, Payment, StripeEvent, StripeWrite, Subscription
from billing.stripe_client import StripeUnavailable
from billing.stripe_client.http_client import HttpClient
from billing.subscriptions import mirror
from billing.testing import assert_all_processed

TWO_MONTHS = frozenset(
    {"checkout.session.completed", "customer.updated", "customer.subscription.created", "customer.subscription.updated"}
    | {"invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid"}
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


class Broken:
    """A host project's receiver that raises until it is mended."""

    def __init__(self, event_type):
        self.signal, self.is_broken, self.calls = WEBHOOK_SIGNALS[event_type], True, 0
        djstripe_receiver(event_type)(self)

    def __call__(self, sender, event, **kwargs):
        self.calls += 1
        if self.is_broken:
            raise LookupError("the host project's shelf is empty")

    def disconnect(self):
        self.signal.disconnect(self, sender=Event)


@pytest.fixture
def broken():
    receiver = Broken("invoice.paid")
    yield receiver
    receiver.disconnect()


def make_due():
    StripeEvent.objects.filter(status="failed").update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    worker.sweep()
    testing.work()


def test_a_receiver_that_raises_fails_its_event_alone_and_the_rest_of_the_lane_is_done(world, broken):
    ada = world.subscribe()
    world.deliver(work=False)
    testing.work()
    failed = StripeEvent.objects.get(type="invoice.paid")
    assert (failed.status, failed.attempts) == ("failed", 1)
    assert failed.error_message == "LookupError: the host project's shelf is empty"
    assert failed.next_attempt_at > timezone.now() + timedelta(seconds=50)
    assert not StripeEvent.objects.exclude(type="invoice.paid").filter(status__in=["received", "failed"]).exists()
    assert ada.access.reason == "active"


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


def test_an_event_that_fails_every_time_is_dead_after_the_last_try_and_can_be_replayed(world, broken):
    ada = world.subscribe()
    world.deliver(work=False)
    testing.work()
    tries = 1
    while StripeEvent.objects.filter(status="failed").exists():
        make_due()
        tries += 1
    event = StripeEvent.objects.get(type="invoice.paid")
    assert (event.status, event.attempts, tries) == ("dead", 7, 7)
    assert broken.calls == 7
    broken.is_broken = False
    assert ledger.replay([event.pk]) == 1
    testing.work()
    event.refresh_from_db()
    assert (event.status, event.source, event.error_message) == ("processed", "replay", "")
    assert ada.access.reason == "active"


def test_the_waits_between_tries_grow_and_vary_a_little():
    now = timezone.now()
    for tries, minutes in enumerate(applying.BACKOFF_MINUTES, 1):
        wait = (applying._next_attempt(tries) - now).total_seconds() / 60
        assert minutes * 0.89 < wait < minutes * 1.11
    assert applying._next_attempt(len(applying.BACKOFF_MINUTES) + 1) is None


def test_what_is_due_on_a_lane_and_what_is_put_off_there_is_that_lanes_alone(world):
    ada, ben = world.subscribe(), world.subscribe(email="ben@example.com")
    world.deliver(work=False)
    events = {who.customer: applying.due(who.customer) for who in (ada, ben)}
    assert all(events.values())
    assert all({event.lane for event in found} == {lane} for lane, found in events.items())
    applying.postpone(ada.customer, "Stripe is away")
    assert applying.due(ada.customer) == []
    assert applying.due(ben.customer) == events[ben.customer]
    put_off = StripeEvent.objects.filter(lane=ada.customer)
    later = timezone.now() + applying.OUTAGE
    assert all(later - timedelta(seconds=20) < event.next_attempt_at <= later for event in put_off.waiting())
    assert not StripeEvent.objects.filter(lane=ben.customer).exclude(next_attempt_at=None).exists()
    worker.drain(ben.customer)
    assert ben.access.reason == "active"
    assert not Subscription.objects.filter(customer=ada.customer).exists(), "nothing of the other lane was applied"


def test_a_replayed_event_repeats_no_effect(world):
    ada = world.subscribed()
    ids = list(StripeEvent.objects.filter(status="processed").values_list("pk", flat=True))
    assert ledger.replay(ids) == len(ids)
    testing.work()
    assert_all_processed()
    assert Payment.objects.count() == 1
    assert world.said(ada) == []


def test_while_stripe_is_away_events_wait_uncounted_and_access_stays_as_known(world):
    ada = world.subscribed()
    world.advance(days=32)
    events = world.events()
    world.control("faults", api={"fail_next": 100, "status": 500})
    world.deliver(events, work=False)
    testing.work()
    waiting = StripeEvent.objects.filter(status="received")
    assert {event.attempts for event in waiting} == {0}
    assert all(event.error_message.startswith("Waiting: ") for event in waiting)
    assert not Lane.objects.exclude(token=None).exists()
    assert ada.row.status == "active"
    world.control("faults")
    StripeEvent.objects.filter(status="received").update(next_attempt_at=timezone.now())
    worker.sweep()
    testing.work()
    assert_all_processed()
    assert Payment.objects.count() == 2


def test_a_limited_rate_is_waited_for(world):
    world.subscribe()
    events = world.events()
    world.control("faults", api={"fail_next": 1, "status": 429, "retry_after": 0.2})
    world.deliver(events)
    assert_all_processed()


def test_a_cancellation_that_stripe_did_not_hear_is_owed_until_it_does(world):
    ada = world.subscribed()
    world.stripe("POST", "refunds", charge=world.charge_of(ada)["id"])
    events = [event for event in world.events() if event["type"] == "charge.refunded"]
    world.deliver(events, work=False)

    def stripe_goes_away(sender, **kwargs):
        world.control("faults", api={"fail_next": 100, "status": 503})

    signals.refund_issued.connect(stripe_goes_away)
    try:
        testing.work()
    finally:
        signals.refund_issued.disconnect(stripe_goes_away)
    owed = StripeWrite.objects.get()
    assert (owed.done_at, owed.attempts) == (None, 1)
    assert ada.access.reason == "hold_refund", "access is held meanwhile"
    world.control("faults")
    StripeWrite.objects.update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    worker.sweep()
    testing.work()
    assert StripeWrite.objects.get().done_at
    assert world.stripe("GET", f"subscriptions/{ada.subscription}")["status"] == "canceled"


def test_a_worker_that_dies_between_effects_and_stamp_leaves_neither(world, monkeypatch):
    ada = world.subscribe()
    world.deliver(work=False)
    stamp = applying._stamp_processed

    def dies(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(applying, "_stamp_processed", dies)
    with pytest.raises(KeyboardInterrupt):
        testing.work()
    assert not Payment.objects.exists()
    assert not Subscription.objects.exists()
    assert not StripeEvent.objects.filter(status="processed").exists()
    monkeypatch.setattr(applying, "_stamp_processed", stamp)
    testing.work()
    assert_all_processed()
    assert ada.access.reason == "active"


def test_a_worker_that_lost_its_lane_half_way_changes_nothing_and_the_heir_does_it_all(world, monkeypatch):
    ada = world.subscribe()
    world.deliver(work=False)
    apply = applying.apply

    def taken_over_while_applying(lane, events):
        apply(lane, events)
        Lane.objects.filter(pk=lane).update(token="00000000-0000-0000-0000-000000000001", leased_until=timezone.now())

    monkeypatch.setattr(applying, "apply", taken_over_while_applying)
    assert worker.drain(ada.customer) == "lost"
    assert not Payment.objects.exists()
    monkeypatch.setattr(applying, "apply", apply)
    Lane.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    testing.work()
    assert_all_processed()
    assert Payment.objects.count() == 1


def test_a_new_subscribers_checkout_costs_one_call(world):
    """`invoice_payment.paid` too, which names no customer: the ledger knows whose invoice it is."""
    world.subscribed()  # the account and the product are known by now
    ben = world.subscribe(email="ben@example.com")
    events = world.events()
    before = _reads(world)
    world.deliver(events)
    assert _reads_since(world, before) == {"GET /v1/subscriptions": 1}
    assert ben.access.reason == "active"


@pytest.fixture
def warm(world):
    """A world whose account and products are mirrored, and where nobody else is renewed."""
    first = world.subscribed()
    world.stripe("DELETE", f"subscriptions/{first.subscription}")
    world.deliver()
    return world


def bought_and_renewed(world):
    """The events of a new customer's first two months, in the two bursts they come in: ten that are applied."""
    world.subscribe(email="ben@example.com")
    bought = world.events()
    world.delivered.update(event["id"] for event in bought)
    world.advance(days=33)
    bursts = [[event for event in burst if event["type"] in TWO_MONTHS] for burst in (bought, world.events())]
    assert sum(map(len, bursts)) == 10
    return bursts


def test_a_new_customers_ten_events_cost_one_call_a_burst(warm):
    """At most six is what we promise."""
    bursts = bought_and_renewed(warm)
    before = _reads(warm)
    for burst in bursts:
        warm.deliver(burst)
    assert sum(_reads_since(warm, before).values()) <= 3
    assert Payment.objects.count() == 3


def test_a_backlog_of_ten_events_is_drained_with_two_calls_and_few_queries(warm, django_assert_max_num_queries):
    """What is asked once a drain is not asked once an event."""
    backlog = [event for burst in bought_and_renewed(warm) for event in burst]
    before = _reads(warm)
    warm.deliver(backlog, work=False)
    with django_assert_max_num_queries(260):
        testing.work()
    assert_all_processed()
    assert sum(_reads_since(warm, before).values()) == 2


def disputes(world, who):
    world.dispute(who)


def gets_a_part_back(world, who):
    world.refund(who, 500)


def fails_to_pay(world, who):
    world.change_card(who, "pm_card_chargeCustomerFail")
    world.advance(days=32)


def is_renewed_twice(world, who):
    world.advance(days=65)


@pytest.mark.parametrize(
    ("happens", "times"), [(disputes, 2), (gets_a_part_back, 1), (fails_to_pay, 1), (is_renewed_twice, 1)]
)
def test_all_that_a_batch_is_known_to_read_is_asked_for_before_its_transaction(world, monkeypatch, happens, times):
    """What the first answers name, such as a dispute's charge, starts it once more."""
    ada = world.subscribed()
    happens(world, ada)
    world.deliver(work=False)
    apply, begun = applying.apply, []

    def noted(lane, events):
        begun.append(lane)
        apply(lane, events)

    monkeypatch.setattr(applying, "apply", noted)
    assert worker.drain(ada.customer) == "drained"
    assert begun == [ada.customer] * times
    assert_all_processed()


def test_nothing_is_asked_of_stripe_while_an_event_is_received(world):
    world.subscribe()
    events = world.events()
    before = world.calls()
    world.deliver(events, work=False)
    assert world.calls() == before


def test_no_call_leaves_while_a_transaction_is_open(world, monkeypatch):
    """Whichever thread sends it: the drain's own connection is in no transaction then."""
    drain_connection, inside, send = connections["default"], [], HttpClient.send

    def watched(self, method, url, request, post_data=None):
        inside.append(drain_connection.in_atomic_block)
        return send(self, method, url, request, post_data)

    monkeypatch.setattr(HttpClient, "send", watched)
    ada = world.subscribed()
    world.control("disputes", charge=world.charge_of(ada)["id"])
    world.deliver()
    assert inside
    assert not any(inside)


def test_an_event_that_arrives_between_the_last_look_and_the_release_is_drained_by_the_same_task(world, monkeypatch):
    ada = world.subscribed()
    world.advance(days=32)
    first, *rest = world.events()
    world.deliver([first], work=False)
    world.deliver([event for event in rest if event["type"] == "customer.subscription.updated"], work=False)
    late, release, held = [event for event in rest if event["type"] == "invoice.paid"], lanes.release, []

    def door_comes_first(claim):
        if not held:
            held.append(claim)
            world.deliver(late, work=False)
        return release(claim)

    monkeypatch.setattr(lanes, "release", door_comes_first)
    assert worker.drain(ada.customer) == "drained"
    assert Payment.objects.count() == 2
    assert not lanes.is_awake(ada.customer)


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


@pytest.mark.parametrize("where", ["fetch.subscriptions", "mirror._event", "mirror._as_stripe_object"])
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


def test_an_error_that_no_text_column_takes_is_kept_all_the_same(world, broken, monkeypatch):
    world.subscribe()
    monkeypatch.setattr(Broken, "__call__", lambda *args, **kwargs: {}["\0\ud800"])
    world.deliver(work=False)
    testing.work()
    assert StripeEvent.objects.get(type="invoice.paid").status == "failed"


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


def test_one_object_that_stripe_does_not_answer_for_is_a_try_of_its_own_event_alone(world, monkeypatch):
    ada = world.subscribed()
    before = ada.row.default_payment_method
    world.control("disputes", charge=world.charge_of(ada)["id"])
    world.change_card(ada, "pm_card_mastercard")
    send = HttpClient.send

    def no_disputes(self, method, url, request, post_data=None):
        if "/v1/disputes/" in url:
            return b"{}", 500, {}
        return send(self, method, url, request, post_data)

    monkeypatch.setattr(HttpClient, "send", no_disputes)
    world.deliver(work=False)
    testing.work()
    waiting = StripeEvent.objects.waiting().get()
    assert (waiting.type, waiting.status, waiting.attempts) == ("charge.dispute.created", "failed", 1)
    assert waiting.error_message == "StripeUnanswered: Stripe answered 500"
    assert ada.row.default_payment_method != before


def test_a_mirror_that_cannot_take_an_object_costs_nobody_access(world, monkeypatch):
    def cannot(cls, *args, **kwargs):
        raise ValueError("a shape that dj-stripe does not know")

    monkeypatch.setattr(mirror.djstripe.PaymentMethod, "sync_from_stripe_data", classmethod(cannot))
    ada = world.subscribe()
    world.deliver()
    assert ada.access.reason == "active"
    assert mirror.djstripe.Subscription.objects.filter(id=ada.subscription).exists()


def test_a_worker_that_lost_its_lane_does_not_postpone_its_heirs_events(world, monkeypatch):
    ada = world.subscribed()
    world.advance(days=32)
    world.deliver(work=False)

    def slow_and_down(lane, events, between):
        Lane.objects.filter(pk=lane).update(token="00000000-0000-0000-0000-000000000001")
        raise StripeUnavailable("Stripe did not answer")

    monkeypatch.setattr(applying, "prefetch", slow_and_down)
    assert worker.drain(ada.customer) == "lost"
    assert not StripeEvent.objects.exclude(next_attempt_at=None).exists()


def test_a_receiver_that_raises_when_one_grace_ends_does_not_silence_the_others(world):
    subscribers = [world.subscribed(email=f"{name}@example.com") for name in ("ada", "ben", "eve")]
    for subscriber in subscribers:
        world.change_card(subscriber, "pm_card_chargeCustomerFail")
    world.advance(days=31, hours=3)
    world.deliver()
    world.advance(days=3)
    world.heard.clear()

    def raises(sender, subscription, **kwargs):
        if subscription.customer_id == subscribers[0].customer:
            raise LookupError

    signals.access_revoked.connect(raises)
    try:
        worker.sweep()
    finally:
        signals.access_revoked.disconnect(raises)
    revoked = {subscriber.customer for subscriber in subscribers if not subscriber.row.has_announced_access}
    assert revoked == {subscriber.customer for subscriber in subscribers[1:]}
    worker.sweep()
    assert not subscribers[0].row.has_announced_access


def _reads_since(world, before):
    now = _reads(world)
    return {path: count - before.get(path, 0) for path, count in now.items() if count > before.get(path, 0)}


def _reads(world):
    return {f"{call['method']} {call['path']}": call["count"] for call in world.calls()["data"]}


def test_a_key_of_an_odd_shape_is_in_no_error(world, settings):
    ada = world.subscribe()
    world.deliver(work=False)
    settings.STRIPE_SECRET_KEY = settings.STRIPE_TEST_SECRET_KEY = "sk_test_odd-SHAPE-secret-1234567890"
    testing.work()
    said = list(StripeEvent.objects.values_list("error_message", flat=True))
    assert not any("SHAPE" in message for message in said)
    assert ada

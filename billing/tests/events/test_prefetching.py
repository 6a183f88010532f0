"""A batch asks Stripe for each object once, and before its transaction is open."""

import pytest
from django.db import connections

from billing import testing
from billing.events import applying, worker
from billing.models import Payment, StripeEvent
from billing.stripe_client import fetch
from billing.stripe_client.http_client import HttpClient
from billing.testing import assert_all_processed

TWO_MONTHS = frozenset(
    {"checkout.session.completed", "customer.updated", "customer.subscription.created", "customer.subscription.updated"}
    | {"invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid"}
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def test_a_limited_rate_is_waited_for(world):
    world.subscribe()
    events = world.events()
    world.control("faults", api={"fail_next": 1, "status": 429, "retry_after": 0.2})
    world.deliver(events)
    assert_all_processed()


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
    """Stripe is asked once a drain, not once an event."""
    backlog = [event for burst in bought_and_renewed(warm) for event in burst]
    before = _reads(warm)
    warm.deliver(backlog, work=False)
    with django_assert_max_num_queries(100):
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
    """The drain asks once more for what the first answers name, such as a dispute's charge."""
    ada = world.subscribed()
    happens(world, ada)
    world.deliver(work=False)
    apply, begun = applying.apply, []

    def noted(lane, events, **kinds):
        begun.append(lane)
        apply(lane, events, **kinds)

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


def _reads_since(world, before):
    now = _reads(world)
    return {path: count - before.get(path, 0) for path, count in now.items() if count > before.get(path, 0)}


def _reads(world):
    return {f"{call['method']} {call['path']}": call["count"] for call in world.calls()["data"]}


def event(event_type, **obj):
    return StripeEvent(type=event_type, payload={"data": {"object": obj}})


@pytest.mark.parametrize(
    ("made", "request_"),
    [
        (event("charge.refunded", object="charge", id="ch_1"), fetch.charge_request("ch_1")),
        (event("charge.dispute.created", object="dispute", id="dp_1"), fetch.dispute_request("dp_1")),
        (event("refund.created", object="refund", id="re_1", charge="ch_1"), fetch.charge_request("ch_1")),
        (event("refund.created", object="refund", id="re_1", charge={"id": "ch_1"}), fetch.charge_request("ch_1")),
        (event("refund.created", object="refund", id="re_1", charge=None), None),
        (event("invoice.payment_failed", object="invoice", id="in_1"), fetch.invoice_request("in_1")),
        (event("invoice.paid", object="invoice", id="in_1"), None),
        (event("customer.updated", object="customer", id="cus_1"), None),
        (event("charge.refunded", object="charge", id="../v1/charges"), None),
        (event("charge.refunded", object="charge"), None),
    ],
)
def test_an_events_object_is_asked_for_where_the_subscriptions_do_not_bring_it(made, request_):
    assert applying._request_for(made) == request_


def test_the_invoice_paid_last_comes_with_its_subscription_and_those_before_are_asked_for():
    paid = [event("invoice.paid", object="invoice", id=f"in_{n}", created=n) for n in (3, 1, 2, 3)]
    odd = [event("invoice.paid", object="invoice", id="in_0", created="then"),
           event("invoice.paid", object="invoice", id="in 0", created=0),
           event("invoice.payment_failed", object="invoice", id="in_4", created=0)]  # fmt: skip
    assert applying._superseded([*paid, *odd]) == [fetch.invoice_request("in_1"), fetch.invoice_request("in_2")]
    assert applying._superseded(odd) == applying._superseded(paid[:1]) == []

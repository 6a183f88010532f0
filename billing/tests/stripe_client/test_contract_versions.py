"""Two API versions: the pinned one, and 2020-08-27, before periods, parents and payments were moved.

Of an older endpoint's events all that we conclude is the same; of an answer in another version nothing is concluded.
`objects_of_2020_08_27.json` holds objects of the fixtures that Stripe published in 2021 and 2022, while that was the
newest version, with its openapi description (MIT); without receipts' addresses, secrets and some nested nulls.
"""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from billing import payments, subscriptions, testing
from billing.events import worker
from billing.lifecycle import cancel, change, checkout, previews
from billing.models import CheckoutAttempt, Dispute, Hold, PaymentFailure, Refund, StripeEvent, Subscription
from billing.payments import refunds
from billing.stripe_client import client, fetch, fields
from billing.stripe_client.errors import StripeDiffers
from billing.tests.spy import watch_event_readers
from stripe_sandbox.http import shapes

PINNED = json.loads((Path(__file__).parents[3] / "stripe_sandbox" / "tests" / "published_objects.json").read_text())
OLD_VERSION = "2020-08-27"
OLD = json.loads((Path(__file__).parents[1] / "fixtures" / "objects_of_2020_08_27.json").read_text())
OLD["line_item"] = OLD["invoice"]["lines"]["data"][0]
OLD["subscription_item"] = OLD["subscription"]["items"]["data"][0]
OLD["price"] = OLD["subscription_item"]["price"]
# Asked for with `expand` alone, so they are on no published object.
EXPANDED = {"currency_options"}


def as_of_2020(found):
    """Return what Stripe shows now, with the names of the published objects of then, each value where it stood."""
    if isinstance(found, list):
        return [as_of_2020(each) for each in found]
    if not isinstance(found, dict):
        return found
    shown = {name: as_of_2020(value) for name, value in found.items()}
    kind = found.get("object")
    if not isinstance(kind, str) or kind not in OLD or found.get("deleted"):
        return shown
    published = OLD[kind].keys()
    kept = {name: value for name, value in shown.items() if name in published | EXPANDED}
    return {**dict.fromkeys(published), **kept, **MOVED.get(kind, lambda _: {})(found)}


def _period(subscription):
    item = subscription["items"]["data"][0]
    return {name: item[name] for name in ("current_period_start", "current_period_end")}


def _invoice(invoice):
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    paid_by = {"payment_intent": "pi_1", "charge": "ch_1"}
    return {"subscription": details.get("subscription"), "paid": invoice["status"] == "paid", **paid_by}


MOVED = {
    "subscription": _period,
    "invoice": _invoice,
    "line_item": lambda line: {"type": "subscription", "proration": False},
    "charge": lambda charge: {"invoice": "in_1"},
    "payment_intent": lambda intent: {"invoice": "in_1"},
}


def of_an_old_endpoint(events):
    return [{**as_of_2020(event), "api_version": OLD_VERSION} for event in events]


VERSIONS = pytest.mark.parametrize("shown", [list, of_an_old_endpoint], ids=["pinned", OLD_VERSION])


def test_the_two_versions_differ_where_it_hurts():
    gone = {"subscription": "current_period_end", "invoice": "subscription", "line_item": "proration"}
    for name, field in gone.items():
        assert field in OLD[name]
        assert field not in shapes.fields_of(shapes.class_of(name))


# Events


@pytest.mark.django_db
@VERSIONS
def test_a_customers_story_is_concluded_from_events_of_either_version(world, shown):
    ada = world.subscribe()
    world.deliver(shown(world.events()))
    assert CheckoutAttempt.objects.get().status == CheckoutAttempt.Status.COMPLETED
    row, paid = ada.row, ada.last_payment
    assert (row.status, row.plan.slug, row.current_period_end) == ("active", "pro", paid.period_end)
    assert (paid.subscription_id, paid.amount, paid.currency) == (ada.subscription, 2000, "usd")

    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver(shown(world.events()))
    failure = PaymentFailure.objects.get()
    assert (failure.subscription_id, failure.amount, failure.attempt) == (ada.subscription, 2000, 1)
    assert failure.next_attempt_at
    assert failure.decline_code
    assert ada.row.past_due_since
    assert world.said(ada).count("payment_failed") == 1

    world.pay(ada)
    world.deliver(shown(world.events()))
    assert (ada.row.status, ada.row.past_due_since) == ("active", None)
    assert "payment_recovered" in world.said(ada)

    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    world.deliver(shown(world.events()))
    assert ada.row.cancel_at == ada.row.current_period_end


@pytest.mark.django_db
@VERSIONS
def test_money_that_goes_back_is_traced_by_events_of_either_version(world, shown):
    ada = world.subscribed()
    world.refund(ada, amount=500)
    world.deliver(shown(world.events()))
    refund = Refund.objects.get()
    assert (refund.amount, refund.is_full, refund.invoice_id) == (500, False, ada.last_payment.invoice_id)

    dispute = world.dispute(ada)
    world.deliver(shown(world.events()))
    assert (Dispute.objects.get().invoice_id, ada.access.reason) == (ada.last_payment.invoice_id, "hold_dispute")
    world.close_dispute(dispute, "won")
    world.deliver(shown(world.events()))
    assert ada.access.has_access

    world.refund(ada)
    world.deliver(shown(world.events()))
    assert Refund.objects.filter(is_full=True).count() == 1
    assert Hold.objects.filter(kind=Hold.Kind.REFUND).exists()


@pytest.mark.django_db
@VERSIONS
def test_what_comes_before_its_payment_is_placed_from_events_of_either_version(world, shown):
    """A dispute names no customer, nor does its event say of which invoice the charge is: that is asked for."""
    ada = world.subscribe()
    world.dispute(ada)
    world.deliver(shown(reversed(world.events())))
    assert ada.access.reason == "hold_dispute"
    assert StripeEvent.objects.get(type="charge.dispute.created").lane == ada.customer


@pytest.fixture
def read_of_events(monkeypatch):
    """(object, path) of what is read of events' objects."""
    found = set()
    watch_event_readers(monkeypatch, found)
    return found


@pytest.mark.django_db
def test_of_an_event_only_that_is_read_which_both_versions_have(world, read_of_events):
    ada = world.subscribe()
    world.deliver()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.pay(ada)
    world.dispute(ada)
    world.refund(world.subscribe(email="ben@example.com"))
    world.deliver()
    read = {(name, path) for name, path in read_of_events if name in OLD and path not in placement_asks(name)}
    assert {("invoice", "amount_remaining"), ("refund", "charge")} <= read
    assert not {(name, path) for name, path in read if path not in OLD[name] or path not in PINNED[name]}


def placement_asks(name):
    """Return what `placement` asks of any object, to see whether it has it."""
    return {"customer", "payment", "payment_intent", "charge", "invoice"} - OLD[name].keys()


# Answers

LACKING = {
    "charge": "",
    "checkout.session": "checkout.session.invoice",
    "dispute": "",
    "invoice": "invoice.amount_overpaid",
    "line_item": "line_item.parent",
    "payment_intent": "payment_intent.latest_charge",
    "price": "",
    "refund": "",
    "subscription": "subscription.cancellation_details",
    "subscription_item": "subscription_item.current_period_end",
}


@pytest.mark.parametrize("name", OLD)
def test_a_published_object_of_then_is_taken_only_if_all_we_read_is_there(name):
    assert fields.lacking(OLD[name]) == LACKING[name]


@pytest.fixture
def then(monkeypatch):
    """Call it, and Stripe answers as it did then."""

    def begin():
        call = client._call
        monkeypatch.setattr(client, "_call", lambda *args: as_of_2020(call(*args)))

    return begin


ASKED = {
    "refresh": lambda ada: subscriptions.refresh(ada.row.customer),
    "invoice": lambda ada: fetch.invoice(ada.row.latest_invoice, ada.customer),
    "invoice payment": lambda ada: fetch.invoice_payment_of(ada.intent, ada.customer),
    "payment": lambda ada: payments.record_payment(ada.row.customer, ada.row.latest_invoice),
    "payment intent": lambda ada: fetch.payment_intent(ada.intent, ada.customer),
    "preview": lambda ada: previews.preview(ada.user, "team", "month"),
    "change": lambda ada: change.change(ada.user, "team", "month"),
    "cancel": lambda ada: cancel.cancel(ada.user, "now"),
    "refunds": lambda ada: refunds.record_refunds(ada.row.customer, ada.charge),
}


@pytest.mark.django_db
@pytest.mark.parametrize("asked", ASKED)
def test_an_answer_of_another_version_is_refused_by_field_and_setting(world, then, asked):
    ada = world.subscribed()
    charge = world.charge_of(ada)
    ada.charge, ada.intent = charge["id"], charge["payment_intent"]
    before = Subscription.objects.values().get()
    then()
    with pytest.raises(StripeDiffers, match=r"no (invoice|line_item|subscription|subscription_item|payment_intent)\.\w+"
                       r"(.|\n)*STRIPE_API_VERSION"):  # fmt: skip
        ASKED[asked](ada)
    assert Subscription.objects.values().get() == before


@pytest.mark.django_db
def test_nothing_is_sold_beside_a_subscription_of_another_version(world, then):
    ada = world.subscribe()
    then()
    with pytest.raises(StripeDiffers):
        checkout.start(ada.user, "team", "month")


@pytest.mark.django_db
def test_events_wait_and_commands_say_why_while_answers_are_of_another_version(world, then):
    ada = world.subscribed()
    before = Subscription.objects.values().get()
    world.stripe("POST", f"subscriptions/{ada.subscription}", cancel_at_period_end=True)
    event = world.events()[-1]
    then()
    with pytest.raises(CommandError, match="set STRIPE_API_VERSION to the version"):
        call_command("sync_stripe", "--customer", ada.customer)
    testing.deliver(event)
    worker.drain(ada.customer)
    waits = StripeEvent.objects.get(pk=event["id"])
    assert (waits.status, waits.attempts) == ("received", 0)
    assert "set STRIPE_API_VERSION to the version that the installed stripe package is built for" in waits.error_message
    assert Subscription.objects.values().get() == before

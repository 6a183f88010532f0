"""A forger with the webhook secret can say anything: what an event claims of a customer is checked at Stripe.

Eve is a subscriber who forges signed events; Ada is the victim, to whom nothing happens.
"""

import pytest

from billing import testing
from billing.events import parsing
from billing.lifecycle import checkout
from billing.models import (
    CheckoutAttempt,
    Customer,
    Dispute,
    Hold,
    InvoicePayment,
    Payment,
    PaymentFailure,
    Refund,
    StripeEvent,
    StripeWrite,
    Subscription,
)
from billing.stripe_client import fetch, readers

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

ROWS = (Payment, PaymentFailure, Refund, Dispute, Hold, InvoicePayment, CheckoutAttempt, StripeWrite)


def all_of(customer):
    """Every row about a customer, the subscription's times of asking apart."""
    rows = {model.__name__: list(model.objects.filter(customer=customer).values()) for model in ROWS[:-1]}
    rows["StripeWrite"] = list(StripeWrite.objects.filter(lane=customer).values())
    kept = [f.attname for f in Subscription._meta.concrete_fields if f.attname not in {"fetched_at", "updated_at"}]
    return rows | {"Subscription": list(Subscription.objects.filter(customer=customer).values(*kept))}


@pytest.fixture
def ada(world):
    ada = world.subscribed()
    ada.invoice, ada.charge = ada.row.latest_invoice, world.charge_of(ada)
    return ada


@pytest.fixture
def eve(world, ada):
    return world.subscribed(email="eve@example.com")


def forge(event_type, **obj):
    """Signed, taken at the door, and worked off; the event's row as it stands then."""
    event = testing.event(event_type, obj)
    assert testing.deliver(event).status_code == 200
    testing.work()
    return StripeEvent.objects.get(pk=event["id"])


def about_hers(world, ada, eve):
    """Return what Eve may say of Ada's objects: (type, object), each claimed for Eve."""
    invoice = world.stripe("GET", f"invoices/{ada.invoice}")
    dispute = world.control("disputes", charge=ada.charge["id"])
    world.delivered |= {event["id"] for event in world.events()}
    unpaid = {**invoice, "customer": eve.customer, "attempt_count": 1, "amount_remaining": 2000}
    charge = {**ada.charge, "customer": eve.customer}
    yield "invoice.paid", {**invoice, "customer": eve.customer}
    yield "invoice.payment_succeeded", {**invoice, "customer": eve.customer}
    yield "invoice.payment_failed", unpaid
    yield "invoice.payment_action_required", unpaid
    yield "invoice.finalization_failed", unpaid
    yield "charge.refunded", charge
    yield "charge.dispute.created", {**dispute, "customer": eve.customer}
    yield "refund.created", {"id": "re_1", "object": "refund", "customer": eve.customer, "charge": ada.charge["id"]}
    yield (
        "refund.created",
        {
            "id": "re_1",
            "object": "refund",
            "customer": eve.customer,
            "charge": None,
            "payment_intent": ada.charge["payment_intent"],
        },
    )
    link = {"id": "inpay_1", "object": "invoice_payment", "invoice": ada.invoice, "payment": {}}
    yield "invoice_payment.paid", {**link, "customer": eve.customer}
    warning = {"id": "issfr_1", "object": "radar.early_fraud_warning", "actionable": True, "charge": ada.charge["id"]}
    yield "radar.early_fraud_warning.created", {**warning, "customer": eve.customer}


def test_nothing_of_anothers_is_booked_for_who_claims_it(world, ada, eve):
    Payment.objects.filter(customer=ada.customer).delete()
    InvoicePayment.objects.filter(customer=ada.customer).delete()
    claims, hers, eves = list(about_hers(world, ada, eve)), all_of(ada.customer), all_of(eve.customer)
    for event_type, obj in claims:
        event = forge(event_type, **obj)
        assert event.status == "failed", event_type
        assert f"is of {ada.customer} at Stripe, not of {eve.customer}" in event.error_message, event_type
        assert all_of(ada.customer) == hers, event_type
        assert all_of(eve.customer) == eves, event_type
    assert ada.access.has_access
    assert eve.access.has_access


def test_what_is_theirs_is_booked_by_the_same_events(world, ada, eve):
    """The bound from the other side: an honest claim goes through."""
    Payment.objects.all().delete()
    assert forge("invoice.paid", **world.stripe("GET", f"invoices/{ada.invoice}")).status == "processed"
    assert Payment.objects.get().customer_id == ada.customer


def test_a_link_from_payment_to_invoice_cannot_be_given_to_another(world, ada, eve):
    link = InvoicePayment.objects.get(customer=ada.customer)
    hers = InvoicePayment.objects.filter(pk=link.pk).values().get()
    mine = {"id": link.pk, "object": "invoice_payment", "invoice": eve.row.latest_invoice, "status": "paid"}
    forge("invoice_payment.paid", **mine, customer=eve.customer, payment={"payment_intent": link.payment_intent})
    assert InvoicePayment.objects.filter(pk=link.pk).values().get() == hers


def test_an_event_that_others_led_astray_goes_to_its_owner(world, ada, eve):
    """Eve says first that Ada's invoice is hers: what names no customer itself is placed by what was told before."""
    Payment.objects.filter(customer=ada.customer).delete()
    InvoicePayment.objects.filter(customer=ada.customer).delete()
    StripeEvent.objects.filter(lane=ada.customer).delete()
    forge("invoice.paid", id=ada.invoice, object="invoice", customer=eve.customer, created=1)
    link = world.stripe("GET", "invoice_payments", invoice=ada.invoice)["data"][0]
    event = testing.event("invoice_payment.paid", link)
    testing.deliver(event)
    assert StripeEvent.objects.get(pk=event["id"]).lane == eve.customer
    testing.work()
    honest = StripeEvent.objects.get(pk=event["id"])
    assert (honest.lane, honest.status) == (ada.customer, "processed")
    assert InvoicePayment.objects.get(pk=link["id"]).customer_id == ada.customer


@pytest.mark.parametrize("status", ["expired", "complete"])
@pytest.mark.parametrize("claimed_for", ["ada", "eve"])
def test_an_open_checkout_is_closed_by_no_forged_event(world, eve, status, claimed_for):
    """Closed while its session is open, a second one could be bought beside it."""
    bob = world.sign_up("bob@example.com")
    attempt = checkout.start(bob, "pro", "month")
    whose = attempt.customer_id if claimed_for == "ada" else eve.customer
    forge("checkout.session.expired", id=attempt.session_id, object="checkout.session", customer=whose, status=status)
    attempt.refresh_from_db()
    assert attempt.status == "open"
    world.stripe("POST", f"checkout/sessions/{attempt.session_id}/expire")
    world.deliver()
    attempt.refresh_from_db()
    assert attempt.status == "expired"


def test_a_customer_is_deleted_only_if_stripe_says_so(world, ada, eve):
    before = all_of(ada.customer)
    assert forge("customer.deleted", id=ada.customer, object="customer", deleted=True).status == "processed"
    assert all_of(ada.customer) == before
    assert (ada.access.has_access, Customer.objects.get(pk=ada.customer).deleted_at) == (True, None)
    world.stripe("DELETE", f"customers/{ada.customer}")
    world.deliver()
    assert not ada.access.has_access
    assert eve.access.has_access


ODD_IDS = ["../../customers/cus_x", "in_1/void", "in_1?expand=x", "in_1#", "..", "in 1", "in_1%2f", "ін_1"]


@pytest.mark.parametrize("odd", ODD_IDS)
def test_an_id_leads_to_no_other_address_of_stripes(world, ada, odd, monkeypatch):
    """The door refuses it; and what an older release let in finds no address either."""
    before = world.calls()["data"]
    refused = testing.deliver(testing.event("invoice.paid", {"id": odd, "object": "invoice", "customer": ada.customer}))
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_id")
    monkeypatch.setattr(parsing, "_check_object", lambda *_: None)
    for event_type, kind in [
        ("invoice.paid", "invoice"),
        ("invoice.payment_failed", "invoice"),
        ("charge.refunded", "charge"),
        ("charge.dispute.created", "dispute"),
    ]:
        event = forge(event_type, id=odd, object=kind, customer=ada.customer, created=1, attempt_count=1)
        assert (event.status, event.error_message.partition(":")[0]) == ("failed", "NotAnId")
    asked = {call["path"] for call in world.calls()["data"]} - {call["path"] for call in before}
    assert asked <= {"/v1/subscriptions"}
    assert ada.access.has_access


@pytest.mark.parametrize("good", ["in_1", "I", "x" * 255])
def test_an_id_of_stripes_is_asked_for(good):
    assert fetch.invoice_request(good)[0] == f"/v1/invoices/{good}"


def test_the_owner_is_who_the_object_names_else_its_charge_or_invoice():
    assert readers.owner_of({"object": "customer", "id": "cus_1"}) == "cus_1"
    assert readers.owner_of({"object": "charge", "customer": {"id": "cus_2"}}) == "cus_2"
    assert readers.owner_of({"object": "dispute", "charge": {"customer": "cus_3"}}) == "cus_3"
    assert readers.owner_of({"object": "dispute", "charge": "ch_1"}) == ""
    assert readers.owner_of({"object": "charge", "customer": None}) == ""


def test_an_object_of_nobodys_is_no_customers(world, ada):
    with pytest.raises(fetch.NotTheirs, match="is of nobody at Stripe"):
        fetch._theirs({"object": "charge", "id": "ch_1", "customer": None}, ada.customer)

"""Facts about money: which period a payment paid for, whose a refund is, and what a failure says."""

from datetime import UTC, datetime, timedelta

import pytest

from billing import payments, stripe_client
from billing.models import Customer, InvoicePayment, Payment, PaymentFailure
from billing.payments import invoices, links

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 1, tzinfo=UTC)
END = datetime(2026, 6, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


@pytest.fixture
def ada(db):
    return Customer.objects.create(pk="cus_ada")


@pytest.fixture
def ben(db):
    return Customer.objects.create(pk="cus_ben")


def linked(customer, invoice_id, **columns):
    usual = {"payment_intent": f"pi_{invoice_id}", "charge": f"ch_{invoice_id}", "subscription_id": "sub_1"}
    return InvoicePayment.objects.create(
        pk=f"inpay_{invoice_id}", customer=customer, invoice_id=invoice_id, **{**usual, **columns}
    )


def test_the_link_of_a_payment_is_found_by_its_intent_then_by_its_charge(ada, ben):
    link, other = linked(ada, "in_1"), linked(ben, "in_2")
    assert payments.link_of(ada, "pi_in_1", "") == link
    assert payments.link_of(ada, "", "ch_in_1") == link
    assert payments.link_of(ben, "", "ch_in_2") == other
    assert payments.link_of(ada, "pi_in_1", "ch_in_2") == link, "the intent comes first"


def test_what_names_neither_is_nobodys_though_others_have_links_without_them(ada):
    linked(ada, "in_1", payment_intent="", charge="")
    assert payments.link_of(ada, "", "") is None
    assert payments.link_of(ada, "", "ch_unknown") is None


def line(start, end, kind="subscription_item_details", proration=False):
    parent = {"type": kind, "subscription_item_details": {"proration": proration}}
    return {"period": {"start": start, "end": end}, "parent": parent}


@pytest.mark.parametrize(
    ("lines", "period"),
    [
        ([], (None, None)),
        ([line(10, 20)], (10, 20)),
        ([line(10, 20), line(12, 30)], (10, 30)),
        ([line(10, 20), line(1, 99, proration=True)], (10, 20)),
        ([line(10, 20), line(1, 99, kind="invoice_item_details")], (10, 20)),
        ([line(10, 20), {"period": {"start": 1, "end": 99}, "parent": None}], (10, 20)),
        ([line(1, 99, proration=True)], (None, None)),
    ],
)
def test_the_period_of_a_receipt_spans_the_lines_that_bill_a_plan_without_proration(lines, period):
    assert invoices._receipt_period({"lines": {"data": lines, "has_more": False}}) == period


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, ""),
        ({}, ""),
        ({"code": "card_declined"}, "card_declined"),
        ({"code": "card_declined", "decline_code": "lost_card"}, "lost_card"),
        ({"code": "x" * 61}, "x" * 60),
    ],
)
def test_why_a_try_failed_is_the_banks_word_else_stripes(error, code):
    assert invoices._decline_code({"last_payment_error": error}) == code


def test_another_customer_is_told_nothing_of_a_failure_and_has_no_row_of_it(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    world.deliver()
    failure = PaymentFailure.objects.get()
    assert (failure.customer_id, failure.attempt, failure.amount, failure.is_action_required) == (
        ada.customer, 1, 2000, False,
    )  # fmt: skip
    assert "payment_failed" in world.said(ada)
    assert "payment_recovered" not in world.said(ben)
    assert [name for name in world.said(ben) if "fail" in name] == []
    world.heard.clear()
    world.pay(ada)
    world.deliver()
    assert {"payment_succeeded", "payment_recovered"} <= set(world.said(ada))
    assert world.said(ben) == []


def again(events, event_type):
    """The events of a type as Stripe would send them anew: with ids of their own."""
    found = [{**event, "id": f"{event['id']}again"} for event in events if event["type"] == event_type]
    assert found
    return found


def test_what_failed_once_is_told_once_however_often_stripe_says_so(world):
    ada = world.subscribed()
    world.change_card(ada, "pm_card_chargeCustomerFail")
    world.advance(days=32)
    events = world.events()
    world.deliver(events)
    assert world.said(ada).count("payment_failed") == PaymentFailure.objects.count() == 1
    world.heard.clear()
    world.deliver(again(events, "invoice.payment_failed"))
    assert (world.heard, PaymentFailure.objects.count()) == ([], 1)


def test_what_is_paid_is_told_once_however_often_stripe_says_so(world):
    ada = world.subscribe()
    events = world.events()
    world.deliver(events)
    assert world.said(ada).count("payment_succeeded") == Payment.objects.count() == 1
    world.heard.clear()
    world.deliver(again(events, "invoice.paid"))
    assert (world.heard, Payment.objects.count()) == ([], 1)


def test_each_payment_of_an_invoice_is_linked_and_an_invoice_without_payments_has_no_link(ada, ben):
    paid = {"amount_paid": None, "status_transitions": {"paid_at": None}}
    theirs = {"invoice": "in_1", "payment": {"payment_intent": {"id": "pi_1"}}, **paid}
    found = [{"id": "inpay_1", **theirs}, {"id": "inpay_2", **theirs, "payment": {"charge": "ch_2"}}]
    linked(ben, "in_ben")
    for payments_of_it in (None, {"data": []}):
        links.record(ada, {"id": "in_0", "payments": payments_of_it, "parent": None})
    assert not ada.invoice_payments.exists()
    links.record(ada, {"id": "in_1", "payments": {"data": found}, "parent": None})
    rows = InvoicePayment.objects.values_list("pk", "customer", "invoice_id", "payment_intent", "charge")
    assert sorted(rows) == [
        ("inpay_1", "cus_ada", "in_1", "pi_1", ""),
        ("inpay_2", "cus_ada", "in_1", "", "ch_2"),
        ("inpay_in_ben", "cus_ben", "in_ben", "pi_in_ben", "ch_in_ben"),
    ]


def test_a_payment_that_is_told_of_by_itself_is_linked_to_its_invoice_alone(world):
    ada, ben = world.subscribed(), world.subscribed(email="ben@example.com")
    InvoicePayment.objects.all().delete()
    paid = [event for event in world.sandbox.events() if event["type"] == "invoice_payment.paid"]
    mine = [event for event in paid if event["data"]["object"]["invoice"] == ada.last_payment.invoice_id]
    world.deliver([{**event, "id": f"{event['id']}again"} for event in mine])
    link = InvoicePayment.objects.get()
    assert (link.customer_id, link.invoice_id) == (ada.customer, ada.last_payment.invoice_id)
    assert (link.subscription_id, link.payment_intent) == (ada.subscription, world.charge_of(ada)["payment_intent"])
    assert ben.access.reason == "active"


@pytest.mark.parametrize(
    ("intents", "is_action_required", "code"),
    [
        ([], False, ""),
        ([("requires_action", None)], True, ""),
        ([("requires_payment_method", "lost_card")], False, "lost_card"),
        ([("canceled", None), ("requires_action", None)], True, ""),
        ([("canceled", None), ("requires_payment_method", "lost_card"), ("canceled", "old")], False, "lost_card"),
    ],
)
@pytest.mark.parametrize("is_last_try", [True, False])
def test_a_cardholder_is_waited_for_if_any_payment_is_and_a_code_is_of_the_last_try_alone(
    intents, is_action_required, code, is_last_try
):
    found = [{"status": status, "last_payment_error": error and {"decline_code": error}} for status, error in intents]
    payments = {"data": [{"payment": {"payment_intent": intent}} for intent in found]}
    columns = invoices._cause_columns({"attempt_count": 2}, {"attempt_count": 2 + (not is_last_try),
                                                             "payments": payments})  # fmt: skip
    card = {"card_brand": "", "card_last4": ""} if is_last_try else {}
    assert columns == {
        "is_action_required": is_action_required, "decline_code": code if is_last_try else "", "method": "", **card,
    }  # fmt: skip


@pytest.mark.parametrize(("attempts", "known"), [(2, ("visa", "0341")), (3, ("", ""))])
def test_the_card_that_failed_is_known_of_the_last_try_alone(attempts, known):
    card = {"type": "card", "card": {"brand": "visa", "last4": "0341"}}
    intent = {"status": "requires_payment_method", "last_payment_error": {"code": "x", "payment_method": card}}
    invoice = {"attempt_count": attempts, "payments": {"data": [{"payment": {"payment_intent": intent}}]}}
    columns = invoices._cause_columns({"attempt_count": 2}, invoice)
    assert (columns.get("card_brand", ""), columns.get("card_last4", "")) == known


@pytest.mark.parametrize("next_at", [None, 2000])
def test_what_only_the_event_tells_of_a_failure_is_kept_from_it(next_at):
    at_the_time = {"amount_remaining": 700, "next_payment_attempt": next_at}
    columns = invoices._failure_columns(at_the_time)
    assert columns == {"amount": 700, "next_attempt_at": invoices.from_timestamp(next_at)}


def test_each_column_of_a_payment_is_as_the_invoice_says(monkeypatch):
    invoice = {
        "amount_paid": 700, "currency": "eur", "billing_reason": None, "created": 1000,
        "status_transitions": {"paid_at": 1500}, "hosted_invoice_url": None, "invoice_pdf": None,
        "lines": {"data": [], "has_more": False}, "parent": {"subscription_details": {"subscription": "sub_1"}},
    }  # fmt: skip
    moment = invoices.from_timestamp
    assert invoices._payment_columns(invoice) == {
        "subscription_id": "sub_1", "amount": 700, "currency": "eur", "billing_reason": "", "period_start": None,
        "period_end": None, "invoiced_at": moment(1000), "paid_at": moment(1500), "hosted_invoice_url": "",
        "invoice_pdf": "",
    }  # fmt: skip
    known = {"billing_reason": "manual", "hosted_invoice_url": "https://i", "invoice_pdf": "https://p"}
    monkeypatch.setattr(invoices.clock, "now", lambda: moment(9))
    columns = invoices._payment_columns({**invoice, **known, "status_transitions": {"paid_at": None}})
    assert {name: columns[name] for name in known} == known
    assert columns["paid_at"] == moment(9)


def test_a_payment_is_recorded_with_its_link_and_a_bystanders_stays(world):
    ben = world.subscribed(email="ben@example.com")
    ada = world.subscribe()
    before = list(InvoicePayment.objects.values())
    with stripe_client.drain_reads():
        paid = invoices.fetch.subscriptions(ada.customer)[0]["latest_invoice"]["id"]
        payments.record_payment(Customer.objects.get(pk=ada.customer), paid)
    link = InvoicePayment.objects.get(customer=ada.customer)
    assert (link.invoice_id, link.subscription_id, bool(link.payment_intent)) == (paid, ada.subscription, True)
    assert list(InvoicePayment.objects.exclude(customer=ada.customer).values()) == before
    assert (ada.last_payment.invoice_id, ben.access.reason) == (paid, "active")

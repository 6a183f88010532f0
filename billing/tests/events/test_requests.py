"""A batch asks Stripe before its transaction for each object that its events need, and for none of odd events."""

from types import SimpleNamespace

import pytest

from billing.events import applying
from billing.stripe_client import fetch


def event(event_type, **obj):
    return SimpleNamespace(type=event_type, object=obj)


def paid(created, identifier, event_type="invoice.paid"):
    return event(event_type, object="invoice", created=created, id=identifier)


def test_all_but_the_latest_invoice_that_was_paid_are_asked_for_each_once():
    events = [paid(30, "in_3"), paid(10, "in_1"), paid(20, "in_2"), paid(10, "in_1")]
    assert applying._superseded(events) == [fetch.invoice_request("in_1"), fetch.invoice_request("in_2")]
    assert applying._superseded(events[:1]) == applying._superseded([]) == []


@pytest.mark.parametrize(
    "odd",
    [
        paid(5, None), paid(5, ""), paid(5, "in/../5"), paid(5, 5), event("invoice.paid", created=5),
        paid(None, "in_0"), paid("5", "in_0"), event("invoice.paid", id="in_0"),
        paid(5, "in_0", "invoice.payment_failed"),
    ],
)  # fmt: skip
def test_what_has_no_id_or_day_or_was_not_paid_is_no_invoice_to_ask_for(odd):
    assert applying._superseded([odd, paid(10, "in_1"), paid(20, "in_2")]) == [fetch.invoice_request("in_1")]


@pytest.mark.parametrize(
    ("one", "request_for"),
    [
        (event("charge.refunded", object="charge", id="ch_1"), fetch.charge_request("ch_1")),
        (event("charge.dispute.created", object="dispute", id="dp_1", charge="ch_1"), fetch.dispute_request("dp_1")),
        (event("refund.created", object="refund", id="re_1", charge="ch_1"), fetch.charge_request("ch_1")),
        (event("refund.created", object="refund", id="re_1", charge={"id": "ch_2"}), fetch.charge_request("ch_2")),
        (event("refund.created", object="refund", id="re_1", charge=None), None),
        (paid(1, "in_1", "invoice.payment_failed"), fetch.invoice_request("in_1")),
        (paid(1, "in_1", "invoice.payment_action_required"), fetch.invoice_request("in_1")),
        (paid(1, "in_1"), None),
        (paid(1, "in_1", "invoice.created"), None),
        (event("customer.updated", object="customer", id="cus_1"), None),
        (event("charge.refunded", object="charge", id="../odd"), None),
        (event("charge.refunded", object="charge"), None),
        (event("charge.refunded", id="ch_1"), None),
    ],
)
def test_the_object_that_the_customers_subscriptions_do_not_bring_is_asked_for(one, request_for):
    assert applying._request_for(one) == request_for

"""Readers of Stripe's objects, over what Stripe leaves out, sends as null, as an id or expanded."""

import pytest

from billing.stripe_client import readers

ENDLESS = {"ended_at": None, "cancel_at": None, "cancel_at_period_end": False}
ITEM = {"current_period_end": 2_000}


@pytest.mark.parametrize(
    ("invoice", "found"),
    [
        ({}, ""),
        ({"parent": None}, ""),
        ({"parent": {"subscription_details": None}}, ""),
        ({"parent": {"subscription_details": {"subscription": "sub_1"}}}, "sub_1"),
        ({"parent": {"subscription_details": {"subscription": {"id": "sub_2"}}}}, "sub_2"),
    ],
)
def test_the_subscription_of_an_invoice_is_its_parents(invoice, found):
    assert readers.subscription_of(invoice) == found


def test_only_expanded_payment_intents_of_an_invoice_are_read():
    expanded = {"id": "pi_1"}
    links = [{"payment": {"payment_intent": expanded}}, {"payment": {"payment_intent": "pi_2"}}, {"payment": {}}]
    assert readers.payment_intents_of({"payments": {"data": links}}) == [expanded]
    assert readers.payment_intents_of({"payments": None}) == readers.payments_of({}) == []


@pytest.mark.parametrize(("item", "quantity"), [({}, 1), ({"quantity": None}, 1), ({"quantity": 3}, 3)])
def test_an_item_without_a_quantity_bills_its_price_once(item, quantity):
    assert readers.quantity_of(item) == quantity


@pytest.mark.parametrize(
    ("said", "ends_at"),
    [
        ({}, None),
        ({"cancel_at_period_end": True}, 2_000),
        ({"cancel_at": 1_500}, 1_500),
        ({"cancel_at": 1_500, "cancel_at_period_end": True}, 1_500),
        ({"cancel_at": 1_500, "ended_at": 1_400}, None),
    ],
)
def test_a_cancellation_is_scheduled_by_either_field_until_the_subscription_has_ended(said, ends_at):
    assert readers.cancel_at_of({**ENDLESS, **said}, ITEM) == ends_at
    assert readers.is_cancellation_scheduled({**ENDLESS, **said}) == (ends_at is not None or "ended_at" in said)


def test_a_schedule_that_has_not_begun_has_no_phase_under_way():
    assert readers.phase_start_of({"current_phase": None}) == 0
    assert readers.phase_start_of({"current_phase": {"start_date": 1_000}}) == 1_000


@pytest.mark.parametrize("customer", [{"id": "cus_1", "deleted": True}, {"invoice_settings": None}])
def test_a_deleted_customer_is_charged_by_nothing(customer):
    assert readers.default_payment_method_of(customer) is None


@pytest.mark.parametrize(
    ("payments", "found"), [(None, []), ({"data": []}, []), ({"data": [{"id": "inpay_1"}]}, [{"id": "inpay_1"}])]
)
def test_the_payments_of_an_invoice_are_none_or_all_that_stripe_sends(payments, found):
    assert readers.payments_of({"payments": payments}) == found


@pytest.mark.parametrize(
    ("read", "name"), [(readers.metadata_of, "metadata"), (readers.payment_error_of, "last_payment_error")]
)
def test_metadata_and_a_payments_error_are_empty_where_stripe_has_none(read, name):
    assert read({}) == read({name: None}) == {}
    assert read({name: {"code": "card_declined"}}) == {"code": "card_declined"}

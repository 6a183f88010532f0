"""The details that there are go to the customer's own address at Stripe, once by each key; refused ones are told."""

from types import SimpleNamespace

import pytest
import stripe

from billing.lanes import standing_writes
from billing.lifecycle import send_details, update_customer
from billing.models import Customer, StripeWrite

ROWS = [StripeWrite(pk="7", attempts=2)]


@pytest.fixture
def ada(monkeypatch):
    """The customer of the rows, and the details that the project has of them."""
    ada = SimpleNamespace(customer=Customer(pk="cus_ada"), details={})
    monkeypatch.setattr(standing_writes, "customer_of", lambda rows: ada.customer if rows is ROWS else None)
    monkeypatch.setattr(update_customer.customer_details, "details_of", lambda subscriber: ada.details)
    return ada


@pytest.fixture(autouse=True)
def calls(monkeypatch):
    made = Calls()

    def post(path, idempotency_key, **params):
        if made.fails:
            raise made.fails
        made.append((path, idempotency_key, params))

    def write_tax_ids(customer, wanted, key):
        made.append((customer, key, wanted))
        return made.refused

    monkeypatch.setattr("billing.stripe_client.post", post)
    monkeypatch.setattr(send_details, "write_tax_ids", write_tax_ids)
    return made


class Calls(list):
    fails: Exception | None = None

    def __init__(self):
        self.refused = {}


def test_details_are_sent_and_empty_ones_cleared_but_not_what_only_a_new_customer_takes(ada, calls):
    ada.details = {"name": "Ada", "phone": None, "payment_method": "pm_1"}
    update_customer.write_details(ROWS)
    ((path, key, params),) = calls
    assert (path, params) == ("/v1/customers/cus_ada", {"name": "Ada", "phone": ""})
    assert key.startswith("7:2:")
    assert len(key) == len("7:2:") + 12


def test_the_key_is_that_of_the_details_in_any_order_and_of_any_kind(ada, calls):
    for details in ({"name": "Ada", "x": SimpleNamespace(a=1)}, {"x": SimpleNamespace(a=1), "name": "Ada"},
                    {"name": "Bea", "x": SimpleNamespace(a=1)}):  # fmt: skip
        ada.details = details
        update_customer.write_details(ROWS)
    keys = [key for _, key, _ in calls]
    assert keys[0] == keys[1] != keys[2]


def test_tax_ids_have_an_address_of_their_own(ada, calls):
    ada.details = {"tax_id_data": [{"type": "eu_vat", "value": "DE1"}]}
    update_customer.write_details(ROWS)
    assert calls == [("cus_ada", "7:2", [{"type": "eu_vat", "value": "DE1"}])]


@pytest.mark.parametrize("details", [{}, {"tax_id_data": []}, {"tax_id_data": None}])
def test_where_there_is_nothing_to_say_nothing_is_sent(ada, calls, details):
    ada.details = details
    update_customer.write_details(ROWS)
    assert calls == []


def test_nothing_is_sent_for_a_customer_of_nobody(ada, calls):
    ada.customer, ada.details = None, {"name": "Ada"}
    update_customer.write_details(ROWS)
    assert calls == []


def test_what_stripe_refuses_is_told_once_the_rest_is_written(ada, calls):
    ada.details = {"name": "Ada", "tax_id_data": [{"type": "eu_vat", "value": "odd"}]}
    calls.refused = {"tax_id_data": "Invalid"}
    with pytest.raises(standing_writes.GivenUp, match="tax_id_data: Invalid"):
        update_customer.write_details(ROWS)
    assert [call[0] for call in calls] == ["/v1/customers/cus_ada", "cus_ada"]


def test_a_detail_that_is_refused_alone_leaves_nothing_to_send(ada, calls):
    ada.details = {"name": "Ada"}
    calls.fails = stripe.InvalidRequestError("Too long", "name")
    with pytest.raises(standing_writes.GivenUp, match="name: Too long"):
        update_customer.write_details(ROWS)
    assert calls == []


@pytest.mark.parametrize(("code", "is_raised"), [("resource_missing", False), ("rate_limit", True), (None, True)])
def test_a_customer_that_is_gone_at_stripe_is_no_error_and_all_else_is(ada, calls, code, is_raised):
    ada.details = {"name": "Ada"}
    calls.fails = stripe.InvalidRequestError("No", "id", code=code)
    if not is_raised:
        update_customer.write_details(ROWS)
        return
    with pytest.raises(stripe.InvalidRequestError):
        update_customer.write_details(ROWS)

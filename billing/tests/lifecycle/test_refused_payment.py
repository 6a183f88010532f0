"""A subscription whose first payment was refused is ended; where the payment may still come, none is."""

import pytest

from billing.lifecycle import refused_payment
from billing.lifecycle.refusals import AlreadySubscribed
from billing.models import Customer
from billing.stripe_client import fetch

ADA = Customer(pk="cus_ada")


@pytest.fixture
def stands(monkeypatch):
    """How the payment intents of an invoice stand, by its id."""
    found = {}

    def invoice(name, customer):
        assert customer == "cus_ada"
        intents = [{"payment": {"payment_intent": {"status": status}}} for status in found[name]]
        return {"payments": {"data": intents}}

    monkeypatch.setattr(fetch, "invoice", invoice)
    monkeypatch.setattr("billing.stripe_client.get", lambda path: incomplete(path.removeprefix("/v1/subscriptions/")))
    return found


@pytest.fixture
def ended(monkeypatch):
    calls = []
    delete = lambda path, idempotency_key: calls.append((path, idempotency_key))  # noqa: E731
    monkeypatch.setattr("billing.stripe_client.delete", delete)
    return calls


def incomplete(name, status="incomplete"):
    return {"id": name, "status": status, "latest_invoice": {"id": f"in_{name}"}}


REFUSED = ["requires_payment_method"]


@pytest.mark.parametrize(
    ("statuses", "is_refused"),
    [(REFUSED, True), (REFUSED * 2, True), ([], False), (["processing"], False), ([*REFUSED, "succeeded"], False)],
)
def test_a_payment_is_refused_where_nothing_else_waits(stands, statuses, is_refused):
    stands["in_sub_1"] = statuses
    assert refused_payment.is_refused(ADA, "sub_1") is is_refused


def test_what_was_refused_is_ended_each_by_its_key(stands, ended):
    stands.update(in_sub_1=REFUSED, in_sub_2=REFUSED)
    refused_payment.end(ADA, [incomplete("sub_1"), incomplete("sub_2")])
    assert ended == [(f"/v1/subscriptions/sub_{n}", f"refused:sub_{n}") for n in (1, 2)]


@pytest.mark.parametrize(
    ("status", "statuses", "is_on_its_way"),
    [
        ("active", REFUSED, False),
        ("incomplete", ["processing"], True),
        ("incomplete", [*REFUSED, "processing"], True),
        ("incomplete", ["requires_action"], False),
        ("incomplete", [], False),
    ],
)
def test_where_one_may_still_be_paid_none_is_ended(stands, ended, status, statuses, is_on_its_way):
    stands.update(in_sub_1=REFUSED, in_sub_2=statuses)
    with pytest.raises(AlreadySubscribed) as refusal:
        refused_payment.end(ADA, [incomplete("sub_1"), incomplete("sub_2", status)])
    assert (str(refusal.value) == str(refused_payment.ON_ITS_WAY), ended) == (is_on_its_way, [])

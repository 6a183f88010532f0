"""A payment is given back charge by charge, at most what is left of it; what others paid is not touched."""

from datetime import timedelta

import pytest

from billing import clock
from billing.models import Customer, InvoicePayment, Payment
from billing.payments import giving_back
from billing.payments.giving_back import Part
from billing.stripe_client import fetch

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment():
    now = clock.now()
    ada, ben = Customer.objects.create(pk="cus_ada"), Customer.objects.create(pk="cus_ben")
    links = [  # id, invoice, intent, whose, paid so many seconds ago
        ("1", "in_1", "pi_old", ada, 9), ("2", "in_1", "pi_new", ada, 1), ("3", "in_1", "", ada, 0),
        ("4", "in_2", "pi_else", ada, 0), ("5", "in_1", "pi_ben", ben, 0), ("0", "in_1", "pi_none", ada, 5),
    ]  # fmt: skip
    for name, invoice, intent, whose, ago in links:
        InvoicePayment.objects.create(pk=f"inpay_{name}", invoice_id=invoice, payment_intent=intent, customer=whose,
                                      paid_at=now - ago * timedelta(seconds=1))  # fmt: skip
    return Payment(customer=ada, invoice_id="in_1")


REFUNDS = {
    "ch_old": [{"amount": 100, "status": "succeeded"}, {"amount": 50, "status": "pending"},
               {"amount": 900, "status": "failed"}, {"amount": 900, "status": "canceled"}],
    "ch_new": [{"amount": 700, "status": "succeeded"}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def at_stripe(monkeypatch):
    """Each intent but one has a charge of 600, of which some was given back."""

    def intent(name, customer):
        assert name, "what was paid outside of Stripe is not asked for"
        assert customer == "cus_ada"
        return {"latest_charge": None if name == "pi_none" else name.replace("pi_", "ch_")}

    def charge(name, customer):
        assert customer == "cus_ada"
        return {"id": name, "amount_captured": 600}

    monkeypatch.setattr(fetch, "payment_intent", intent)
    monkeypatch.setattr(fetch, "charge", charge)
    monkeypatch.setattr(fetch, "refunds", lambda charge: REFUNDS[charge["id"]])


@pytest.fixture
def written(monkeypatch):
    calls = []

    def post(path, idempotency_key, **params):
        calls.append((path, idempotency_key, params))
        return {"id": f"re_{len(calls)}"}

    monkeypatch.setattr("billing.stripe_client.post", post)
    return calls


def test_the_charges_of_an_invoice_are_its_parts_the_newest_first_with_what_is_left(payment):
    parts = giving_back.parts_of(payment.customer, payment)
    assert parts == [Part("pi_new", "ch_new", 0), Part("pi_old", "ch_old", 450)]
    assert giving_back.left_of(parts) == 450
    assert giving_back.left_of([*parts, Part("pi", "ch", 7)]) == 457


PARTS = [Part("pi_a", "ch_a", 300), Part("pi_none", "ch_none", 0), Part("pi_b", "ch_b", 200)]


@pytest.mark.parametrize(
    ("amount", "shares"),
    [(1, [1]), (300, [300]), (301, [300, 1]), (500, [300, 200]), (501, [300, 200]), (0, []), (-1, [])],
)
def test_it_is_given_back_from_one_part_after_the_other_by_a_key_of_each(written, amount, shares):
    made = giving_back.give_back(PARTS, amount, "key")
    said = {"reason": "requested_by_customer"}
    assert written == [
        ("/v1/refunds", f"key:ch_{name}", {"payment_intent": f"pi_{name}", "amount": share, **said})
        for name, share in zip("ab", shares, strict=False)
    ]
    assert made == [f"re_{number + 1}" for number in range(len(shares))]


def test_the_refunds_of_each_charge_of_the_payment_are_recorded(payment, monkeypatch):
    recorded = []
    monkeypatch.setattr(giving_back.refunds, "record_refunds", lambda customer, charge: recorded.append(charge))
    giving_back.record(payment.customer, payment)
    assert recorded == ["ch_old", "ch_new"]

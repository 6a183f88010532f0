"""An event belongs to the lane of its own customer, of a payment we know of, or of nobody yet."""

import pytest
from django.utils import timezone

from billing.events import ledger, placement
from billing.models import Customer, InvoicePayment, Payment, StripeEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def known():
    """Ada's and Ben's payments, an invoice of Eve's without its link, and an event that waits and names Fay."""
    for name in ("ada", "ben"):
        customer = Customer.objects.create(pk=f"cus_{name}")
        InvoicePayment.objects.create(
            pk=f"inpay_{name}", customer=customer, invoice_id=f"in_{name}", payment_intent=f"pi_{name}",
            charge=f"ch_{name}",
        )  # fmt: skip
    Payment.objects.create(
        invoice_id="in_eve", customer=Customer.objects.create(pk="cus_eve"), amount=1, currency="usd",
        invoiced_at=timezone.now(), paid_at=timezone.now(),
    )  # fmt: skip
    told("evt_1", "in_fay", "cus_fay")
    told("evt_2", "in_nobody", "pi_other")


def told(pk, object_id, lane):
    StripeEvent.objects.create(
        pk=pk, type="invoice.paid", status="received", created=1, livemode=False, received_at=timezone.now(),
        payload={}, object_id=object_id, lane=lane,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("obj", "lane"),
    [
        ({"object": "customer", "id": "cus_1"}, "cus_1"),
        ({"object": "customer", "id": None}, "a.type"),
        ({"object": "invoice", "id": "in_1", "customer": "cus_1"}, "cus_1"),
        ({"object": "invoice", "id": "in_1", "customer": {"id": "cus_2"}}, "cus_2"),
        ({"object": "coupon", "id": "co_1"}, "co_1"),
        ({"object": "coupon"}, "a.type"),
        ({"object": "price", "id": "price_1"}, "catalogue"),
        ({"object": "product", "customer": "cus_1"}, "catalogue"),
        ({"object": "dispute", "id": "dp_1", "payment_intent": "pi_ada"}, "cus_ada"),
        ({"object": "dispute", "id": "dp_1", "payment_intent": "pi_ben", "charge": None}, "cus_ben"),
        ({"object": "refund", "id": "re_1", "charge": "ch_ben"}, "cus_ben"),
        ({"object": "refund", "id": "re_1", "charge": {"id": "ch_ada"}}, "cus_ada"),
        ({"object": "invoice_payment", "id": "inpay_9", "invoice": "in_eve"}, "cus_eve"),
        ({"object": "invoice_payment", "id": "inpay_9", "invoice": "in_fay"}, "cus_fay"),
        ({"object": "invoice_payment", "id": "inpay_9", "payment": {"payment_intent": "pi_ada"}}, "cus_ada"),
        ({"object": "invoice_payment", "id": "inpay_9", "payment": "x", "invoice": "in_ben"}, "cus_ben"),
        ({"object": "invoice_payment", "id": "inpay_9", "invoice": "in_nobody"}, "in_nobody"),
        ({"object": "dispute", "id": "dp_1", "payment_intent": "pi_new", "charge": "ch_new"}, "pi_new"),
        ({"object": "dispute", "id": "dp_1", "charge": "ch_new"}, "ch_new"),
        ({"object": "dispute", "id": "dp_1"}, "a.type"),
        ({"object": "invoice", "id": "in_ada"}, "in_ada"),
    ],
)
def test_an_object_leads_to_its_customers_lane_or_waits_on_its_payments(obj, lane):
    assert ledger.lane_of("a.type", obj, {}) == lane


def test_who_the_customer_was_before_counts_where_it_is_no_more():
    assert ledger.lane_of("a.type", {"object": "payment_method", "id": "pm_1"}, {"customer": "cus_1"}) == "cus_1"
    both = {"object": "payment_method", "id": "pm_1", "customer": "cus_2"}
    assert ledger.lane_of("a.type", both, {"customer": "cus_1"}) == "cus_2"


@pytest.fixture
def asked(monkeypatch):
    """Stripe's answers about what we do not know, and what it was asked."""
    calls = []
    answers = {
        "charge": {"ch_linked": {"payment_intent": "pi_linked"}, "ch_alone": {"customer": "cus_alone"}, "ch_none": {}},
        "invoice_payment_of": {"pi_linked": {"invoice": {"customer": "cus_linked"}}},
        "payment_intent": {"pi_plain": {"customer": "cus_plain"}, "pi_none": {}},
        "invoice": {"in_new": {"customer": "cus_new"}, "in_none": {}},
    }

    def answer(name):
        def ask(key, customer):
            assert customer is None, "whose it is, is the very question"
            calls.append((name, key))
            return answers[name].get(key)

        return ask

    for name in answers:
        monkeypatch.setattr(placement.fetch, name, answer(name))
    return calls


@pytest.mark.parametrize(
    ("names", "customer", "calls"),
    [
        ({"payment_intent": "pi_ada"}, "cus_ada", []),
        ({"charge": "ch_linked"}, "cus_linked", ["charge", "invoice_payment_of"]),
        ({"charge": "ch_alone"}, "cus_alone", ["charge"]),
        ({"charge": "ch_none"}, None, ["charge"]),
        ({"payment_intent": "pi_linked", "charge": "ch_alone"}, "cus_linked", ["invoice_payment_of"]),
        ({"payment_intent": "pi_plain"}, "cus_plain", ["invoice_payment_of", "payment_intent"]),
        ({"payment_intent": "pi_none"}, None, ["invoice_payment_of", "payment_intent"]),
        ({"invoice": "in_new"}, "cus_new", ["invoice"]),
        ({"invoice": "in_none"}, None, ["invoice"]),
        ({}, None, []),
    ],
)
def test_what_we_do_not_know_is_asked_of_stripe_by_the_shortest_way(asked, names, customer, calls):
    assert placement.resolve("pi_or_so", {"object": "dispute", **names}) == customer
    assert [name for name, _ in asked] == calls


def test_nobody_is_asked_about_what_names_its_customer_or_waits_on_a_customers_lane(asked):
    assert placement.resolve("in_1", {"object": "invoice", "payment_intent": "pi_plain"}) is None
    assert placement.resolve("cus_1", {"object": "dispute", "payment_intent": "pi_plain"}) is None
    assert placement.resolve("cus_1", {"object": "dispute", "payment_intent": "pi_ben"}) == "cus_ben"
    assert asked == []

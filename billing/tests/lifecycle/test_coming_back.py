"""A buyer who comes back from Checkout is told how it stands, and their purchase is refreshed and recorded."""

from types import SimpleNamespace

import pytest

from billing import cause, payments, subscriptions
from billing.lifecycle import attempts, coming_back, refused_payment
from billing.models import CheckoutAttempt, Customer, Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt():
    Customer.objects.create(pk="cus_ben")
    customer = Customer.objects.create(pk="cus_ada")
    return CheckoutAttempt(customer=customer, session_id="cs_1")


@pytest.fixture
def at_stripe(monkeypatch):
    """The session as Stripe has it, the row that its subscription becomes, and what was done with both."""
    session = {"id": "cs_1", "status": "complete", "payment_status": "paid", "invoice": "in_1", "subscription": "sub_1"}
    seen = SimpleNamespace(session=session, status="active", is_refused=False, done=[], unknown=[])

    def is_known(what, value, known, name):
        seen.unknown += [] if value in known else [(what, value, name)]
        return value in known

    def row_for(customer, name):
        assert (customer.pk, name) == ("cus_ada", "sub_1")
        return Subscription(stripe_id=name, status=seen.status)

    did = lambda what: lambda *args: seen.done.append((what, *(getattr(each, "pk", each) for each in args)))  # noqa: E731
    monkeypatch.setattr("billing.stripe_client.get", lambda path: path.endswith("/sessions/cs_1") and session)
    monkeypatch.setattr(attempts, "close_attempt", lambda found: seen.done.append(("closed", found["id"])))
    monkeypatch.setattr(coming_back.unknown_values, "is_known", is_known)
    monkeypatch.setattr(subscriptions, "refresh_rows", did("refreshed"))
    monkeypatch.setattr(subscriptions, "row_for", row_for)
    monkeypatch.setattr(
        payments, "record_payment", lambda customer, invoice: seen.done.append(("paid", invoice, cause.current()))
    )
    monkeypatch.setattr(refused_payment, "is_refused", lambda customer, name: seen.is_refused and name == "sub_1")
    return seen


CLOSED, REFRESHED, PAID = ("closed", "cs_1"), ("refreshed", "cus_ada"), ("paid", "in_1", "return page")


@pytest.mark.parametrize(
    ("session", "row", "outcome", "done"),
    [
        ({}, {}, "paid", [CLOSED, REFRESHED, PAID]),
        ({"invoice": {"id": "in_1"}}, {}, "paid", [CLOSED, REFRESHED, PAID]),
        ({"payment_status": "no_payment_required", "invoice": None}, {}, "paid", [CLOSED, REFRESHED]),
        ({"payment_status": "unpaid"}, {}, "processing", [CLOSED, REFRESHED]),
        ({"payment_status": "unpaid"}, {"status": "canceled"}, "failed", [CLOSED, REFRESHED]),
        ({"payment_status": "unpaid"}, {"status": "incomplete"}, "processing", [CLOSED, REFRESHED]),
        ({"payment_status": "unpaid"}, {"status": "incomplete", "is_refused": True}, "failed", [CLOSED, REFRESHED]),
        ({"payment_status": "unpaid"}, {"is_refused": True}, "processing", [CLOSED, REFRESHED]),
        ({"status": "open"}, {}, "open", [CLOSED]),
        ({"status": "expired"}, {}, "expired", [CLOSED]),
    ],
)
def test_a_checkout_stands_as_stripe_says(attempt, at_stripe, session, row, outcome, done):
    at_stripe.session.update(session)
    vars(at_stripe).update(row)
    assert coming_back.refresh_outcome(attempt) == outcome
    assert (at_stripe.done, at_stripe.unknown) == (done, [])


def test_what_nobody_knows_is_told_and_waits(attempt, at_stripe):
    at_stripe.session["payment_status"] = "odd"
    assert coming_back.refresh_outcome(attempt) == "processing"
    at_stripe.session["status"] = "new"
    assert coming_back.refresh_outcome(attempt) == "processing"
    assert at_stripe.unknown == [
        ("checkout.session.payment_status", "odd", "cs_1"), ("checkout.session.status", "new", "cs_1")]  # fmt: skip

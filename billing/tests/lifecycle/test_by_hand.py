"""Staff's steps by hand ask Stripe with these parameters, each by its key, and about that customer alone."""

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from billing import stripe_account
from billing.lifecycle import by_hand
from billing.lifecycle.refusals import AccountClosing
from billing.models import AccountDeletion, Customer, Invoice
from billing.stripe_client import fetch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def written(monkeypatch):
    calls = []

    def post(path, idempotency_key, **params):
        calls.append((path, idempotency_key, params))
        return {"id": f"new_{len(calls)}"}

    monkeypatch.setattr("billing.stripe_client.post", post)
    return calls


@pytest.mark.parametrize(("at_stripe", "here"), [("usd", ""), ("usd", "eur"), (None, "usd"), (None, "")])
def test_a_credit_lowers_the_balance_in_its_currency(written, monkeypatch, at_stripe, here):
    monkeypatch.setattr(fetch, "customer", lambda name: {"currency": at_stripe})
    made = by_hand.credit(Customer(pk="cus_1", currency=here), 500, "usd", "Sorry", "key")
    params = {"amount": -500, "currency": "usd", "description": "Sorry"}
    assert (made, written) == ("new_1", [("/v1/customers/cus_1/balance_transactions", "key", params)])


@pytest.mark.parametrize(("at_stripe", "here"), [("eur", "usd"), ("eur", ""), (None, "eur")])
def test_a_balance_in_another_currency_is_not_touched(written, monkeypatch, at_stripe, here):
    monkeypatch.setattr(fetch, "customer", lambda name: {"currency": at_stripe})
    with pytest.raises(by_hand.WrongCurrency, match="balance in EUR"):
        by_hand.credit(Customer(pk="cus_1", currency=here), 500, "usd", "Sorry", "key")
    assert written == []


def test_an_invoice_is_a_draft_its_line_and_its_sending(written):
    assert by_hand.invoice_once(Customer(pk="cus_1"), 900, "usd", "A workshop", 14, "key") == "new_1"
    draft = {
        "customer": "cus_1", "currency": "usd", "collection_method": "send_invoice", "days_until_due": 14,
        "pending_invoice_items_behavior": "exclude", "auto_advance": False,
    }  # fmt: skip
    line = {"customer": "cus_1", "invoice": "new_1", "amount": 900, "currency": "usd", "description": "A workshop"}
    assert written == [
        ("/v1/invoices", "key:invoice", draft),
        ("/v1/invoiceitems", "key:item", line),
        ("/v1/invoices/new_1/send", "key:send", {}),
    ]


def test_an_open_invoice_is_mailed_again(written):
    by_hand.send_again(Invoice(pk="in_1"), "key")
    assert written == [("/v1/invoices/in_1/send", "key", {})]


# A second customer


@pytest.fixture
def ada():
    return get_user_model().objects.create_user("ada@example.com", "correct-horse-battery")


@pytest.fixture(autouse=True)
def seen(monkeypatch):
    """This returns the customers that were looked at after they were linked."""
    done = []
    refresh = lambda customer: done.append(("refreshed", customer.pk, customer.subscriber.email))  # noqa: E731
    monkeypatch.setattr(by_hand.subscriptions, "refresh", refresh)
    monkeypatch.setattr(by_hand.paying_twice, "alert_linked", lambda whose: done.append(("alerted", *whose)))
    Customer.objects.create(pk="cus_free")
    return done


def test_a_customer_of_nobody_becomes_the_subscribers_at_stripe_and_here(ada, written, seen):
    other = Customer.objects.create(pk="cus_2")
    by_hand.link(ada, "cus_2")
    key = str(ada.pk)
    assert written == [("/v1/customers/cus_2", f"link:cus_2:{key}", {"metadata": {by_hand.METADATA_KEY: key}})]
    other.refresh_from_db()
    assert (other.subscriber, Customer.objects.get(pk="cus_free").subscriber) == (ada, None)
    assert seen == [("alerted", "cus_2"), ("refreshed", "cus_2", "ada@example.com")]


@pytest.mark.parametrize(
    "gone", [{"deleted_at": timezone.now()}, {"missing_since": timezone.now()}, "owned", "unknown"]
)
def test_what_is_somebodys_or_gone_is_not_linked(ada, written, seen, gone):
    if gone == "owned":
        Customer.objects.create(pk="cus_2", subscriber=get_user_model().objects.create_user("ben@example.com"))
    elif gone != "unknown":
        Customer.objects.create(pk="cus_2", **gone)
    assert by_hand.linkable("cus_2") is None
    with pytest.raises(by_hand.CannotLink):
        by_hand.link(ada, "cus_2")
    assert (written, seen) == ([], [])


def test_who_is_leaving_and_what_is_of_another_account_are_refused(ada, written, seen):
    Customer.objects.create(pk="cus_2", livemode=True)
    with pytest.raises(stripe_account.OfAnotherAccount):
        by_hand.link(ada, "cus_2")
    AccountDeletion.objects.create(subscriber=ada, requested_at=timezone.now())
    with pytest.raises(AccountClosing):
        by_hand.link(ada, "cus_free")
    assert (written, seen) == ([], [])


def test_what_somebody_else_linked_meanwhile_stays_theirs(ada, seen):
    ben = get_user_model().objects.create_user("ben@example.com")
    Customer.objects.create(pk="cus_2", subscriber=ben)
    with pytest.raises(by_hand.CannotLink):
        by_hand._link(ada, "cus_2")
    assert (Customer.objects.get(pk="cus_2").subscriber, seen) == (ben, [])

"""A subscriber's customer is found, or made once at Stripe; what is another's is neither taken nor told."""

import re

import pytest
import stripe
from django.contrib.auth import get_user_model
from django.utils import timezone

from billing import stripe_account
from billing.lifecycle import customers
from billing.lifecycle.refusals import AccountClosing
from billing.models import AccountDeletion, Alert, Customer, StripeWrite, Subscription

pytestmark = pytest.mark.django_db


def user(name):
    return get_user_model().objects.create_user(f"{name}@example.com", "correct-horse-battery")


@pytest.fixture
def ada():
    return user("ada")


@pytest.fixture(autouse=True)
def ben():
    """Another subscriber, who is leaving, with a customer that is gone and one that is bound; they stay as they are."""
    ben = user("ben")
    AccountDeletion.objects.create(subscriber=ben, requested_at=timezone.now())
    customer_of(ben, "cus_ben_gone", deleted_at=timezone.now(), is_current=False)
    subscribed(customer_of(ben, "cus_ben"), "eur")
    before = list(Customer.objects.filter(subscriber=ben).order_by("pk").values())
    yield ben
    assert list(Customer.objects.filter(subscriber=ben).order_by("pk").values()) == before


def customer_of(subscriber, name, *, is_current=True, **more):
    usual = {"created_at": timezone.now(), "account": "acct_1"}
    return Customer.objects.create(pk=name, subscriber=subscriber, is_current=is_current, **{**usual, **more})


def subscribed(customer, currency, status="active"):
    return Subscription.objects.create(
        customer=customer, stripe_id=f"sub_{customer.pk}", status=status, currency=currency
    )


@pytest.fixture(autouse=True)
def calls(monkeypatch):
    """This notes what Stripe was asked for; it has the customers `there`, and makes those of `makes` in turn."""
    asked = Calls()

    def get(path, **params):
        if path == "/v1/account":
            asked.accounts += 1
            return {"id": "acct_1"}
        asked.append(("get", path, params))
        if asked.fails:
            raise asked.fails
        return {"data": asked.there}

    def post(path, idempotency_key, **params):
        asked.append((path, idempotency_key, params))
        if asked.refuses in params:
            raise stripe.InvalidRequestError("Too long", asked.refuses)
        return {"id": asked.makes.pop(0), "email": params.get("email")}

    monkeypatch.setattr("billing.stripe_client.get", get)
    monkeypatch.setattr("billing.stripe_client.post", post)
    stripe_account.reset()
    yield asked
    stripe_account.reset()


class Calls(list):
    accounts, fails, refuses = 0, None, ""

    def __init__(self):
        self.there, self.makes = [], ["cus_new", "cus_second", "cus_third"]

    def writes(self):
        return [call for call in self if call[0] != "get"]


def left(name, subscriber, **more):
    return {"id": name, "email": "ada@example.com", "metadata": {customers.METADATA_KEY: str(subscriber.pk)}, **more}


# Found


def test_the_current_customer_buys_and_stripe_is_not_asked(ada, calls):
    known = customer_of(ada, "cus_1")
    assert customers.customer_for(ada, "usd") == known == customers.customer_for(ada)
    assert calls == []


def test_one_that_a_crash_left_at_stripe_is_taken_and_becomes_current(ada, ben, calls):
    calls.there = [left("cus_ben_too", ben), {"id": "cus_other", "metadata": {}}, left("cus_left", ada)]
    assert customers.find_customer(ada).pk == "cus_left"
    assert calls == [("get", "/v1/customers", {"email": "ada@example.com", "limit": 100})]
    row = Customer.objects.get(pk="cus_left")
    assert (row.subscriber, row.is_current, row.email, row.account) == (ada, True, "ada@example.com", "acct_1")
    assert not Customer.objects.filter(pk__in=["cus_ben_too", "cus_other"]).exists()


def test_one_that_was_deleted_is_not_taken_again(ada, calls):
    customer_of(None, "cus_gone", is_current=False, deleted_at=timezone.now())
    customer_of(None, "cus_left", is_current=False)
    calls.there = [left("cus_gone", ada)]
    assert customers.find_customer(ada) is None
    calls.there.append(left("cus_left", ada))
    assert customers.find_customer(ada).pk == "cus_left"


def test_nobody_is_looked_for_without_an_address(ada, calls):
    ada.email = ""
    assert (customers.find_customer(ada), calls) == (None, [])


def test_nobody_has_an_address_that_stripe_takes_for_none_and_other_refusals_are_raised(ada, calls):
    calls.fails = stripe.InvalidRequestError("Invalid email", "email")
    assert customers.find_customer(ada) is None
    for other in (stripe.InvalidRequestError("Wrong", "limit"), stripe.PermissionError("No")):
        calls.fails = other
        with pytest.raises(type(other)):
            customers.find_customer(ada)


def test_who_is_leaving_gets_no_customer_and_others_do(ada, ben, calls):
    with pytest.raises(AccountClosing):
        customers.customer_for(ben)
    assert calls == []
    assert customers.customer_for(ada).pk == "cus_new"


def test_who_began_to_leave_meanwhile_is_refused(ada, calls, monkeypatch):
    def leaves():
        AccountDeletion.objects.get_or_create(subscriber=ada, defaults={"requested_at": timezone.now()})

    monkeypatch.setattr(stripe_account, "ask_once", leaves)
    with pytest.raises(AccountClosing):
        customers.customer_for(ada)


def test_a_customer_of_another_account_does_not_buy(ada):
    stripe_account.ask()
    customer_of(ada, "cus_1", account="acct_2")
    with pytest.raises(stripe_account.OfAnotherAccount):
        customers.customer_for(ada)


# Currencies


@pytest.mark.parametrize(
    ("status", "has", "wants", "is_bound"),
    [
        ("active", "eur", "usd", True),
        ("past_due", "eur", "usd", True),
        ("canceled", "eur", "usd", False),
        ("active", "usd", "usd", False),
        ("active", "", "usd", False),
        ("active", "eur", "", False),
    ],
)
def test_a_live_subscription_keeps_its_customer_to_its_currency(ada, calls, status, has, wants, is_bound):
    known = customer_of(ada, "cus_1")
    subscribed(known, has, status)
    assert customers._is_bound("cus_1", wants) is is_bound
    assert customers._is_bound("cus_nobody", wants) is False
    assert customers.customer_for(ada, wants).pk == ("cus_new" if is_bound else "cus_1")


@pytest.mark.parametrize(
    ("of_other", "currency", "buys"),
    [
        ({}, None, "cus_2"),
        ({}, "usd", "cus_2"),
        ({}, "eur", "cus_new"),
        ({"missing_since": timezone.now()}, None, "cus_new"),
        ({"deleted_at": timezone.now()}, None, "cus_new"),
        ({"account": "acct_2"}, None, "cus_new"),
    ],
)
def test_beside_another_currency_an_earlier_customer_buys_that_can_or_a_new_one(ada, calls, of_other, currency, buys):
    stripe_account.ask()
    subscribed(customer_of(ada, "cus_1"), "eur")
    other = customer_of(ada, "cus_2", is_current=False, **of_other)
    if currency:
        subscribed(other, currency)
    assert customers.customer_for(ada, "usd").pk == buys
    assert [row.pk for row in Customer.objects.filter(subscriber=ada, is_current=True)] == [buys]


# Made


def test_a_customer_is_made_with_the_details_that_there_are_and_is_the_subscribers(ada, calls, settings):
    settings.BILLING_INVOICE = {"footer": "Thanks", "custom_fields": []}
    settings.BILLING_CUSTOMER_DETAILS = f"{__name__}.details"
    made = customers.customer_for(ada)
    metadata = {"plan": "x", customers.METADATA_KEY: str(ada.pk)}
    assert calls.writes()[0][::2] == ("/v1/customers", {
        "email": "ada@example.com", "metadata": metadata, "invoice_settings": {"footer": "Thanks"}})  # fmt: skip
    assert re.fullmatch(rf"customer:accounts\.user:{ada.pk}:[0-9a-f]{{12}}", calls.writes()[0][1])
    assert (made.pk, made.subscriber, made.is_current, made.email) == ("cus_new", ada, True, "ada@example.com")
    assert (made.account, calls.accounts) == ("acct_1", 1)
    assert not StripeWrite.objects.exists()


def details(subscriber):
    return {"email": subscriber.email, "name": "", "metadata": {"plan": "x"}}


def test_without_settings_of_invoices_none_are_sent_and_nobody_is_alerted(
    ada, calls, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        customers.customer_for(ada)
    assert calls.writes()[0][2] == {"email": "ada@example.com", "metadata": {customers.METADATA_KEY: str(ada.pk)}}
    assert not Alert.objects.exists()


def test_two_who_make_it_at_once_ask_by_one_key_and_others_by_another(ada, calls):
    cat = user("cat")
    calls.makes = ["cus_new"] * 2 + ["cus_cat"]
    for subscriber in (ada, ada, cat):
        customers._create_at_stripe(subscriber)
    keys = [key for _, key, _ in calls.writes()]
    assert keys[0] == keys[1] != keys[2]


def test_stripes_old_answer_of_a_customer_that_is_gone_or_bound_is_not_taken(ada, calls):
    customer_of(None, "cus_new", is_current=False, deleted_at=timezone.now())
    subscribed(customer_of(ada, "cus_second"), "eur")
    assert customers.customer_for(ada, "usd").pk == "cus_third"
    first, second, third = (key for _, key, _ in calls.writes())
    assert (second, third) == (f"{first}:after:cus_new", f"{first}:after:cus_second")
    assert len({str(params) for *_, params in calls.writes()}) == 1


def test_what_stripe_refuses_is_left_out_and_told_to_staff(ada, calls, settings, django_capture_on_commit_callbacks):
    settings.BILLING_INVOICE = {"footer": "Too long"}
    calls.refuses = "invoice_settings"
    with django_capture_on_commit_callbacks(execute=True):
        made = customers.customer_for(ada)
    assert made.pk == "cus_new"
    refused = StripeWrite.objects.get()
    assert (refused.lane, refused.action, refused.error_message) == (
        "cus_new", "update_customer", "invoice_settings: Too long")  # fmt: skip
    alert = Alert.objects.get()
    assert (alert.cause, "cus_new without: invoice_settings." in alert.text) == ("request_refused", True)


def test_what_a_webhook_wrote_first_is_linked_and_a_customer_of_somebody_else_is_not(ada, ben, calls, monkeypatch):
    linked = []
    monkeypatch.setattr(customers.paying_twice, "alert_linked", linked.append)
    customer_of(None, "cus_new", is_current=False, email="kept@example.com")
    made = customers.customer_for(ada)
    assert (made.subscriber, made.is_current, made.email, linked) == (ada, True, "kept@example.com", [["cus_new"]])
    assert customers._save_customer(ada, {"id": "cus_ben"}).subscriber == ben
    assert customers._save_customer(ada, {"id": "cus_fourth"}).email == ""
    assert linked == [["cus_new"], ["cus_fourth"]]
    assert Customer.objects.get(subscriber=ada, is_current=True).pk == "cus_fourth"


def test_no_two_requests_share_a_key(ada):
    customer = Customer(pk="cus_1")
    keys = {customers.request_key(customer, verb) for verb in ("pay", "pay", "cancel")}
    assert sorted(key[: key.index("cus_1") + 6] for key in keys) == ["cancel:cus_1:", "pay:cus_1:", "pay:cus_1:"]

"""Which agreements are begun, once each, and what becomes of one that cannot start; the others stay as they are."""

from datetime import UTC, datetime, timedelta

import pytest
import stripe
import time_machine
from django.contrib.auth import get_user_model

from billing import lanes
from billing.lifecycle import refusals
from billing.lifecycle.agreements import AgreementRefused, starting
from billing.models import AccountDeletion, Agreement, Alert, Customer, Plan
from billing.stripe_account import OfAnotherAccount
from billing.stripe_client import NoSuchCustomer, NoTaxAddress, StripeUnavailable

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
TODAY, A_DAY = NOW.date(), timedelta(days=1)


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOW, tick=False):
        yield


def user(name):
    return get_user_model().objects.create_user(f"{name}@example.com", "correct-horse-battery")


def agreed(name, status="sent", **more):
    plan, _ = Plan.objects.get_or_create(slug="agreed", defaults={"name": "Agreed", "rank": 1})
    usual = {"subscriber": None, "plan": plan, "interval": "month", "currency": "usd", "quantity": 3, "sent_at": NOW,
             "days_until_due": 30, "drafted_at": NOW, "sent_by": "staff:7"}  # fmt: skip
    subscriber = more.pop("subscriber", None) or user(name)
    return Agreement.objects.create(key=name, status=status, **{**usual, "subscriber": subscriber, **more})


def facts_of(agreement):
    return Agreement.objects.filter(pk=agreement.pk).values().get()


@pytest.fixture(autouse=True)
def ben():
    """Another subscriber's agreement, which is being started too and has a subscription; it stays as it is."""
    other = agreed("ben", "starting", subscription_id="sub_ben")
    before = facts_of(other)
    yield other
    assert facts_of(other) == before


@pytest.fixture
def ada():
    return agreed("ada")


@pytest.fixture
def starts(monkeypatch):
    """The agreements that were started, and with how long a wait for the lane; `starts.fails` is raised."""
    calls = Starts()

    def start(agreement, wait_seconds):
        calls.append((agreement.key, wait_seconds, agreement.status))
        if calls.fails:
            raise calls.fails
        Agreement.objects.filter(pk=agreement.pk).exclude(key="ben").update(status="started")

    monkeypatch.setattr(starting, "_start", start)
    return calls


class Starts(list):
    fails: Exception | None = None


# Whose turn it is


@pytest.mark.parametrize(
    ("changes", "is_begun"),
    [
        ({}, True),
        ({"starts_on": TODAY}, True),
        ({"starts_on": TODAY - A_DAY}, True),
        ({"starts_on": TODAY + A_DAY}, False),
        ({"status": "starting", "starts_on": TODAY + A_DAY}, True),
        *(({"status": status}, False) for status in ("draft", "started", "refused", "discarded")),
        ({"status": "draft", "starts_on": TODAY - A_DAY}, False),
    ],
)
def test_what_was_sent_begins_on_its_day_and_what_is_starting_goes_on(ben, starts, changes, is_begun):
    agreed("ada", **changes)
    assert starting.each_minute() == f"{int(is_begun)} agreements started"
    assert ("ada", 0, "starting") in starts if is_begun else [key for key, *_ in starts] == ["ben"]


def test_what_was_sent_first_begins_first(ben, starts):
    agreed("cat", sent_at=NOW + A_DAY), agreed("dan", sent_at=NOW - A_DAY)
    starting.each_minute()
    assert [key for key, *_ in starts] == ["dan", "ben", "cat"]


def test_one_that_fails_oddly_holds_up_nobody(ada, starts, caplog):
    starts.fails = ValueError("odd")
    assert starting.each_minute() == "0 agreements started"
    assert {key for key, *_ in starts} == {"ada", "ben"}
    assert Alert.objects.count() == 0


def test_what_cannot_start_is_told_to_staff(ada, ben, starts, django_capture_on_commit_callbacks):
    starts.fails = refusals.AccessWithheld("On hold")
    with django_capture_on_commit_callbacks(execute=True):
        assert starting.each_minute() == "0 agreements started"
    assert [alert.cause for alert in Alert.objects.all()] == [f"agreement_refused:{ada.pk}"]


# Begun


@pytest.mark.parametrize("status", ["draft", "started", "refused", "discarded"])
def test_what_was_not_sent_does_not_begin(starts, status):
    agreement = agreed("ada", status)
    before = facts_of(agreement)
    starting.begin(agreement.pk)
    assert (starts, facts_of(agreement)) == ([], before)


def test_only_the_one_that_is_asked_for_begins(ada, starts):
    cat = agreed("cat")
    starting.begin(ada.pk, wait_seconds=7)
    assert (starts, facts_of(cat)["status"]) == ([("ada", 7, "starting")], "sent")


def test_of_two_in_a_line_the_second_is_refused_and_nothing_is_started(ada, starts):
    first = agreed("first", "starting", subscriber=ada.subscriber)
    cat = agreed("cat")
    with pytest.raises(AgreementRefused) as refused:
        starting.begin(ada.pk)
    assert (refused.value.code, str(refused.value)) == ("already_subscribed", starting.BESIDE)
    assert (facts_of(ada)["status"], facts_of(ada)["error_message"]) == ("refused", starting.BESIDE)
    assert (starts, facts_of(first)["status"], facts_of(cat)["status"]) == ([], "starting", "sent")


@pytest.mark.parametrize("error", [StripeUnavailable("away"), lanes.LaneBusy("cus_ada")])
def test_where_stripe_does_not_answer_it_stays_and_goes_on_later(ada, starts, error):
    starts.fails = error() if callable(error) else error
    starting.begin(ada.pk)
    assert (facts_of(ada)["status"], facts_of(ada)["refusals"], facts_of(ada)["error_message"]) == ("starting", 0, "")


WHY = [
    (refusals.SubscriptionPaused(), "subscription_paused", starting.BESIDE),
    (refusals.AlreadySubscribed(), "already_subscribed", starting.BESIDE),
    (refusals.AccountClosing(), "account_closing", "The account is being deleted, so nothing can be started for it."),
    (lambda: OfAnotherAccount(Customer(pk="cus_ada")), "customer_unknown", starting.UNKNOWN),
    (NoSuchCustomer("No such customer", "customer"), "customer_unknown", starting.UNKNOWN),
    (NoTaxAddress("No address", "customer"), "tax_address_needed", starting.NOWHERE),
    (AgreementRefused("price_not_offered", "No price."), "price_not_offered", "No price."),
    (stripe.InvalidRequestError("No such price", "x", code="missing"), "stripe_refused",
     "Stripe refused it: No such price"),
    (stripe.InvalidRequestError("", "x", code="missing"), "stripe_refused", "Stripe refused it: missing"),
    (stripe.InvalidRequestError("", "x"), "stripe_refused", "Stripe refused it: it gives no reason"),
    (refusals.PriceNotOffered("Not sold."), "refused", "Not sold."),
]  # fmt: skip


@pytest.mark.parametrize(("error", "code", "sentence"), WHY, ids=[f"{number}" for number in range(len(WHY))])
def test_a_refusal_is_kept_with_its_reason_and_the_next_try_has_other_keys(ada, starts, error, code, sentence):
    starts.fails = error() if callable(error) else error
    with pytest.raises(AgreementRefused) as refused:
        starting.begin(ada.pk)
    assert (refused.value.code, str(refused.value)) == (code, sentence)
    kept = facts_of(ada)
    assert (kept["status"], kept["refusals"], kept["error_message"]) == ("refused", 1, sentence)


def test_a_refusal_after_the_subscription_was_made_is_none(ada, starts):
    Agreement.objects.filter(pk=ada.pk).update(subscription_id="sub_1")
    starts.fails = stripe.InvalidRequestError("No such invoice", "x")
    starting.begin(ada.pk)
    assert (facts_of(ada)["status"], facts_of(ada)["refusals"]) == ("starting", 0)


def test_a_refusal_takes_nothing_from_what_was_discarded_meanwhile(ada, starts, monkeypatch):
    def start(agreement, wait_seconds):
        Agreement.objects.filter(pk=agreement.pk).update(status="started", error_message="")
        raise refusals.AccessWithheld

    monkeypatch.setattr(starting, "_start", start)
    with pytest.raises(AgreementRefused):
        starting.begin(ada.pk)
    assert (facts_of(ada)["status"], facts_of(ada)["error_message"]) == ("started", "")


# The customer that buys


@pytest.fixture
def buyer(monkeypatch):
    """The customer that buys next, and for whom and in which currency that was asked."""
    asked = []

    def customer_for(subscriber, currency):
        asked.append((subscriber.email, currency))
        return Customer.objects.get_or_create(pk="cus_next")[0]

    monkeypatch.setattr(starting.customers, "customer_for", customer_for)
    return asked


@pytest.mark.parametrize("gone", [None, {"deleted_at": NOW}, {"missing_since": NOW}])
def test_the_customer_of_an_earlier_try_buys_unless_they_are_gone(ada, buyer, gone):
    ada.customer = Customer.objects.create(pk="cus_first", **(gone or {}))
    ada.save()
    assert starting._customer_of(ada).pk == ("cus_next" if gone else "cus_first")
    assert buyer == ([("ada@example.com", "usd")] if gone else [])
    assert facts_of(ada)["customer_id"] == ("cus_next" if gone else "cus_first")


def test_who_has_no_customer_gets_one_that_is_remembered(ada, buyer):
    assert starting._customer_of(ada).pk == facts_of(ada)["customer_id"] == "cus_next"


def test_nothing_is_started_for_an_account_that_is_being_deleted(ada, buyer):
    ada.customer = Customer.objects.create(pk="cus_first")
    AccountDeletion.objects.create(subscriber=ada.subscriber, requested_at=NOW)
    with pytest.raises(refusals.AccountClosing):
        starting._customer_of(ada)


def test_a_subscription_is_the_agreements_own_by_its_metadata(ada, ben):
    named = {"metadata": {starting.AGREEMENT_KEY: str(ada.pk)}}
    assert (starting._is_of(ada, named), starting._is_of(ben, named), starting._is_of(ada, {"metadata": {}})) == (
        True, False, False)  # fmt: skip

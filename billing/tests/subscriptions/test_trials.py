"""Trials are remembered and compared by each rule alone: a bystander, another line or a later trial is no reason."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model

from billing.models import Alert, Customer, Plan, Price, Subscription, Trial
from billing.subscriptions import trials

pytestmark = pytest.mark.django_db

NOW = datetime(2027, 3, 10, 12, tzinfo=UTC)
BEGAN = int(NOW.timestamp()) - 60
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _noon(settings):
    settings.BILLING_CLOCK = ""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def plan():
    return Plan.objects.create(slug="tried", name="Tried", rank=1)


def user_of(name):
    return get_user_model().objects.get_or_create(email=f"{name}@example.com")[0]


def customer_of(name, user="", **columns):
    subscriber = user_of(user) if user else None
    defaults = {"subscriber": subscriber, "is_current": False, **columns}
    return Customer.objects.get_or_create(pk=f"cus_{name}", defaults=defaults)[0]


def trial_of(name, user="", **columns):
    usual = {"started_at": NOW, "ends_at": NOW + DAY, "line": "main"}
    row = Trial.objects.create(customer=customer_of(name, user), subscription_id=f"sub_{name}", **{**usual, **columns})
    Subscription.objects.create(customer=row.customer, stripe_id=row.subscription_id, status="trialing")
    return row


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Calls, commits, and returns what was answered and the texts of the alerts."""

    def call(work, *args):
        with django_capture_on_commit_callbacks(execute=True):
            answer = work(*args)
        return answer, list(Alert.objects.values_list("text", flat=True))

    return call


# Remembered


def card(fingerprint="print_1", kind="card"):
    return {"type": kind, kind: {"fingerprint": fingerprint}}


def found(**changes):
    usual = {"id": "sub_ada", "start_date": BEGAN, "trial_start": BEGAN, "trial_end": BEGAN + 99, "customer": "cus_ada",
             "default_payment_method": card()}  # fmt: skip
    return {**usual, **changes}


def row_of(plan, name="ada", **columns):
    usual = {"status": "trialing", "plan": plan, "trial_end": NOW + DAY, "line": "main"}
    owner = customer_of(name, email=f"{name}@example.com")
    return Subscription.objects.create(customer=owner, stripe_id=f"sub_{name}", **{**usual, **columns})


def noted(row, told, before=None):
    trials.note([(before or Subscription(), row)], {told["id"]: told})
    return list(Trial.objects.values_list("subscription_id", flat=True))


@pytest.mark.parametrize(
    ("changes", "is_trial"),
    [
        ({}, True),
        ({"trial_start": None}, True),
        ({"trial_start": BEGAN + 1}, False),
        ({"trial_end": None}, False),
        ({"id": "sub_other"}, False),
    ],
)
def test_what_began_with_its_trial_is_remembered(plan, changes, is_trial):
    assert noted(row_of(plan), found(**changes)) == (["sub_ada"] if is_trial else [])


@pytest.mark.parametrize("whose", ["foreign", "unknown"])
def test_a_trial_of_what_is_no_plan_of_ours_is_not_remembered(plan, whose):
    assert noted(row_of(plan, whose=whose), found()) == []


def test_a_row_that_says_the_same_as_before_is_not_noted_again_and_one_that_differs_is(plan):
    row = row_of(plan)
    before = Subscription.objects.get(pk=row.pk)
    assert noted(row, found(), before) == []
    before.card_last4 = "1111"
    assert noted(row, found(), before) == ["sub_ada"]


def test_a_trial_is_kept_as_it_began_with_its_latest_end_plan_and_card(plan):
    row = row_of(plan)
    noted(row, found())
    kept = Trial.objects.get()
    assert (kept.customer, kept.line, kept.plan, kept.ends_at) == (row.customer, "main", plan, row.trial_end)
    assert kept.started_at == datetime.fromtimestamp(BEGAN, UTC)
    assert kept.card_digest == trials.digest("print_1") != ""
    assert kept.email_digest == trials.digest("ada@example.com") != ""
    Customer.objects.filter(pk="cus_ada").update(email="new@example.com")
    later = Subscription.objects.get(pk=row.pk)
    later.trial_end, later.plan = NOW + 2 * DAY, Plan.objects.create(slug="other", name="Other", rank=2)
    noted(later, found(default_payment_method=card("print_2")))
    again = Trial.objects.get()
    assert (again.ends_at, again.plan, again.card_digest) == (later.trial_end, later.plan, trials.digest("print_2"))
    assert (again.email_digest, again.started_at) == (kept.email_digest, kept.started_at)
    noted(row, found(default_payment_method="pm_1"))
    assert Trial.objects.get().card_digest == again.card_digest, "a card that was not told stays"


@pytest.mark.parametrize("once_per", [[], ["card"], ["email"], ["card", "email"]])
def test_only_what_the_site_asks_for_is_kept_of_a_person(plan, settings, once_per):
    settings.BILLING_TRIAL_ONCE_PER = once_per
    noted(row_of(plan), found())
    kept = Trial.objects.get()
    assert (bool(kept.card_digest), bool(kept.email_digest)) == ("card" in once_per, "email" in once_per)


def test_who_has_no_address_at_stripe_is_known_by_the_subscribers(plan):
    row = row_of(plan)
    row.customer.email, row.customer.subscriber = "", user_of("mine")
    noted(row, found())
    assert Trial.objects.get().email_digest == trials.digest("mine@example.com")


@pytest.mark.parametrize(("status", "is_compared"), [("trialing", True), ("active", False)])
def test_a_trial_that_runs_is_compared_once(plan, committed, status, is_compared):
    earlier = trial_of("ben", "ben", card_digest=trials.digest("print_1"))
    row = row_of(plan, status=status)
    for _ in range(2):
        committed(noted, row, found())
    assert Trial.objects.get(subscription_id="sub_ada").same_person_as == (earlier if is_compared else None)
    assert [alert.waiting for alert in Alert.objects.all()] == ([1] if is_compared else [])


@pytest.mark.parametrize(
    ("method", "fingerprint"),
    [
        (card(), "print_1"),
        (card("print_2", "sepa_debit"), "print_2"),
        ({"card": {"fingerprint": "print_3"}}, "print_3"),
        ({"type": "link", "card": {"fingerprint": "print_3"}}, ""),
        (card(None), ""),
        ("pm_1", ""),
    ],
)
def test_a_card_is_known_by_its_fingerprint(method, fingerprint):
    assert trials.fingerprint_of({"default_payment_method": method, "customer": "cus_ada"}) == fingerprint


@pytest.mark.parametrize(
    ("address", "normal"),
    [
        (" Ada+news@Example.com ", "ada@example.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("a.d.a+x@gmail.com", "ada@gmail.com"),
        ("a.d.a@googlemail.com", "ada@gmail.com"),
        ("+x@example.com", ""),
        ("@example.com", ""),
        ("ada@", ""),
        ("ada", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_is_taken_as_one_person_would_have_it(address, normal):
    assert trials.normalised(address) == normal


def test_of_nothing_there_is_no_digest():
    assert trials.digest("") == ""


# Who gets one


def test_who_had_a_subscription_or_a_trial_by_address_gets_none_in_that_line(plan, settings):
    ada, ben = user_of("ada"), user_of("ben")
    assert trials.why_none(None, "main") == trials.why_none(get_user_model()(email="x@example.com"), "main") == ""
    assert trials.why_none(ada, "main") == ""
    free = Price.objects.create(pk="price_0", plan=plan, currency="usd", unit_amount=0, interval="month")
    owner = customer_of("ada", "ada")
    Subscription.objects.create(customer=owner, stripe_id="sub_0", currency="usd", price=free, status="canceled")
    assert trials.why_none(ada, "main") == "", "a plan without money is none"
    trial_of("eve", "eve", email_digest=trials.digest("ada@example.com"))
    assert (trials.why_none(ada, "main"), trials.why_none(ada, "storage")) == ("email", "")
    settings.BILLING_TRIAL_ONCE_PER = ["card"]
    assert trials.why_none(ada, "main") == ""
    Subscription.objects.create(customer=owner, stripe_id="sub_1", currency="usd", status="canceled", counts=False)
    assert (trials.why_none(ada, "main"), trials.why_none(ada, "storage")) == ("subscribed", "")
    assert trials.why_none(ben, "main") == ""


def test_an_earlier_secret_key_still_tells_an_address_and_no_address_tells_nothing(settings):
    trial = trial_of("eve", "eve", email_digest=trials.digest("ada@example.com"))
    nobody = trial_of("fay", "fay", email_digest=trials.digests("")[0])
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another key"
    assert list(trials.trials_by_address(user_of("ada"), "main")) == [trial]
    assert list(trials.trials_by_address(get_user_model()(email=""), "main")) == []
    assert nobody.email_digest

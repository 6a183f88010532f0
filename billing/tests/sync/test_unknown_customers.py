"""Customers whom Stripe does not know are told from both sides of each bound; those who are elsewhere or gone already
are not counted."""

from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.utils import timezone

from billing import lanes
from billing.models import Alert, Customer, SyncRun
from billing.stripe_account import WrongAccount
from billing.stripe_client import NoSuchCustomer, fetch
from billing.sync import unknown_customers

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=9)


@pytest.fixture
def known(monkeypatch):
    """The ids that Stripe knows; and the ids that it was asked about."""
    ids, asked = set(), []

    def customer(customer_id):
        asked.append(customer_id)
        if customer_id not in ids:
            raise NoSuchCustomer("No such customer", "id", "resource_missing")
        return {"id": customer_id}

    monkeypatch.setattr(fetch, "customer", customer)
    return ids, asked


def have(*names, **columns):
    for number, name in enumerate(names):
        if columns.get("missing_since"):
            columns["missing_since"] += timedelta(hours=number)
        Customer.objects.create(pk=f"cus_{name}", **columns)


def test_one_whom_stripe_knows_is_enough_and_no_more_are_asked_about(known):
    ids, asked = known
    ids.add("cus_2")
    unknown_customers.refuse_if_unknown(["cus_1", "cus_2", "cus_3"])
    assert asked == ["cus_1", "cus_2"]


def test_where_stripe_knows_none_the_key_is_doubted_and_where_there_are_none_it_is_not(known):
    unknown_customers.refuse_if_unknown([])
    with pytest.raises(WrongAccount, match="none of our customers cus_1, cus_2"):
        unknown_customers.refuse_if_unknown(["cus_1", "cus_2"])


@pytest.mark.parametrize("is_dry", [False, True])
def test_a_missing_customer_is_noted_once_and_a_bystander_is_not(is_dry):
    have("ada", "ben")
    run = SyncRun(mode="routine")
    unknown_customers.note(run, "cus_ada", is_dry=is_dry)
    assert run.notes == ["cus_ada: Stripe knows no such customer."]
    missing = Customer.objects.exclude(missing_since=None).values_list("pk", flat=True)
    assert list(missing) == ([] if is_dry else ["cus_ada"])


def alerts():
    return list(Alert.objects.values_list("subject", "text"))


def test_where_none_is_missing_nothing_is_said(django_capture_on_commit_callbacks):
    have("ada")
    have("ben", missing_since=LONG_AGO, deleted_at=LONG_AGO)
    with django_capture_on_commit_callbacks(execute=True):
        unknown_customers.refuse_if_most()
    assert alerts() == []


@pytest.mark.parametrize(("here", "is_most"), [(3, True), (4, False), (5, False)])
def test_more_than_half_missing_are_another_accounts_and_half_are_told(
    here, is_most, django_capture_on_commit_callbacks
):
    have("d", "c", "b", "a", missing_since=LONG_AGO)
    have(*(f"here_{number}" for number in range(here)))
    have("gone_1", "gone_2", deleted_at=LONG_AGO)
    have("gone_3", "gone_4", deleted_at=LONG_AGO, missing_since=LONG_AGO)
    refused = pytest.raises(WrongAccount, match="another Stripe account") if is_most else nullcontext()
    with django_capture_on_commit_callbacks(execute=True), refused:
        unknown_customers.refuse_if_most()
    [(subject, text)] = alerts()
    assert subject == "4 customers unknown at Stripe"
    assert "for 4 of our customers, for example cus_d, cus_c, cus_b." in text


# Left for good


def ended():
    return sorted(Customer.objects.exclude(deleted_at=None).values_list("pk", flat=True))


@pytest.fixture
def of_accounts(settings):
    settings.STRIPE_LIVE_MODE = False
    have("here", livemode=False)
    have("live_1", "live_2", livemode=True, account="acct_old")
    have("live_3", livemode=True, account="acct_other")
    have("test", livemode=False, account="acct_old")


@pytest.mark.parametrize(
    ("left", "are_ended"),
    [("live", ["cus_live_1", "cus_live_2", "cus_live_3"]), ("acct_old", ["cus_live_1", "cus_live_2"]), ("test", [])],
)
def test_customers_of_what_was_left_are_ended_and_no_others(of_accounts, left, are_ended):
    ticks = []
    assert unknown_customers.leave(left, lambda: ticks.append(1)) == len(are_ended) == len(ticks)
    assert ended() == are_ended
    assert unknown_customers.leave(left, lambda: ticks.append(1)) == 0, "they have ended"


def test_a_customer_whose_lane_is_busy_is_left_to_the_next_call(of_accounts, monkeypatch):
    monkeypatch.setattr(unknown_customers, "WAIT_SECONDS", 0.0)
    ticks = []
    lanes.wake("cus_live_1")
    claim = lanes.take("cus_live_1")
    assert unknown_customers.leave("acct_old", lambda: ticks.append(1)) == 1
    assert (ended(), len(ticks)) == (["cus_live_2"], 2)
    lanes.release(claim)
    assert unknown_customers.leave("acct_old", lambda: ticks.append(1)) == 1
    assert ended() == ["cus_live_1", "cus_live_2"]

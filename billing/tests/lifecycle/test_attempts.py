"""A Checkout attempt ends as its session does: by what it bought, or else as Stripe says of the session."""

import pytest

from billing.lifecycle import attempts, checkout
from billing.models import CheckoutAttempt
from billing.stripe_client import fetch

Status = CheckoutAttempt.Status
pytestmark = pytest.mark.django_db


@pytest.fixture
def attempt(world):
    return checkout.start(world.sign_up(), "pro", "month")


@pytest.fixture
def bens(world):
    return checkout.start(world.sign_up("ben@example.com"), "pro", "month")


def statuses(*rows):
    return [CheckoutAttempt.objects.get(pk=row.pk).status for row in rows]


def pay(world, attempt):
    world.control(f"checkout/{attempt.session_id}/complete", payment_method="pm_card_visa")


def refresh(attempt):
    attempts.refresh_attempt(attempt.customer, attempt.session_id)


def test_an_attempt_stays_open_as_long_as_its_session(world, attempt, bens):
    refresh(attempt)
    assert statuses(attempt, bens) == [Status.OPEN, Status.OPEN]


def test_what_it_bought_closes_it_and_nobody_elses(world, attempt, bens):
    pay(world, attempt)
    refresh(attempt)
    assert statuses(attempt, bens) == [Status.COMPLETED, Status.OPEN]


@pytest.mark.parametrize("metadata", [None, {}, {"billing_attempt": "of somebody else"}])
def test_a_subscription_that_names_no_attempt_leaves_the_answer_to_the_session(
    world, attempt, bens, metadata, monkeypatch
):
    ask = fetch.subscriptions
    monkeypatch.setattr(fetch, "subscriptions", lambda pk: [{**found, "metadata": metadata} for found in ask(pk)])
    pay(world, attempt)
    refresh(attempt)
    assert statuses(attempt, bens) == [Status.COMPLETED, Status.OPEN]


def test_an_expired_session_closes_it_as_expired(world, attempt, bens):
    world.stripe("POST", f"checkout/sessions/{attempt.session_id}/expire")
    refresh(attempt)
    assert statuses(attempt, bens) == [Status.EXPIRED, Status.OPEN]


def test_the_session_of_another_customer_is_neither_asked_about_nor_closed(world, attempt, bens):
    pay(world, bens)
    before = world.calls()["total"]
    attempts.refresh_attempt(attempt.customer, bens.session_id)
    assert (statuses(attempt, bens), world.calls()["total"]) == ([Status.OPEN, Status.OPEN], before)

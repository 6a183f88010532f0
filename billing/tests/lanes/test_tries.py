"""Each try waits longer than the one before, give or take a tenth, and what is owed is never given up."""

from datetime import timedelta

import pytest
import stripe
from django.utils import timezone

from billing.lanes import tries

LOW, HIGH = 0.9, 1.1


@pytest.fixture
def now(time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    return timezone.now()


@pytest.fixture(params=[LOW, HIGH])
def chance(request, monkeypatch):
    """Both ends of what chance may add to a wait."""

    def drawn(low, high):
        assert (low, high) == (LOW, HIGH)
        return request.param

    monkeypatch.setattr(tries.random, "uniform", drawn)
    return request.param


@pytest.mark.parametrize(("failed", "minutes"), [(1, 1), (2, 5), (3, 30), (4, 120), (5, 360), (6, 720)])
def test_each_wait_is_longer_give_or_take_a_tenth(now, chance, failed, minutes):
    assert tries.next_try(failed) == now + timedelta(minutes=minutes) * chance


@pytest.mark.parametrize("failed", [7, 8, 500])
def test_after_the_last_try_there_is_no_other(failed):
    assert tries.next_try(failed) is None


@pytest.mark.parametrize(("failed", "minutes"), [(1, 1), (2, 5), (3, 30)])
def test_what_is_owed_waits_by_the_same_ladder(now, chance, failed, minutes):
    assert tries.next_try_of_owed(failed) == now + timedelta(minutes=minutes) * chance


@pytest.mark.parametrize("failed", [4, 6, 7, 500])
def test_what_is_owed_waits_an_hour_at_most_and_is_never_given_up(now, chance, failed):
    assert tries.next_try_of_owed(failed) == now + timedelta(hours=1)


def test_why_it_failed_is_kept_up_to_a_length():
    assert tries.describe(ValueError("x" * 3000)) == "ValueError: " + "x" * (tries.MOST_ERROR_TEXT - 12)


def test_where_stripe_refused_its_own_words_are_kept_without_the_number_of_the_request():
    refused = stripe.CardError("Your card was declined.", None, "card_declined", headers={"request-id": "req_1"})
    assert "req_1" in str(refused)
    assert tries.describe(refused) == "CardError: Your card was declined."


def test_a_refusal_without_words_and_any_other_error_are_told_by_themselves():
    silent = stripe.InvalidRequestError(None, "price", headers={"request-id": "req_1"})
    assert tries.describe(silent) == f"InvalidRequestError: {silent}"
    unanswered = stripe.APIConnectionError("No route.", headers={"request-id": "req_1"})
    assert tries.describe(unanswered) == f"APIConnectionError: {unanswered}"
    assert tries.describe(ValueError("No such thing.")) == "ValueError: No such thing."

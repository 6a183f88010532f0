"""One budget for all processes: how many calls go out, who waits, and who is told to come back later."""

import multiprocessing
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.core.cache import cache
from django.db import OperationalError, connection

from billing import stripe_client
from billing.cache import CacheAway, ask
from billing.stripe_client import StripeUnavailable, budget, shared_state
from billing.stripe_client.budget import take

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)  # a window begins, whatever the rate


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Time goes on only where the budget lets its caller wait: no test depends on how fast the machine is."""
    with time_machine.travel(MIDNIGHT, tick=False) as clock:
        monkeypatch.setattr(budget, "time", SimpleNamespace(time=time.time, sleep=clock.shift))
        shared_state.drop(*shared_state.KEPT, shared_state.PROBE)
        yield clock


def calls_of_a_second(is_patient):
    """Return when each call was let through, on the wall clock, asked for as fast as one can for a good second."""
    began, at = time.time(), []
    while time.time() < began + 1.2:
        assert take(1, is_patient=is_patient)
        at.append(time.time())
    return at


def most_in_a_second(at):
    return max(sum(start <= other < start + 1 for other in at) for start in at)


@pytest.mark.parametrize(("is_patient", "rate"), [(True, 20), (False, 20), (True, 80)])
def test_no_second_has_more_calls_than_stripe_allows(settings, is_patient, rate):
    settings.BILLING_STRIPE_RATE = rate
    at = calls_of_a_second(is_patient)
    assert most_in_a_second(at) <= rate * 1.25
    assert most_in_a_second(at) >= rate * 0.7, "nothing is left unused either"


def test_the_worker_leaves_a_share_to_those_who_wait_for_a_page(settings):
    settings.BILLING_STRIPE_RATE = 4
    assert take(4, is_patient=True)
    assert take(1, is_patient=False)
    assert time.time() == MIDNIGHT.timestamp(), "nobody has waited"


def test_who_waits_for_a_page_is_told_when_it_takes_too_long(settings):
    settings.BILLING_STRIPE_RATE = 1  # windows of 5 seconds
    assert take(5, is_patient=False)
    assert not take(1, is_patient=False)
    assert time.time() == MIDNIGHT.timestamp()


def test_a_call_beyond_the_budget_is_unavailable_and_does_not_reach_stripe(world, settings):
    settings.BILLING_STRIPE_RATE = 1
    take(5, is_patient=False)
    before = world.calls()
    with pytest.raises(StripeUnavailable, match="used up"):
        stripe_client.get("/v1/customers")
    assert world.calls() == before


def test_what_was_asked_for_and_not_granted_is_given_back(settings):
    settings.BILLING_STRIPE_RATE = 4
    assert budget.granted(9, is_patient=True) == 4
    assert budget.granted(9, is_patient=True) == 0
    assert budget.granted(9, is_patient=False) == 1


def test_a_rate_of_nought_lifts_the_budget_and_costs_no_query(settings, django_assert_num_queries):
    settings.BILLING_STRIPE_RATE = 0
    shared_state.get(shared_state.PAUSED_UNTIL)
    with django_assert_num_queries(0):
        assert all(take(1, is_patient=False) for _ in range(500))


def test_the_default_is_a_fifth_below_what_stripe_allows(settings):
    del settings.BILLING_STRIPE_RATE
    settings.STRIPE_API_BASE = ""
    assert budget.conf.stripe_rate == 20
    settings.STRIPE_LIVE_MODE = True
    assert budget.conf.stripe_rate == 80


def test_by_default_the_sandbox_takes_any_number(settings):
    del settings.BILLING_STRIPE_RATE
    settings.STRIPE_API_BASE = "http://127.0.0.1:12111"
    assert budget.conf.stripe_rate == 0


def test_a_429_is_felt_by_every_process(world, monkeypatch):
    world.control("faults", api={"fail_next": 1, "status": 429, "retry_after": 5})
    with pytest.raises(StripeUnavailable):
        stripe_client.get("/v1/customers")
    shared_state.reset()  # another process
    before = world.calls()
    with pytest.raises(StripeUnavailable):
        stripe_client.get("/v1/customers")
    assert world.calls() == before, "nobody calls while Stripe wants a pause"


def test_reads_in_parallel_that_meet_the_limit_are_asked_again_after_the_pause(world):
    world.control("faults", api={"fail_next": 3, "status": 429, "retry_after": 0.2})
    requests = [("/v1/customers", {"limit": number}) for number in range(1, 5)]
    with stripe_client.patient(), stripe_client.drain_reads():
        stripe_client.get_in_parallel(requests)
        assert [stripe_client.get(path, **params)["data"] for path, params in requests] == [[]] * 4


def test_without_its_cache_a_process_keeps_to_a_part_of_the_budget(settings, monkeypatch):
    settings.BILLING_STRIPE_RATE = 80

    def away(*args, **kwargs):
        raise OperationalError("no cache")

    for name in ("incr", "add", "get_many"):
        monkeypatch.setattr(cache, name, away)
    granted = sum(budget.granted(1, is_patient=True) for _ in range(50))
    assert granted == 4, "a quarter of a window's sixteen"


def test_a_cache_that_is_away_is_not_asked_for_every_call(settings, monkeypatch):
    asked = []

    def away():
        asked.append(1)
        raise OSError

    for _ in range(5):
        with pytest.raises(CacheAway):
            ask(away)
    assert len(asked) == 1


def all_there_is(windows):
    """Return how many calls each of so many windows grants to one who asks until there are no more."""
    found = []
    for number in range(windows):
        with time_machine.travel(MIDNIGHT + timedelta(seconds=number * 0.25), tick=False):
            granted = 0
            while budget.granted(1, is_patient=False):
                granted += 1
        found.append(granted)
    connection.close()
    return found


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_processes_together_keep_to_every_windows_room(settings):
    """Real processes, each with a connection of its own."""
    settings.BILLING_STRIPE_RATE = 40
    connection.close()
    with multiprocessing.get_context("fork").Pool(3) as pool:
        granted = pool.map(all_there_is, [4, 4, 4], chunksize=1)
    assert [sum(window) for window in zip(*granted, strict=True)] == [10] * 4


@pytest.mark.django_db(transaction=True)
def test_threads_together_keep_to_a_windows_room(settings):
    settings.BILLING_STRIPE_RATE = 4
    granted = Counter()

    def ask(number):
        granted[number] = budget.granted(2, is_patient=False)
        connection.close()

    threads = [threading.Thread(target=ask, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert granted.total() == 5

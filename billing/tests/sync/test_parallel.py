"""The same work for many at once: all of it is done, an error ends it, and nothing is left open."""

import threading
import time

import pytest
from django.db import connection, connections
from structlog.contextvars import bound_contextvars, get_contextvars

from billing.sync.parallel import AT_ONCE, Threads, each

KEYS = [f"cus_{number}" for number in range(3 * AT_ONCE)]


@pytest.mark.django_db
def test_inside_a_transaction_each_is_done_in_its_order_by_this_thread_and_ticks():
    done, ticks = [], []
    each(lambda key: done.append((key, threading.current_thread())), KEYS, lambda: ticks.append(len(done)))
    assert done == [(key, threading.current_thread()) for key in KEYS]
    assert ticks == list(range(1, len(KEYS) + 1))


@pytest.mark.django_db
def test_the_first_error_ends_it():
    done = []

    def work(key):
        done.append(key)
        if key == KEYS[1]:
            raise LookupError(key)

    with pytest.raises(LookupError, match=KEYS[1]):
        each(work, KEYS, lambda: None)
    assert done == KEYS[:2]


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_on_postgresql_many_are_done_at_once_each_one_time_and_ticks_come_in_between():
    done, ticks = [], []
    each(lambda key: (time.sleep(0.02), done.append(key)), KEYS, lambda: ticks.append(len(done)))
    assert sorted(done) == sorted(KEYS)
    assert ticks[-1] == len(KEYS)
    assert ticks[0] < len(KEYS) / 2


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_on_postgresql_the_first_error_ends_it_once_what_is_under_way_is_done():
    begun, ended = [], []

    def work(key):
        begun.append(key)
        if key == KEYS[0]:
            raise LookupError(key)
        time.sleep(0.05)
        ended.append(key)

    with pytest.raises(LookupError, match=KEYS[0]):
        each(work, (key for key in KEYS * 10), lambda: None)
    assert len(begun) == len(ended) + 1 < len(KEYS) * 10


def test_leaving_waits_for_all_that_was_started():
    done = []
    with Threads() as threads:
        for key in KEYS:
            threads.start(lambda key=key: (time.sleep(0.01), done.append(key)))
    assert sorted(done) == sorted(KEYS)


def test_an_error_waits_for_what_is_under_way_and_starts_nothing_more():
    begun, ended = [], []

    def work(key):
        begun.append(key)
        time.sleep(0.2)
        ended.append(key)

    def start_all():
        with Threads() as threads:
            for key in KEYS:
                threads.start(work, key)
            raise LookupError

    with pytest.raises(LookupError):
        start_all()
    assert sorted(begun) == sorted(ended)
    assert 0 < len(ended) <= AT_ONCE


def test_as_many_work_at_once_as_it_says_and_in_the_callers_context():
    met, contexts = threading.Barrier(AT_ONCE), []

    def work():
        contexts.append(get_contextvars())
        return met.wait(10)

    with bound_contextvars(lane="cus_ada"), Threads() as threads:
        started = [threads.start(work) for _ in range(AT_ONCE)]
        assert sorted(future.result() for future in started) == list(range(AT_ONCE))
    assert contexts == [{"lane": "cus_ada"}] * AT_ONCE


@pytest.mark.django_db(transaction=True)
def test_connections_that_threads_opened_end_with_them_and_ours_stays():
    connection.ensure_connection()
    opened = set()

    def work():
        own = connections["default"]
        own.ensure_connection()
        opened.add(own)

    with Threads() as threads:
        for _ in range(2 * AT_ONCE):
            threads.start(work).result()
        assert threads.opened == opened
        assert all(own.connection is not None for own in opened)
    assert connections["default"] not in opened
    assert [own.connection for own in opened] == [None] * len(opened)
    assert connection.connection is not None


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("size", [1, 2, 4])
def test_threads_leave_a_small_pool_of_the_project_a_connection_and_all_is_done(size):
    pytest.importorskip("psycopg_pool")
    without, done = connections["default"], []
    pool = {"min_size": 1, "max_size": size, "timeout": 2}
    settings = without.settings_dict | {"CONN_MAX_AGE": 0, "OPTIONS": without.settings_dict["OPTIONS"] | {"pool": pool}}
    connections["default"] = type(without)(settings, "default")

    def work(key):
        with connection.cursor() as cursor:
            cursor.execute("SELECT %s", [key])
            done.append(cursor.fetchone()[0])

    try:
        connection.ensure_connection()
        each(work, KEYS, lambda: None)
        assert sorted(done) == sorted(KEYS)
    finally:
        connections["default"].close()
        connections["default"].close_pool()
        connections["default"] = without

"""A PostgreSQL behind something that takes each packet and answers none: nobody waits for it for ever."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Timer
from time import monotonic

import pytest
from django.db import OperationalError, connection, connections
from django.db.backends.signals import connection_created

from billing.tests.pgbouncer import needs_pgbouncer, pgbouncer
from billing.tests.silent_proxy import silent_proxy

pytestmark = [pytest.mark.postgres_only, pytest.mark.django_db(transaction=True)]
# A second without an answer, and two questions of a second each; the rest is for a busy machine.
GIVEN_UP_WITHIN = 9


@pytest.fixture(autouse=True)
def impatient(settings):
    settings.BILLING_UNANSWERED_SECONDS = 1


@contextmanager
def line(port, **more):
    """Another connection to the test's database, by this port."""
    new = connections.create_connection("default")
    new.settings_dict = {**new.settings_dict, "HOST": "127.0.0.1", "PORT": port, **more}
    new.settings_dict["OPTIONS"] = {**new.settings_dict["OPTIONS"], "host": "127.0.0.1", "connect_timeout": 2}
    new.inc_thread_sharing()
    try:
        yield new
    finally:
        new.close()


@pytest.fixture
def proxy():
    with silent_proxy() as proxy:
        yield proxy


def ask(new, query):
    with new.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


def seconds_until_given_up(new, query):
    began = monotonic()
    with pytest.raises(OperationalError, match="given up"):
        ask(new, query)
    return monotonic() - began


def test_a_query_that_is_sent_into_silence_is_given_up_and_the_next_asks_anew(proxy):
    with line(proxy.port) as new:
        assert ask(new, "SELECT 1") == 1
        proxy.fall_silent()
        assert seconds_until_given_up(new, "SELECT 2") < GIVEN_UP_WITHIN
        assert ask(connection, "SELECT 3") == 3
        proxy.speak()
        new.close_if_unusable_or_obsolete()
        assert ask(new, "SELECT 4") == 4


def test_so_is_one_whose_answer_is_on_its_way(proxy):
    with line(proxy.port) as new:
        ask(new, "SELECT 1")
        Timer(0.3, proxy.fall_silent).start()
        assert seconds_until_given_up(new, "SELECT pg_sleep(0.6)") < GIVEN_UP_WITHIN


def test_a_commit_in_silence_is_given_up_and_the_transaction_is_over(proxy):
    with line(proxy.port) as new:
        new.set_autocommit(False)
        ask(new, "SELECT 1")
        proxy.fall_silent()
        with pytest.raises(OperationalError, match="given up"):
            new.commit()
        assert new.connection.closed


def test_after_a_failover_the_new_server_says_at_once_that_it_knows_of_no_such_query(proxy):
    with line(proxy.port) as new:
        ask(new, "SELECT 1")
        proxy.fall_silent()
        Timer(0.5, proxy.speak).start()
        assert seconds_until_given_up(new, "SELECT 2") < GIVEN_UP_WITHIN - 3
        new.close_if_unusable_or_obsolete()
        assert ask(new, "SELECT 3") == 3


def test_a_query_that_takes_long_goes_on_to_its_end(proxy):
    with line(proxy.port) as new:
        assert ask(new, "SELECT 7 FROM pg_sleep(3.5)") == 7


def test_a_wait_for_a_lock_goes_on_until_it_is_free(proxy):
    with line(proxy.port) as new, ThreadPoolExecutor(1) as beside:
        ask(connection, "SELECT 1 FROM pg_advisory_lock(190)")
        waiting = beside.submit(ask, new, "SELECT 8 FROM pg_advisory_lock(190)")
        ask(connection, "SELECT 1 FROM pg_sleep(3)")
        assert not waiting.done()
        ask(connection, "SELECT pg_advisory_unlock(190)")
        assert waiting.result(GIVEN_UP_WITHIN) == 8


def test_where_nobody_listens_any_more_it_is_given_up_at_once(proxy):
    with line(proxy.port) as new:
        ask(new, "SELECT 1")
        proxy.vanish()
        assert seconds_until_given_up(new, "SELECT 2") < GIVEN_UP_WITHIN - 3


def test_a_server_that_takes_no_more_connections_has_answered_and_the_query_goes_on(proxy):
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS only_one")
        cursor.execute("CREATE ROLE only_one LOGIN CONNECTION LIMIT 1")
    try:
        with line(proxy.port, USER="only_one") as new:
            assert ask(new, "SELECT 6 FROM pg_sleep(3.5)") == 6
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE only_one")


def test_many_threads_give_up_together_and_one_of_them_asks(proxy):
    made = []
    with line(proxy.port) as one, line(proxy.port) as two, line(proxy.port) as three, line(proxy.port) as four:
        lines = [one, two, three, four]
        for new in lines:
            ask(new, "SELECT 1")
        proxy.fall_silent()
        connection_created.connect(lambda **kwargs: made.append(1), weak=False, dispatch_uid="made")
        try:
            with ThreadPoolExecutor(4) as at_once:
                took = list(at_once.map(lambda new: seconds_until_given_up(new, "SELECT 2"), lines))
        finally:
            connection_created.disconnect(dispatch_uid="made")
    assert max(took) < GIVEN_UP_WITHIN
    assert made == []


def test_without_the_limit_nobody_asks(proxy, settings):
    settings.BILLING_UNANSWERED_SECONDS = 0
    with line(proxy.port) as new, ThreadPoolExecutor(1) as beside:
        ask(new, "SELECT 1")
        proxy.fall_silent()
        waiting = beside.submit(ask, new, "SELECT 2")
        with pytest.raises(TimeoutError):
            waiting.result(5)
        settings.BILLING_UNANSWERED_SECONDS = 1
        with pytest.raises(OperationalError, match="given up"):
            waiting.result(GIVEN_UP_WITHIN)


@needs_pgbouncer
def test_a_long_query_behind_a_pooler_goes_on_although_its_number_is_the_poolers():
    known = connection.settings_dict
    with pgbouncer(known["OPTIONS"].get("host") or known["HOST"], known["USER"]) as port, line(port) as new:
        assert ask(new, "SELECT 9 FROM pg_sleep(3)") == 9

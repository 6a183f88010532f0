"""Forked workers and Django's connection pool: each process reads its own answers."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection, connections

from billing import forking

CHILDREN, QUERIES = 4, 200
FORK = f"""
import os
import django
from django.conf import settings
settings.DATABASES["default"].update(CONN_MAX_AGE=0)
settings.DATABASES["default"]["OPTIONS"]["pool"] = {{"min_size": 2, "max_size": 4}}
django.setup()
from django.db import connection

def answer(number):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s, pg_backend_pid()", [number])
        return cursor.fetchone()

_, parent = answer(0)
children = []
for number in range(1, {CHILDREN} + 1):
    child = os.fork()
    if not child:
        found = [answer(number * 1000 + each) for each in range({QUERIES})]
        right = [number * 1000 + each for each in range({QUERIES})]
        os._exit(not ([said for said, _ in found] == right and parent not in dict(found).values()))
    children.append(child)
wrong = sum(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
print(wrong, answer(7) == (7, parent))
connection.close_pool()
"""


@pytest.mark.postgres_only
def test_forked_processes_make_pools_of_their_own_and_the_parents_goes_on():
    pytest.importorskip("psycopg_pool")
    done = subprocess.run(
        [sys.executable, "-c", FORK],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout.split() == ["0", "True"], done.stderr[-2000:]


@pytest.fixture
def pooled():
    """The connection of this thread, from a pool."""
    pytest.importorskip("psycopg_pool")
    without = connections["default"]
    options = without.settings_dict["OPTIONS"] | {"pool": {"min_size": 1, "max_size": 2}}
    connections["default"] = type(without)(without.settings_dict | {"CONN_MAX_AGE": 0, "OPTIONS": options}, "default")
    yield connections["default"]
    connections["default"].close()
    connections["default"].close_pool()
    connections["default"] = without


def backend():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.mark.postgres_only
@pytest.mark.django_db
def test_a_pool_that_is_left_behind_stays_open_for_whom_it_belongs_to(pooled):
    before, pool, held = backend(), pooled.pool, pooled.connection
    forking.leave_pools_behind()
    assert backend() != before
    assert pooled.pool is not pool
    assert (pool.closed, held.closed) == (False, False)
    pool.putconn(held)
    pool.close()


@pytest.mark.django_db
def test_a_connection_without_a_pool_stays_as_it_is():
    connection.ensure_connection()
    before = connection.connection
    forking.leave_pools_behind()
    assert connection.connection is before

"""Counts are exact, across threads and processes."""

import base64
import os
import pickle
import subprocess
import sys

import pytest
import time_machine
from django.core.cache import caches
from django.db import connection
from django.test import RequestFactory
from django_ratelimit.core import is_ratelimited

from billing.cache import SignedSerializer
from billing.stripe_client import shared_state

from .parallel import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def cache():
    return caches["default"]


def test_a_count_goes_up_by_what_is_said_and_keeps_its_expiry(cache):
    cache.set("count", 5, timeout=60)
    assert cache.incr("count") == 6
    assert cache.incr("count", 4) == 10
    assert cache.decr("count", 1) == 9
    assert cache.get("count") == 9


def test_counting_what_is_not_there_is_an_error(cache):
    with pytest.raises(ValueError, match="not found"):
        cache.incr("nothing")


def test_counting_what_has_expired_is_an_error(cache):
    cache.set("old", 1, timeout=-1)
    with pytest.raises(ValueError, match="not found"):
        cache.incr("old")


def test_an_expired_entry_is_added_anew_and_a_valid_one_is_not(cache):
    cache.set("old", 1, timeout=-1)
    assert cache.add("old", 2, timeout=60)
    assert not cache.add("old", 3, timeout=60)
    assert cache.get("old") == 2


def test_in_the_second_in_which_an_entry_expires_it_is_gone_for_all(cache):
    with time_machine.travel("2026-11-24T12:00:00.5Z", tick=False) as clock:
        cache.set("old", 1, timeout=60)
        clock.shift(60)
        assert cache.get("old") is None
        assert cache.add("old", 2, timeout=60)
        assert cache.incr("old") == 3


def test_a_full_cache_drops_what_has_expired_and_keeps_what_counts(cache, monkeypatch):
    monkeypatch.setattr(cache, "_max_entries", 3)
    cache.set("expired", 1, timeout=-60)
    for number in range(6):
        cache.set(f"valid-{number}", number, timeout=60)
    assert [cache.get(f"valid-{number}") for number in range(6)] == list(range(6))
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM cache WHERE cache_key LIKE '%expired'")
        assert cursor.fetchone()[0] == 0


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_twenty_threads_counting_at_once_lose_nothing():
    caches["default"].set("count", 0, timeout=60)
    counts = at_once(lambda _: caches["default"].incr("count"), 20)
    assert sorted(counts) == list(range(1, 21))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_count_that_begins_while_others_count_loses_nothing():
    def count(key):
        cache = caches["default"]
        try:
            return cache.incr(key)
        except ValueError:
            return 1 if cache.add(key, 1, timeout=60) else cache.incr(key)

    for number in range(10):
        counts = at_once(lambda _, key=f"begun-{number}": count(key), 8)
        assert sorted(counts) == list(range(1, 9))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_only_one_of_many_threads_adds_even_over_an_expired_entry():
    caches["default"].set("first", 0, timeout=-60)
    added = at_once(lambda number: caches["default"].add("first", number, timeout=60), 12)
    assert added.count(True) == 1
    assert added.count(False) == 11


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_rate_limit_lets_exactly_as_many_through_as_it_says():
    request = RequestFactory().get("/")
    refused = at_once(lambda _: is_ratelimited(request, "g", key=lambda *_: "ada", rate="5/d", increment=True), 25)
    assert refused.count(False) == 5
    assert refused.count(True) == 20


COUNT_IN_A_PROCESS = """
import os, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
django.setup()
from django.core.cache import cache
for _ in range(25):
    cache.incr("count")
"""


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_processes_counting_at_once_lose_nothing():
    caches["default"].set("count", 0, timeout=600)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    environment["TEST_DATABASE"] = str(connection.settings_dict["NAME"])
    command = [sys.executable, "-c", COUNT_IN_A_PROCESS]
    processes = [subprocess.Popen(command, env=environment) for _ in range(4)]
    assert [process.wait(60) for process in processes] == [0, 0, 0, 0]
    assert caches["default"].get("count") == 100


def test_stripes_calls_are_counted_where_rate_limits_are(settings):
    """A project whose own cache does not count exactly names another for counting."""
    locmem = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {name: {"BACKEND": locmem, "LOCATION": name} for name in ("default", "billing")}
    settings.RATELIMIT_USE_CACHE = "billing"
    shared_state.count("billing.stripe.test", 3, 60)
    assert (caches["billing"].get("billing.stripe.test"), caches["default"].get("billing.stripe.test")) == (3, None)


# Who can write to the store


class Harm:
    """A pickle that would make a directory in whoever reads it."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def forge(pickled):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cache SET value = %s", [base64.b64encode(pickled).decode()])


@pytest.mark.postgres
def test_a_pickle_that_somebody_wrote_into_the_table_is_not_run(cache, tmp_path):
    cache.set("state", {"open": True}, timeout=60)
    assert cache.get("state") == {"open": True}
    forge(pickle.dumps(Harm(tmp_path / "direct")))
    assert cache.get("state", "nothing") == "nothing"
    forge(pickle.dumps(base64.b64encode(pickle.dumps(Harm(tmp_path / "unsigned"))).decode() + ":signature"))
    assert cache.get("state", "nothing") == "nothing"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("junk", [b"", b"junk", pickle.dumps(None), pickle.dumps(["a"]), pickle.dumps("a:b")])
def test_junk_in_the_table_reads_as_nothing_and_can_be_written_over(cache, junk):
    cache.set("state", 1, timeout=60)
    forge(junk)
    assert cache.get("state") is None
    with pytest.raises(ValueError, match="not found"):
        cache.incr("state")
    cache.set("state", 2, timeout=60)
    assert cache.get("state") == 2


def test_what_another_key_signed_is_not_ours(cache, settings):
    cache.set("state", ["a"], timeout=60)
    settings.SECRET_KEY = "another-" * 8
    assert cache.get("state") is None


@pytest.mark.parametrize("value", [0, -7, 2**80, True, 1.5, "text", "12", None, ["a", {"b": (1, 2)}], b"bytes"])
def test_a_value_comes_back_as_it_went_in(cache, value):
    cache.set("value", value, timeout=60)
    found = cache.get_many(["value", "absent"])
    assert found == {"value": value}
    assert type(found["value"]) is type(value)
    assert SignedSerializer().loads(str(SignedSerializer().dumps(value)).encode()) == value


def test_redis_is_read_likewise(tmp_path):
    serializer = SignedSerializer()
    assert serializer.loads(pickle.dumps(Harm(tmp_path / "redis"))) is None
    assert list(tmp_path.iterdir()) == []
    assert serializer.dumps(5) == 5, "Redis counts whole numbers itself"

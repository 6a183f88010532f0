"""This cache counts exactly in the database: rate limits hold across threads, processes and machines.

Django keeps pickles in a cache, and whoever can write a pickle there runs code in every process that reads it. So
entries are signed with SECRET_KEY, in the database and, by `SignedSerializer`, in Redis. Unsigned entries are ignored.
"""

import base64
import io
import logging
import pickle
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, NoReturn, TypeVar

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.signing import BadSignature, Signer
from django.db import connections, router, transaction
from django.utils import timezone

log = logging.getLogger(__name__)

T = TypeVar("T")

AWAY_SECONDS = 5.0
WHOLE_NUMBER = re.compile(r"-?[0-9]+", re.ASCII)


class SignedSerializer:
    """Serialize entries for Django's RedisCache: `OPTIONS = {"serializer": "billing.cache.SignedSerializer"}`.

    Whole numbers are stored as they are, so that Redis counts them; anything else is pickled and signed. An unsigned
    value reads as None.
    """

    @property
    def signer(self) -> Signer:
        return Signer(salt="billing.cache")

    def dumps(self, value: Any) -> Any:
        if type(value) is int:
            return value
        return self.signer.sign(base64.b64encode(pickle.dumps(value, pickle.HIGHEST_PROTOCOL)).decode())

    def loads(self, stored: Any) -> Any:
        try:
            return self.opened(stored.decode("latin1") if isinstance(stored, bytes) else str(stored))
        except BadSignature:
            return None

    def opened(self, text: str) -> Any:
        """Return the value of a stored text. Raises BadSignature for a text that we did not sign."""
        if WHOLE_NUMBER.fullmatch(text):
            return int(text)
        return pickle.loads(base64.b64decode(self.signer.unsign(text)))  # noqa: S301  signed by us


class _TextOnly(pickle.Unpickler):
    """Unpickle the text that Django's cache wraps, and refuse a pickle that names a class or function."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError


def counting_cache() -> BaseCache:
    """Return the cache that counts rate limits, calls to Stripe and outages: django-ratelimit's, or the default one."""
    return caches[counting_cache_name()]


def counting_cache_name() -> str:
    return getattr(settings, "RATELIMIT_USE_CACHE", DEFAULT_CACHE_ALIAS)


class CacheAway(Exception):
    """The cache does not answer: each process is on its own for a while."""


class _Absence:
    """This process asks the counting cache again a few seconds after it did not answer."""

    until = float("-inf")


def ask(work: Callable[[], T]) -> T:
    """Return what the counting cache answers. Raises CacheAway, at once if it was away a moment ago, and what its
    backend raises about a wrong question, a ValueError."""
    if time.monotonic() < _Absence.until:
        raise CacheAway
    try:
        return work()
    except ValueError:
        raise
    except Exception as error:
        _Absence.until = time.monotonic() + AWAY_SECONDS
        log.warning("cache away, each process counts for itself", extra={"error": type(error).__name__})
        raise CacheAway from error


def ask_again() -> None:
    """Ask the cache the next time, whatever happened the last time."""
    _Absence.until = float("-inf")


def counts_exactly() -> bool:
    """Return whether all processes count together now: the cache answers, and is not one that each has for itself."""
    if isinstance(counting_cache(), LocMemCache | DummyCache):
        return False
    try:
        ask(lambda: counting_cache().get("billing.cache"))
    except CacheAway:
        return False
    return True


class ExactDatabaseCache(DatabaseCache):
    """This database cache has atomic `add` and `incr`, on PostgreSQL and SQLite, and never culls a valid entry.

    Both begin by writing to the key's row, so every other writer of the key waits until we have committed.
    """

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        stored_key = self.make_and_validate_key(key, version=version)
        with transaction.atomic(using=self._alias):
            self._execute("DELETE FROM {table} WHERE cache_key = %s AND expires < %s", stored_key, self._now())
            return bool(super().add(key, value, timeout, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Add `delta` and keep the entry's expiry. Raises ValueError if there is no entry."""
        stored_key = self.make_and_validate_key(key, version=version)
        with transaction.atomic(using=self._alias):
            is_ours = self._execute("UPDATE {table} SET expires = expires WHERE cache_key = %s", stored_key)
            # Stored a moment after we looked, it is not locked by us, and others count as well.
            count = self.get(key, version=version) if is_ours else None
            if count is None:
                raise ValueError(f"Key '{key}' not found")
            self._execute("UPDATE {table} SET value = %s WHERE cache_key = %s", _wrapped(count + delta), stored_key)
        return int(count + delta)

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        """Return the entries that we signed and that have not expired."""
        asked = {self.make_and_validate_key(key, version=version): key for key in keys}
        if not asked:
            return {}
        connection = connections[self._alias]  # a replica has not yet what was just counted
        table = connection.ops.quote_name(self.cache_model_class._meta.db_table)
        marks = ", ".join(["%s"] * len(asked))
        query = f"SELECT cache_key, value FROM {table} WHERE cache_key IN ({marks}) AND expires >= %s"  # noqa: S608  no values in it
        with connection.cursor() as cursor:
            cursor.execute(query, [*asked, self._now()])
            found = cursor.fetchall()
        return {asked[key]: value for key, stored in found for value in _unwrapped(stored)}

    def has_key(self, key: str, version: int | None = None) -> bool:
        return key in self.get_many([key], version=version)

    def _base_set(self, mode: str, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT) -> bool:
        signed = str(SIGNED.dumps(value))
        return bool(super()._base_set(mode, key, signed, timeout))  # type: ignore[misc]  # private, not in the stubs

    def _cull(self, db: str, cursor: Any, now: datetime, num: int) -> None:
        """Delete expired entries only: a counter culled early would start again at one."""
        self._execute("DELETE FROM {table} WHERE expires < %s", self._now())

    @property
    def _alias(self) -> str:
        return router.db_for_write(self.cache_model_class)

    def _now(self) -> Any:
        return connections[self._alias].ops.adapt_datetimefield_value(timezone.now())

    def _execute(self, sql: str, *values: Any) -> int:
        connection = connections[self._alias]
        with connection.cursor() as cursor:
            table = connection.ops.quote_name(self.cache_model_class._meta.db_table)
            cursor.execute(sql.format(table=table), values)
            return cursor.rowcount


SIGNED = SignedSerializer()


def _wrapped(value: Any) -> str:
    """Return a value as `_base_set` stores it."""
    return base64.b64encode(pickle.dumps(str(SIGNED.dumps(value)))).decode()


def _unwrapped(stored: str) -> Iterator[Any]:
    """Yield the stored value, if we signed it."""
    with suppress(BadSignature, pickle.UnpicklingError, ValueError, TypeError, LookupError, EOFError):
        yield SIGNED.opened(_TextOnly(io.BytesIO(base64.b64decode(stored))).load())

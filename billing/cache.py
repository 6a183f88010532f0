"""Django's database cache, made exact for counting: rate limits hold across threads, processes and machines."""

import base64
import pickle
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router, transaction
from django.utils import timezone


def counting_cache() -> BaseCache:
    """Where rate limits, Stripe's calls and its outages are counted: django-ratelimit's cache, else the default one."""
    return caches[counting_cache_name()]


def counting_cache_name() -> str:
    return getattr(settings, "RATELIMIT_USE_CACHE", DEFAULT_CACHE_ALIAS)


class ExactDatabaseCache(DatabaseCache):
    """`add` and `incr` are atomic, on PostgreSQL and on SQLite; an entry still valid is never culled.

    Both begin by writing to the key's row: every other writer of the key waits for that until we have committed.
    """

    def add(self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        stored_key = self.make_and_validate_key(key, version=version)
        with transaction.atomic(using=self._alias):
            self._execute("DELETE FROM {table} WHERE cache_key = %s AND expires < %s", stored_key, self._now())
            return bool(super().add(key, value, timeout, version))

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Keeps the entry's expiry. Raises ValueError when there is none."""
        stored_key = self.make_and_validate_key(key, version=version)
        with transaction.atomic(using=self._alias):
            is_ours = self._execute("UPDATE {table} SET expires = expires WHERE cache_key = %s", stored_key)
            # Stored a moment after we looked, it is not locked by us, and others count as well.
            count = self.get(key, version=version) if is_ours else None
            if count is None:
                raise ValueError(f"Key '{key}' not found")
            pickled = base64.b64encode(pickle.dumps(count + delta, self.pickle_protocol)).decode("latin1")
            self._execute("UPDATE {table} SET value = %s WHERE cache_key = %s", pickled, stored_key)
        return int(count + delta)

    def _cull(self, db: str, cursor: Any, now: datetime, num: int) -> None:
        """Only what has expired: a counter culled early would start again at one."""
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

"""A test that commits leaves the database empty, for what it costs to empty the tables that it filled.

Django's way empties all tables and makes permissions and content types anew: 209 statements on SQLite, and on
PostgreSQL a TRUNCATE of all tables, which waits for the disk.
"""

from typing import Any

from django.db import connections, transaction
from django.test import TransactionTestCase

Rows = dict[str, list[tuple[Any, ...]]]

_made_at_start: dict[str, Rows] = {}
_test_case: Any = TransactionTestCase  # its stubs leave the method out
_empty_all = _test_case._fixture_teardown


def use() -> None:
    _test_case._fixture_teardown = _empty_filled


def _empty_filled(self: Any) -> None:
    """Empty what is filled, but for the rows that Django's way would make again: they stay, if the test left them so.

    A test that changed those, or that wants more of its end than an empty database, ends in Django's way.
    """
    aliases = list(self._databases_names(include_mirrors=False))
    is_plain = self.available_apps is None and not self.serialized_rollback
    if is_plain and all(_is_as_made(alias) for alias in aliases):
        for alias in aliases:
            _delete(alias, _filled(alias) - _made_at_start[alias].keys())
        return
    _empty_all(self)
    if is_plain:
        _made_at_start.update({alias: _rows(alias, _filled(alias)) for alias in aliases})


def _is_as_made(alias: str) -> bool:
    made = _made_at_start.get(alias)
    return made is not None and _rows(alias, made) == made


def _filled(alias: str) -> set[str]:
    connection = connections[alias]
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    asked = (f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(table)})" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return {table for (table,) in cursor.fetchall()}


def _rows(alias: str, tables: Any) -> Rows:
    connection, found = connections[alias], {}
    with connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)} ORDER BY 1")
            found[table] = cursor.fetchall()
    return found


def _delete(alias: str, tables: set[str]) -> None:
    """Delete in one transaction: what a row refers to is looked for at its end."""
    connection = connections[alias]
    with transaction.atomic(using=alias), connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")

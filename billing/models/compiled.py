"""A query that is asked all the time is turned into SQL once: Django would do so each time, which takes longer than the
database needs to answer."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, Field, QuerySet


class Hole(Expression):
    """A hole stands in a query for a value that is given when it is asked."""

    def __init__(self, name: str, output_field: "Field[Any, Any]") -> None:
        super().__init__(output_field=output_field)
        self.name = name

    def as_sql(self, _compiler: Any, _connection: Any) -> tuple[str, Any]:
        return "%s", (self,)

    def filled(self, values: dict[str, Any], connection: Any) -> Any:
        return self.output_field.get_db_prep_value(values[self.name], connection)


class Compiled:
    """A compiled query is asked by `rows(name=value)`, with a value for each of its holes.

    `build` returns the queryset, of the default database. Its SQL is kept unless `varies`, which is asked each time,
    says that `build` may return another one next time, as where a host project's manager has a say.
    """

    def __init__(self, build: Callable[[], QuerySet[Any]], varies: Callable[[], bool] = lambda: False) -> None:
        self._build, self._varies = build, varies
        self._made: dict[str, _Made] = {}

    def rows(self, **values: Any) -> list[Any]:
        made = self._make()
        if not made.sql:
            return []
        connection = connections[made.alias]
        filled = tuple(each.filled(values, connection) if isinstance(each, Hole) else each for each in made.params)
        compiler = copy.copy(made.compiler)
        compiler.connection = connection
        compiler.as_sql = lambda *_args, **_options: (made.sql, filled)
        query: Any = _Asked(compiler)
        return list(QuerySet(made.compiler.query.model, query=query, using=made.alias))

    def _make(self) -> "_Made":
        if self._varies():
            return _Made.of(self._build())
        vendor = connections[DEFAULT_DB_ALIAS].vendor
        return self._made.get(vendor) or self._made.setdefault(vendor, _Made.of(self._build()))


@dataclass(frozen=True)
class _Made:
    """A query was turned into SQL for a database; "" where Django knows without asking that it finds nothing."""

    alias: str
    compiler: Any
    sql: str
    params: tuple[Any, ...]

    @classmethod
    def of(cls, rows: QuerySet[Any]) -> "_Made":
        compiler = rows.query.get_compiler(using=rows.db)
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            sql, params = "", ()
        return cls(rows.db, compiler, sql, params)


class _Asked:
    """This query has its compiler already, which is all that a queryset asks of a query to read its rows."""

    def __init__(self, compiler: Any) -> None:
        self._compiler = compiler

    def get_compiler(self, **_database: Any) -> Any:
        return self._compiler

"""Triggers note each change of what access is decided by, whoever makes it: our code, the admin, or a hand in SQL.

They are installed by `migrate`, on PostgreSQL and SQLite. A use that is counted by what was decided before
compares what was noted since (`billing.usage.kept`); where there are no triggers, nothing is kept.
"""

from typing import Any

from django.db import connections, transaction

from billing.models import (
    AccessChange,
    AccountDeletion,
    AddOn,
    Credit,
    Customer,
    Grant,
    Hold,
    LimitOverride,
    Plan,
    PlanLimit,
    Price,
    Subscription,
)

PREFIX = AccessChange.SUBSCRIBER
OPERATIONS = {"INSERT": ("NEW",), "UPDATE": ("OLD", "NEW"), "DELETE": ("OLD",)}


def install(using: str = "default", **_: Any) -> None:
    """Make the triggers that are missing or differ, those of a table in one transaction: no change goes unnoticed, and
    whoever writes meanwhile waits for one table at most."""
    connection = connections[using]
    make = {"postgresql": _postgresql, "sqlite": _sqlite}.get(connection.vendor)
    if make is None or AccessChange._meta.db_table not in connection.introspection.table_names():
        return
    there = _there(connection)
    for model, keys in _watched().items():
        made = make(model, keys)
        if not made.keys() <= there:
            with transaction.atomic(using=using), connection.cursor() as cursor:
                for statements in made.values():
                    for statement in statements:
                        cursor.execute(statement)


def missing(using: str = "default") -> list[str]:
    """Return the tables of which a trigger is missing or differs; none on a database that we have no triggers for."""
    connection = connections[using]
    make = {"postgresql": _postgresql, "sqlite": _sqlite}.get(connection.vendor)
    if make is None:
        return []
    there = _there(connection)
    return sorted(model._meta.db_table for model, keys in _watched().items() if not make(model, keys).keys() <= there)


def _there(connection: Any) -> set[str]:
    """Return what the triggers of the database do."""
    query = "SELECT sql FROM sqlite_master WHERE type = 'trigger'"
    if connection.vendor == "postgresql":
        query = "SELECT p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return {text for (text,) in cursor.fetchall()}


def _watched() -> dict[Any, tuple[str, ...]]:
    """Return for each table what the keys of a row are, with `{row}` for the row."""
    subscriber = f"'{PREFIX}' || CAST({{row}}.subscriber_id AS TEXT)"
    customers = Customer._meta.db_table
    theirs = f"'{PREFIX}' || CAST(c.subscriber_id AS TEXT)"
    by_customer = f"(SELECT {theirs} FROM {customers} c WHERE c.id = {{row}}.customer_id)"  # noqa: S608 (names of ours)
    catalogue = f"'{AccessChange.CATALOGUE}'"
    return {
        **dict.fromkeys((AddOn, Plan, PlanLimit, Price), (catalogue,)),
        **dict.fromkeys((Customer, Grant, LimitOverride, Credit), (subscriber,)),
        **dict.fromkeys((Subscription, Hold), (by_customer,)),
        AccountDeletion: (subscriber, by_customer),
    }


def _insert(keys: tuple[str, ...], rows: tuple[str, ...]) -> str:
    parts = " UNION ".join(f"SELECT {key.format(row=row)} AS key" for row in rows for key in keys)
    noted = AccessChange._meta.db_table
    return f"INSERT INTO {noted} (key) SELECT key FROM ({parts}) AS keys WHERE key IS NOT NULL;"  # noqa: S608


def _condition(model: Any, operation: str) -> str:
    """Return when a row counts: of credits only what there is more to spend of, for what is kept has none."""
    return 'WHEN (NEW."left" > OLD."left")' if (model, operation) == (Credit, "UPDATE") else ""


def _postgresql(model: Any, keys: tuple[str, ...]) -> dict[str, list[str]]:
    """Return what each trigger does → the statements that make it."""
    table, made = model._meta.db_table, {}
    for operation, rows in OPERATIONS.items():
        name = f"{table}_noted_{operation.lower()}"
        when = _condition(model, operation)
        body = f"/* {name} {when} */ BEGIN {_insert(keys, rows)} RETURN NULL; END"
        made[body] = [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body${body}$body$",
            f"DROP TRIGGER IF EXISTS {name} ON {table}",
            f"CREATE TRIGGER {name} AFTER {operation} ON {table} FOR EACH ROW {when} EXECUTE FUNCTION {name}()",
        ]
    return made


def _sqlite(model: Any, keys: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the text of each trigger → the statements that make it."""
    table, made = model._meta.db_table, {}
    for operation, rows in OPERATIONS.items():
        name = f"{table}_noted_{operation.lower()}"
        when = _condition(model, operation)
        text = f"CREATE TRIGGER {name} AFTER {operation} ON {table} FOR EACH ROW {when} BEGIN {_insert(keys, rows)} END"
        made[text] = [f"DROP TRIGGER IF EXISTS {name}", text]
    return made

"""Events are applied by statements that SQLite and PostgreSQL have, on one database that reads what was written."""

from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, router

from billing.conf import conf

from .problems import Check, Problem, finds

SUPPORTED = {"postgresql", "sqlite"}
APPS = (conf.app_label, "djstripe")


@finds("billing.E014")
def check_routers() -> Problem:
    """DATABASE_ROUTERS reads and writes every model of billing and djstripe on the default database.

    A replica lags behind: a worker that reads there does not find the lane it has just taken, or the row it has made.
    """
    elsewhere = {
        f"{model._meta.label} ({', '.join(sorted(aliases))})"
        for label in APPS
        for model in apps.get_app_config(label).get_models()
        if (aliases := _aliases(model)) != {DEFAULT_DB_ALIAS}
    }
    if not elsewhere:
        return None
    return (
        f"Events would not be applied: {len(elsewhere)} models live elsewhere, {min(elsewhere)} first.",
        'Let the first router return "default" for reads and writes of the apps "billing", "djstripe" and "django_q".',
    )


def _aliases(model: Any) -> set[str]:
    return {router.db_for_read(model), router.db_for_write(model)}


@finds("billing.E015")
def check_database() -> Problem:
    """The default database is PostgreSQL, or SQLite."""
    if connection.vendor in SUPPORTED:
        return None
    return (
        f"billing cannot store Stripe's events on {connection.display_name}.",
        'Use PostgreSQL as DATABASES["default"]; SQLite suits a single machine.',
    )


@finds("billing.W003")
def check_sqlite() -> Problem:
    """Writers queue for the database if it is SQLite."""
    database = settings.DATABASES[DEFAULT_DB_ALIAS]
    is_queued = database.get("OPTIONS", {}).get("transaction_mode") == "IMMEDIATE"
    if database["ENGINE"] != "django.db.backends.sqlite3" or is_queued:
        return None
    return (
        'SQLite fails with "database is locked" when site and worker write at once.',
        'Set DATABASES["default"]["OPTIONS"] to SQLITE_OPTIONS of billing.hosting, or use PostgreSQL.',
    )


CHECKS: tuple[Check, ...] = (check_routers, check_database, check_sqlite)

"""Events are applied by statements that SQLite and PostgreSQL have, on one database that reads what was written."""

from contextlib import suppress

from django.apps import apps
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, router
from django.db.migrations.recorder import MigrationRecorder

from billing.conf import conf

from .problems import Check, Problem, finds

# What dj-stripe 2.5 to 2.8 and what 2.9 have recorded in django_migrations.
OF_DJSTRIPE_2_8 = {"0008_2_5", "0009_2_6", "0010_alter_customer_balance", "0011_2_7", "0012_2_8"}
LAST_OF_DJSTRIPE_2_9 = "0014_2_9a"
SUPPORTED = {"postgresql", "sqlite"}


@finds("billing.E014")
def check_routers() -> Problem:
    """DATABASE_ROUTERS reads and writes billing, djstripe and django_q on the default database, and writes users there.

    A replica lags behind: a worker that reads there does not find the lane it has just taken, or the row it has made.
    Subscribers may be read there by the host project; billing reads them where it writes.
    """
    elsewhere = [
        f"{model._meta.label} ({', '.join(sorted(aliases))})"
        for label in _apps()
        for model in apps.get_app_config(label).get_models()
        if (aliases := {router.db_for_read(model), router.db_for_write(model)}) != {DEFAULT_DB_ALIAS}
    ]
    if (alias := _of_subscribers()) != DEFAULT_DB_ALIAS:
        elsewhere.append(f"{conf.subscriber_model} ({alias})")
    if not elsewhere:
        return None
    return (
        f"Events would not be applied: {len(elsewhere)} models live elsewhere, {elsewhere[0]} first.",
        'Let the first router return "default" for reads and writes of the apps "billing", "djstripe" and "django_q".',
    )


def _apps() -> list[str]:
    is_queue = conf.queue == "django-q2" and apps.is_installed("django_q")
    return [conf.app_label, "djstripe", *(["django_q"] if is_queue else [])]


def _of_subscribers() -> str:
    """Return where subscribers are written; of a model that is not installed another check speaks."""
    with suppress(LookupError, ValueError):
        return router.db_for_write(apps.get_model(conf.subscriber_model))
    return DEFAULT_DB_ALIAS


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


@finds("billing.E241", reads_database=True)
def check_djstripe_tables() -> Problem:
    """dj-stripe's tables, where they are older than billing, are those of dj-stripe 2.9 at least; E017's commands look.

    dj-stripe 2.10 began its migrations anew, where those of 2.9 end, under the name that the first one always had. On
    the tables of 2.8 Django takes it for done, and tables and columns of 2.9 are missing.
    """
    applied = {name for label, name in MigrationRecorder(connection).applied_migrations() if label == "djstripe"}
    if not applied & OF_DJSTRIPE_2_8 or LAST_OF_DJSTRIPE_2_9 in applied:
        return None
    last = max(applied)
    return (
        f"dj-stripe's tables are those of a release before 2.9: the last of its migrations here is {last}.",
        "Before billing is installed, migrate with dj-stripe==2.9.*: see docs/upgrading.md#dj-stripe-before-29.",
    )


CHECKS: tuple[Check, ...] = (check_routers, check_database, check_sqlite, check_djstripe_tables)

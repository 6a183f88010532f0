"""Apps, tables, commands and templates of the project may have the names of ours. Each has a way round."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from billing import commands
from billing.conf import conf

from .problems import Check, Problem, finds

ANOTHER_LABEL = (
    'Set BILLING_APP_LABEL to a name that is free, for example "stripe_billing": the tables are then called '
    "stripe_billing_…. See docs/integration.md#names-that-are-taken."
)
HERE = Path(__file__).parents[2]


@finds("billing.E016")
def check_models() -> Problem:
    """No model of another app has a table with the name of one of billing's."""
    ours = _tables()
    models: Any = apps.get_models(include_auto_created=True)
    others = (model._meta for model in models if model._meta.app_label != conf.app_label)
    taken = sorted(f"{meta.db_table} (of {meta.label})" for meta in others if meta.db_table in ours)
    if not taken:
        return None
    return f"Models of another app have tables with the names of billing's: {', '.join(taken)}.", ANOTHER_LABEL


@finds("billing.E017", reads_database=True)
def check_tables() -> Problem:
    """No table in the database has the name of one of billing's; `migrate`, `setup`, `check --database default` look.

    Before our migration has run, none of our tables may be there. All of them are ours, made without migrations, as a
    test database may be. If the migration is recorded and the table of events is missing, another app had our label.
    """
    if MigrationLoader.migrations_module(conf.app_label)[0] is None:
        return None
    present = set(connection.introspection.table_names())
    is_recorded = (conf.app_label, "0001_initial") in MigrationRecorder(connection).applied_migrations()
    if is_recorded and conf.events_table not in present:
        return (
            f'Another app labelled "{conf.app_label}" was migrated here (django_migrations), so ours would not be.',
            ANOTHER_LABEL,
        )
    taken = sorted(_tables() & present)
    if is_recorded or not taken or len(taken) == len(_tables()):
        return None
    return f"The database has tables with the names of billing's: {', '.join(taken)}.", ANOTHER_LABEL


def _tables() -> set[str]:
    models: Any = apps.get_app_config(conf.app_label).get_models(include_auto_created=True)
    return {model._meta.db_table for model in models if model._meta.managed and not model._meta.proxy}


@finds("billing.W013")
def check_commands() -> Problem:
    """No app before billing in INSTALLED_APPS has a command of the same name as one of billing's."""
    hidden = commands.hidden()
    if not hidden:
        return None
    named = ", ".join(f"{name} (of {owner})" for name, owner in hidden.items())
    before = f'Put "billing" before {", ".join(sorted(set(hidden.values())))} in INSTALLED_APPS'
    if commands.PREFIX in hidden:
        return f"Commands of another app hide those of billing: {named}.", f"{before}."
    example = next(iter(hidden))
    return (
        f"Commands of another app hide those of billing: {named}.",
        f'Write "manage.py {commands.PREFIX} {example}" for ours, and silence this check. Or: {before}.',
    )


@finds("billing.W014")
def check_files() -> Problem:
    """If BILLING_APP_LABEL is set, the app labelled "billing" has no templates and static files with names of ours."""
    other = apps.app_configs.get("billing")
    if conf.app_label == "billing" or other is None:
        return None
    same = sorted(name for name in _files(HERE) if (Path(other.path) / name).is_file())
    if not same:
        return None
    return (
        f"{len(same)} files of {other.name} hide ours, or are hidden: {same[0]} first.",
        "Rename yours, or move them into another folder: ours stay in billing/, whatever the label is.",
    )


def _files(app: Path) -> Iterator[str]:
    """Return the templates and static files of an app, by their path in it."""
    for kind in ("templates", "static"):
        yield from (str(path.relative_to(app)) for path in (app / kind).rglob("*.*"))


CHECKS: tuple[Check, ...] = (check_commands, check_models, check_tables, check_files)

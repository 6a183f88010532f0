"""The database is prepared in seconds: tables, cache table, plans, schedules. Every step is safe to repeat."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from . import no_migrations

MIRROR = "djstripe"
OURS = ("billing", "billing_mail")
# They do more than the models say.
OWN_WORK = (operations.RunPython, operations.RunSQL, operations.SeparateDatabaseAndState)


def create_tables() -> bool:
    """Migrate; return True if the fast way was taken.

    dj-stripe's migrations take 80 to 120 s to build the tables that its models describe, and ours take 7. Of these
    apps, those of which no migration has run are made so:

    1. Migrate all others, as if these apps had neither migrations nor models.

    2. Create their tables from their models.

    3. Record their migrations as run.

    Each step does only what is missing, so the next run completes one that was interrupted.
    """
    made_from_models = _apps_to_make_from_models()
    if made_from_models:
        with _migration_modules(dict.fromkeys(made_from_models, no_migrations.__name__)):
            _migrate()
        with _migration_modules(dict.fromkeys(made_from_models)):
            _migrate(run_syncdb=True)
        for label in made_from_models:
            _migrate(app_label=label, fake=True)
    _migrate()
    call_command("createcachetable", verbosity=0)
    return bool(made_from_models)


def _apps_to_make_from_models() -> list[str]:
    """Return the apps of which no migration has run, without those whose migrations do more than create tables, or
    that another app's migrations need."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    disk = loader.disk_migrations
    applied = {app for app, _ in MigrationRecorder(connection).applied_migrations()}
    labels = [label for label in (*OURS, MIRROR) if label not in applied and any(app == label for app, _ in disk)]
    do_more = {app for (app, _), each in disk.items() if any(isinstance(done, OWN_WORK) for done in each.operations)}
    left = [label for label in labels if label == MIRROR or label not in do_more]
    while needed := {named for (app, _), each in disk.items() if app not in left for named in _names(each)} & {*left}:
        left = [label for label in left if label not in needed]
    return left


def _names(migration: Migration) -> set[str]:
    return {app for app, _ in (*migration.dependencies, *migration.run_before)}


def _migrate(**options: Any) -> None:
    call_command("migrate", interactive=False, verbosity=0, **options)


@contextmanager
def _migration_modules(modules: dict[str, str | None]) -> Iterator[None]:
    before = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {**before, **modules}
    try:
        yield
    finally:
        settings.MIGRATION_MODULES = before

"""A database made ready: tables in seconds, cache table, plans, schedules. Every step is safe to repeat."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils.module_loading import import_string
from django_q.models import Schedule

MIRROR = "djstripe"


def create_tables() -> bool:
    """Migrate; True if it went the fast way.

    dj-stripe's migrations take 80 to 120 s to arrive at the tables its models describe. Where none of them has run:

    1. Migrate all else as if dj-stripe had no migrations, so that the tables it refers to exist.
    2. Create its tables from its models.
    3. Record its migrations as run.

    Each step does only what is missing, so that one broken off is completed by the next run.
    """
    is_fast = not _has_run(MIRROR)
    if is_fast:
        with _without_migrations(MIRROR):
            _migrate()
            _migrate(run_syncdb=True)
        _migrate(app_label=MIRROR, fake=True)
    _migrate()
    call_command("createcachetable", verbosity=0)
    return is_fast


def create_schedules() -> int:
    """How many were missing. An app's `schedules` in its AppConfig: dotted path of a task → every how many minutes.

    A task that takes longer than the queue allows says so by its attribute `queue_timeout`, seconds.
    """
    made = 0
    for task, minutes in declared_schedules().items():
        defaults = {"func": task, "schedule_type": Schedule.MINUTES, "minutes": minutes}
        if seconds := getattr(import_string(task), "queue_timeout", None):
            defaults["kwargs"] = f"q_options={{'timeout': {seconds}}}"
        _, is_new = Schedule.objects.get_or_create(name=task, defaults=defaults)
        made += is_new
    return made


def declared_schedules() -> dict[str, int]:
    return {task: every for app in apps.get_app_configs() for task, every in getattr(app, "schedules", {}).items()}


def _has_run(app_label: str) -> bool:
    applied = MigrationRecorder(connection).applied_migrations()
    return any(app == app_label for app, _ in applied)


def _migrate(**options: Any) -> None:
    call_command("migrate", interactive=False, verbosity=0, **options)


@contextmanager
def _without_migrations(app_label: str) -> Iterator[None]:
    before = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {**before, app_label: None}
    try:
        yield
    finally:
        settings.MIGRATION_MODULES = before

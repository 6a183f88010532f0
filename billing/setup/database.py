"""The database is prepared in seconds: tables, cache table, plans, schedules. Every step is safe to repeat."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import reduce
from operator import or_
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F, Q, QuerySet
from django.utils.module_loading import import_string
from django_q.models import Schedule

MIRROR = "djstripe"


def create_tables() -> bool:
    """Migrate; return True if the fast way was taken.

    dj-stripe's migrations take 80 to 120 s to build the tables that its models describe. If none of them has run:

    1. Migrate everything else as if dj-stripe had no migrations, so that the tables it refers to exist.

    2. Create its tables from its models.

    3. Record its migrations as run.

    Each step does only what is missing, so the next run completes one that was interrupted.
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
    """Make missing schedules, and drop those that no app declares any more. Return how many were made.

    An app declares them by `schedules` in its AppConfig: the dotted path of a task → the minutes between runs. A task
    that takes longer than the queue allows says so by its attribute `queue_timeout`, in seconds.
    """
    declared = declared_schedules()
    with transaction.atomic():
        _wait_for_other_hosts()
        _of_ours().exclude(name__in=declared).delete()
        return sum(_create_schedule(task, minutes) for task, minutes in declared.items())


def _wait_for_other_hosts() -> None:
    """Lock a row that every host has: a schedule's name is not unique, so two hosts would each make their own."""
    list(ContentType.objects.select_for_update().filter(app_label="django_q", model="schedule"))


def _create_schedule(task: str, minutes: int) -> bool:
    """Create the schedule and return True; or keep the oldest of those that are there, and drop the others."""
    there = list(Schedule.objects.filter(name=task).order_by("pk").values_list("pk", flat=True))
    Schedule.objects.filter(pk__in=there[1:], func=task).delete()
    if not there:
        seconds = getattr(import_string(task), "queue_timeout", None)
        kwargs = f"q_options={{'timeout': {seconds}}}" if seconds else None
        repeated = {"schedule_type": Schedule.MINUTES, "minutes": minutes}
        Schedule.objects.create(name=task, func=task, kwargs=kwargs, **repeated)
    return not there


def declared_schedules() -> dict[str, int]:
    return {task: every for app in apps.get_app_configs() for task, every in getattr(app, "schedules", {}).items()}


def _of_ours() -> QuerySet[Schedule]:
    """Return the schedules that this command made: each runs every so many minutes and is named after its task, which
    belongs to an app that declares schedules."""
    declaring = [app.name for app in apps.get_app_configs() if hasattr(app, "schedules")]
    in_them = (Q(name__startswith=f"{name}.") for name in declaring)
    return Schedule.objects.filter(reduce(or_, in_them), name=F("func"), schedule_type=Schedule.MINUTES)


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

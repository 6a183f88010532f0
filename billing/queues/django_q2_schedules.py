"""django-q2 keeps schedules in a table of its own."""

from functools import reduce
from operator import or_

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django_q.models import Schedule

from .tasks import seconds_allowed


def keep(declared: dict[str, int]) -> int:
    """Make missing schedules, and drop those of ours that are not declared. Return how many were made."""
    with transaction.atomic():
        _wait_for_other_hosts()
        _of_ours().exclude(name__in=declared).delete()
        return sum(_create(task, minutes) for task, minutes in declared.items())


def _wait_for_other_hosts() -> None:
    """Lock a row that every host has: a schedule's name is not unique, so two hosts would each make their own."""
    list(ContentType.objects.select_for_update().filter(app_label="django_q", model="schedule"))


def _create(task: str, minutes: int) -> bool:
    """Create the schedule and return True; or keep the oldest of those that are there, and drop the others."""
    there = list(Schedule.objects.filter(name=task).order_by("pk").values_list("pk", flat=True))
    Schedule.objects.filter(pk__in=there[1:], func=task).delete()
    if not there:
        seconds = seconds_allowed(task)
        kwargs = f"q_options={{'timeout': {seconds}}}" if seconds else None
        repeated = {"schedule_type": Schedule.MINUTES, "minutes": minutes}
        Schedule.objects.create(name=task, func=task, kwargs=kwargs, **repeated)
    return not there


def _of_ours() -> QuerySet[Schedule]:
    """Return the schedules that this module made: each runs every so many minutes and is named after its task, which
    belongs to an app that declares schedules."""
    declaring = [app.name for app in apps.get_app_configs() if hasattr(app, "schedules")]
    in_them = (Q(name__startswith=f"{name}.") for name in declaring)
    return Schedule.objects.filter(reduce(or_, in_them), name=F("func"), schedule_type=Schedule.MINUTES)

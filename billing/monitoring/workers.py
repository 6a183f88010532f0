"""A worker is known to run by the tasks of the schedule that it runs, whatever the queue."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from billing import queues
from billing.models import ScheduledTask


def note_run(task: str, **kwargs: Any) -> None:
    """Note that a task of the schedule has run now; other tasks are too many to be noted."""
    if task in queues.declared_schedules():
        ScheduledTask.objects.update_or_create(task=task, defaults={"ran_at": timezone.now()})


def last_seen() -> datetime | None:
    """Return when a worker last ran a task of the schedule, which has some each minute."""
    ran = ScheduledTask.objects.filter(ran_at__isnull=False).order_by("-ran_at")
    return ran.values_list("ran_at", flat=True).first()

"""Each task of the schedule has a row, so that it is given out once when it is due, and one sees when it last ran."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone

# A scheduler that ticks each minute is sometimes a moment early.
EARLY = 0.1


class ScheduledTaskQuerySet(models.QuerySet["ScheduledTask"]):
    def due(self, schedules: dict[str, int]) -> Iterator[tuple[str, datetime]]:
        """Yield the tasks that are due, and the moment before which each was last given. `schedules` has minutes."""
        given = dict(self.values_list("task", "given_at"))
        for task, minutes in schedules.items():
            before = timezone.now() - timedelta(minutes=minutes) * (1 - EARLY)
            last = given.get(task)
            if last is None or last <= before:
                yield task, before

    def take(self, task: str, before: datetime) -> bool:
        """Take a due task for this process; return False if another process was first."""
        self.bulk_create([self.model(task=task)], ignore_conflicts=True)
        is_due = Q(given_at=None) | Q(given_at__lte=before)
        return bool(self.filter(is_due, pk=task).update(given_at=timezone.now()))

    def give_back(self, task: str) -> None:
        """Make the task due at once: nobody can run it now."""
        self.filter(pk=task).update(given_at=None)


class ScheduledTask(models.Model):
    """A row says when a task of the schedule was last given to a worker, and when a worker last ran it. django-q2 gives
    its tasks out itself."""

    task = models.CharField(max_length=255, primary_key=True, help_text="Dotted path")
    given_at = models.DateTimeField(null=True, blank=True)
    ran_at = models.DateTimeField(null=True, blank=True)

    objects = ScheduledTaskQuerySet.as_manager()

    def __str__(self) -> str:
        return self.task

"""Each task of the schedule has a row, so that one worker at a time begins it, and that one can see when it last ran."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils import timezone


class ScheduledTaskQuerySet(models.QuerySet["ScheduledTask"]):
    def begin(self, task: str, every: timedelta) -> bool:
        """Note that the task begins now, if it is due; return False if it is not, or if another worker was first."""
        now = timezone.now()
        self.bulk_create([self.model(task=task)], ignore_conflicts=True)
        is_due = Q(begun_at=None) | Q(begun_at__lte=now - every)
        return bool(self.filter(is_due, pk=task).update(begun_at=now))

    def note(self, task: str) -> None:
        """Note that the task begins now, on whatever queue."""
        self.update_or_create(task=task, defaults={"begun_at": timezone.now()})


class ScheduledTask(models.Model):
    """A row says when a worker last began a task of the schedule. Not every queue writes it for every task."""

    task = models.CharField(max_length=255, primary_key=True, help_text="Dotted path")
    begun_at = models.DateTimeField(null=True, blank=True)

    objects = ScheduledTaskQuerySet.as_manager()

    def __str__(self) -> str:
        return self.task

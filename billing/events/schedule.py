"""This module runs our schedule for queues that cannot keep it; their scheduler, or `billing_worker`, calls it."""

from collections.abc import Iterator
from functools import partial

from django.db import transaction

from billing import queues
from billing.models import ScheduledTask


def enqueue_due() -> int:
    """Enqueue the tasks that are due; return how many. Two schedulers give out each task once."""
    given = 0
    for task, before in ScheduledTask.objects.due(queues.declared_schedules()):
        with transaction.atomic():
            if ScheduledTask.objects.take(task, before):
                queues.enqueue(task, if_away=partial(ScheduledTask.objects.give_back, task))
                given += 1
    return given


def take_due() -> Iterator[str]:
    """Yield the tasks that are due, for this process to run; each is taken when it is asked for."""
    for task, before in ScheduledTask.objects.due(queues.declared_schedules()):
        if ScheduledTask.objects.take(task, before):
            yield task

"""The apps declare which tasks there are. Nothing else is run for a queue: its messages come from outside."""

from django.apps import apps
from django.db import close_old_connections
from django.dispatch import Signal
from django.utils.module_loading import import_string

# Sent after each task in the process that ran it. Argument: task, its dotted path.
task_done = Signal()


SCHEDULE = "billing.events.schedule.enqueue_due"


class UnknownTask(Exception):
    """A message names a task that no app declares; it is refused, or anybody who can write to the broker could run any
    function."""


def declared_schedules() -> dict[str, int]:
    """Return the tasks that run by themselves: dotted path → minutes between runs.

    A task that takes longer than a queue allows says so by its attribute `queue_timeout`, in seconds.
    """
    return {task: every for app in apps.get_app_configs() for task, every in getattr(app, "schedules", {}).items()}


def declared_tasks() -> dict[str, str]:
    """Return the tasks that are enqueued: dotted path → that of a function `most` → the arguments that wait."""
    return {task: waits for app in apps.get_app_configs() for task, waits in getattr(app, "tasks", {}).items()}


def seconds_allowed(task: str) -> int | None:
    """Return how long the task may take; None for as long as the queue lets any."""
    return getattr(import_string(task), "queue_timeout", None)


def run(task: str, *args: str) -> None:
    """Run a declared task in this process. Raises `UnknownTask`, and what the task raises."""
    if task not in {SCHEDULE, *declared_tasks(), *declared_schedules()}:
        raise UnknownTask(task)
    close_old_connections()
    try:
        import_string(task)(*args)
    finally:
        task_done.send_robust(sender=None, task=task)
        close_old_connections()


def schedule() -> None:
    """Enqueue the tasks of the schedule that are due. A queue's own scheduler runs this each minute."""
    run(SCHEDULE)

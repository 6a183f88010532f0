"""Django's own tasks carry ours (Django 6), by the backend of TASKS["default"], which brings a worker."""

from django.tasks import task

from . import tasks


@task
def run(name: str, *args: str) -> None:
    tasks.run(name, *args)


def is_in_database() -> bool:
    return False


def enqueue(name: str, *args: str) -> None:
    run.enqueue(name, *args)


def waiting() -> int:
    return 0

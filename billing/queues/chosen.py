"""BILLING_QUEUE chooses the queue; only its module, and the package it needs, is imported."""

from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple, Protocol, cast

from django.apps import apps

from billing.conf import conf

from .tasks import declared_schedules


class Queue(Protocol):
    """Each queue's module has these functions, and passes on what its broker raises."""

    def is_in_database(self) -> bool:
        """Return whether a task belongs to the transaction in which it is enqueued."""

    def enqueue(self, task: str, *args: str) -> None:
        """Put a task on the queue. A broker that is away is an error within seconds."""

    def waiting(self) -> int:
        """Return how many tasks are on the queue; 0 if it cannot say."""


class Place(NamedTuple):
    module: str
    needs: str
    to_install: str


QUEUES = {
    "django-q2": Place("django_q2", "django_q", "django-q2"),
    "celery": Place("celery", "celery", "'django-stripe-lanes[celery]'"),
    "rq": Place("rq", "rq", "'django-stripe-lanes[rq]'"),
    "tasks": Place("django_tasks", "django.tasks", "'Django>=6.0'"),
    "none": Place("none", "billing", ""),
}


class BrokerAway(ConnectionError):
    """The queue does not answer."""


def queue() -> Queue:
    return cast(Queue, import_module(f".{QUEUES[conf.queue].module}", __package__))


def why_unusable() -> str:
    """Return what to install before the chosen queue can be used; empty if it can, or if there is no such queue."""
    place = _place()
    return "" if place is None or find_spec(place.needs) else place.to_install


def _place() -> Place | None:
    """Return the chosen queue's place; None where BILLING_QUEUE is anything else, of whatever type."""
    return next((place for name, place in QUEUES.items() if name == conf.queue), None)


def prepare() -> None:
    """Load the chosen queue, so that its worker knows our tasks. What is wrong with it, `check` says."""
    if _place() and not why_unusable():
        queue()


def keep_schedules() -> int:
    """Write the schedules into django-q2's table, or take them out if the queue is another one; return how many were
    added. Other queues are told by the host project, or `billing_worker` keeps the schedule."""
    if not apps.is_installed("django_q"):
        return 0
    from .django_q2_schedules import keep

    return keep(declared_schedules() if conf.queue == "django-q2" else {})

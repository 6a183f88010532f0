"""django-q2 carries the tasks: in the database by default, or in Redis."""

from typing import Any

from django_q.brokers import get_broker
from django_q.conf import Conf
from django_q.signals import post_execute_in_worker
from django_q.tasks import async_task

from .tasks import task_done


def is_in_database() -> bool:
    return bool(Conf.ORM) and not Conf.SYNC


def enqueue(task: str, *args: str) -> None:
    async_task(task, *args)


def waiting() -> int:
    return int(get_broker().queue_size())


def _on_done(task: dict[str, Any], **kwargs: Any) -> None:
    task_done.send_robust(sender=None, task=task["func"])


post_execute_in_worker.connect(_on_done, dispatch_uid="billing.queues.django_q2")

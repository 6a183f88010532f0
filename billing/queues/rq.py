"""RQ carries the tasks, in the queue that BILLING_RQ_QUEUE returns."""

from django.utils.module_loading import import_string
from rq import Queue

from billing.conf import conf

from . import tasks

KEPT_SECONDS = 24 * 60 * 60


def run(task: str, *args: str) -> None:
    tasks.run(task, *args)


def is_in_database() -> bool:
    return False


def enqueue(task: str, *args: str) -> None:
    timeout = tasks.seconds_allowed(task)
    _queue().enqueue_call(run, (task, *args), timeout=timeout, result_ttl=0, failure_ttl=KEPT_SECONDS)


def waiting() -> int:
    return _queue().count


def _queue() -> Queue:
    return import_string(conf.rq_queue)()

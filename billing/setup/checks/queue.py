"""The queue that BILLING_QUEUE names has its package, its settings and a worker."""

from typing import Any

from django.conf import settings

from billing import queues
from billing.conf import conf

from .problems import Check, Problem, finds
from .values import is_right

WITHOUT_WORKER = {f"django.tasks.backends.{name}Backend" for name in ("immediate.Immediate", "dummy.Dummy")}


@finds("billing.E003")
def check_cluster() -> Problem:
    """For django-q2, Q_CLUSTER is set, its `retry` is longer than its `timeout`, and its `orm` is a database.

    django-q2's defaults are a Redis on this machine, and a task that is given out again while it still runs.
    """
    if conf.queue != "django-q2":
        return None
    queue = getattr(settings, "Q_CLUSTER", None)
    if not queue:
        return "Q_CLUSTER is not set, so no worker would process events.", "Import it from billing.hosting."
    if not queue.get("timeout") or queue.get("retry", 60) <= queue["timeout"]:
        return (
            "Q_CLUSTER must set `timeout` and `retry`, and `retry` must be longer.",
            "Set both as in billing.hosting.",
        )
    if "orm" in queue and queue["orm"] not in settings.DATABASES:
        return f"Q_CLUSTER: `orm` names no database: {queue['orm']!r}.", "Set it as in billing.hosting."
    return None


@finds("billing.W012")
def check_runs_elsewhere() -> Problem:
    """Neither `sync` of Q_CLUSTER nor Celery's `task_always_eager` runs tasks inside the request that queues them."""
    if conf.queue == "django-q2" and getattr(settings, "Q_CLUSTER", {}).get("sync"):
        setting, worker = "`sync` of Q_CLUSTER", "manage.py qcluster"
    elif conf.queue == "celery" and not queues.why_unusable() and _celery_is_eager():
        setting, worker = "`task_always_eager` of Celery", "celery worker"
    else:
        return None
    return (
        f"By {setting} tasks run inside requests, and events that have to wait are not tried again.",
        f"Leave it out and start `{worker}`; tests call billing.testing.work() instead.",
    )


def _celery_is_eager() -> bool:
    from celery import current_app

    return bool(current_app.conf.task_always_eager)


@finds("billing.E162")
def check_package() -> Problem:
    """The package that BILLING_QUEUE needs is installed."""
    if not is_right("BILLING_QUEUE") or not (missing := queues.why_unusable()):
        return None
    return (
        f"BILLING_QUEUE is {conf.queue!r}, and what it needs is not installed.",
        f"Run pip install {missing}, or set BILLING_QUEUE to another queue.",
    )


@finds("billing.E163")
def check_rq() -> Problem:
    """BILLING_RQ_QUEUE is set if BILLING_QUEUE is rq."""
    if conf.queue != "rq" or conf.rq_queue:
        return None
    return (
        "BILLING_QUEUE is 'rq', but BILLING_RQ_QUEUE is not set.",
        'Set it to the dotted path of a function that returns an rq.Queue: with django-rq "django_rq.get_queue".',
    )


@finds("billing.E164")
def check_tasks() -> Problem:
    """TASKS has a backend with a worker if BILLING_QUEUE is tasks."""
    given: dict[str, Any] = getattr(settings, "TASKS", {})
    backend = given.get("default", {}).get("BACKEND", "django.tasks.backends.immediate.ImmediateBackend")
    if conf.queue != "tasks" or backend not in WITHOUT_WORKER:
        return None
    return (
        f"BILLING_QUEUE is 'tasks', but {backend} has no worker.",
        'Set TASKS["default"]["BACKEND"] to one that has, such as django_tasks_db.DatabaseBackend.',
    )


CHECKS: tuple[Check, ...] = (check_cluster, check_runs_elsewhere, check_package, check_rq, check_tasks)

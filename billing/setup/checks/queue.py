"""The queue that BILLING_QUEUE names has its package, its settings and a worker."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.module_loading import import_string

from billing import queues
from billing.conf import conf

from .problems import Check, Problem, finds
from .values import is_right


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
    """No setting of the queue, such as `sync` or `task_always_eager`, runs tasks inside the request."""
    if queues.why_unusable() or not is_right("BILLING_QUEUE"):
        return None
    if conf.queue == "django-q2" and getattr(settings, "Q_CLUSTER", {}).get("sync"):
        setting, worker = "`sync` of Q_CLUSTER", "manage.py qcluster"
    elif conf.queue == "celery" and _celery_is_eager():
        setting, worker = "`task_always_eager` of Celery", "celery worker"
    elif conf.queue == "rq" and _rq_queue().is_async is False:
        setting, worker = "`is_async=False` of RQ's queue (in RQ_QUEUES of django-rq, `ASYNC`)", "rq worker"
    else:
        return None
    return (
        f"By {setting} tasks run inside requests, and events that have to wait are not tried again.",
        f"Leave it out and start `{worker}`; tests call billing.testing.work() instead.",
    )


def _celery_is_eager() -> bool:
    from celery import current_app

    return bool(current_app.conf.task_always_eager)


@dataclass(frozen=True)
class Unusable:
    """This stands for a queue that the project's function does not return, or that it cannot make."""

    why: str
    is_async: None = None


def _rq_queue() -> Any:
    """Return the rq.Queue of BILLING_RQ_QUEUE, or why there is none. To make a queue asks no Redis."""
    from rq import Queue

    if not conf.rq_queue or not is_right("BILLING_RQ_QUEUE"):
        return Unusable("")
    try:
        made = import_string(conf.rq_queue)()
    except Exception as error:  # noqa: BLE001 - it is the project's function, and may raise anything
        return Unusable(f"raises {type(error).__name__}: {error}")
    return made if isinstance(made, Queue) else Unusable(f"returns {made!r}")


@finds("billing.E240")
def check_rq_queue() -> Problem:
    """The function that BILLING_RQ_QUEUE names returns an rq.Queue."""
    if conf.queue != "rq" or queues.why_unusable():
        return None
    found = _rq_queue()
    if not isinstance(found, Unusable) or not found.why:
        return None
    return (
        f"BILLING_RQ_QUEUE is {conf.rq_queue!r}, and that function {found.why}.",
        "Let it return an rq.Queue, without asking Redis: docs/queues.md has an example.",
    )


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
    if conf.queue != "tasks" or queues.why_unusable():
        return None
    backend = _tasks_backend()
    if not backend:
        return None
    return (
        f"BILLING_QUEUE is 'tasks', but {backend} has no worker.",
        'Set TASKS["default"]["BACKEND"] to one that has, such as django_tasks_db.DatabaseBackend.',
    )


def _tasks_backend() -> str:
    """Return the class of Django's backend if it, or what it derives from, runs tasks at once or not at all."""
    from django.tasks.backends.dummy import DummyBackend
    from django.tasks.backends.immediate import ImmediateBackend

    given: dict[str, Any] = getattr(settings, "TASKS", {}).get("default", {})
    path = given.get("BACKEND", f"{ImmediateBackend.__module__}.{ImmediateBackend.__name__}")
    try:
        backend = import_string(path)
    except ImportError:
        return ""  # Django says so itself
    return str(path) if issubclass(backend, ImmediateBackend | DummyBackend) else ""


CHECKS: tuple[Check, ...] = (
    check_cluster,
    check_runs_elsewhere,
    check_package,
    check_rq,
    check_rq_queue,
    check_tasks,
)

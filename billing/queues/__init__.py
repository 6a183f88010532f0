"""One queue carries the tasks: the one that BILLING_QUEUE names. A task that is lost is found by the sweep.

    enqueue ──► django-q2 in the database ────► in the caller's transaction
          └───► a broker (Redis, RabbitMQ, …) ► after the commit; at the door by a thread, which the door leaves behind
          └───► none ─────────────────────────► `billing_worker` finds lanes and mails in their own tables

Each module `django_q2`, `celery`, `rq`, `django_tasks` and `none` has the functions of `chosen.Queue`. Each app's
AppConfig says which tasks there are (`tasks`), and which run by themselves (`schedules`).
"""

from .background import in_background
from .chosen import QUEUES, BrokerAway, keep_schedules, prepare, why_unusable
from .enqueueing import enqueue, reset, waiting
from .tasks import declared_schedules, declared_tasks, run, schedule, task_done

__all__ = [
    "QUEUES",
    "BrokerAway",
    "declared_schedules",
    "declared_tasks",
    "enqueue",
    "in_background",
    "keep_schedules",
    "prepare",
    "reset",
    "run",
    "schedule",
    "task_done",
    "waiting",
    "why_unusable",
]

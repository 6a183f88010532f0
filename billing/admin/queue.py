"""Staff see the tables of django-q2: scheduled, queued, done and failed tasks. Nobody writes there by hand.

`Schedule.func` can name any function, and the worker calls it with all its rights, so whoever could add a row could
run code. A failed task is tried again by its ledger or outbox, not here.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import truncatechars
from django_q.conf import Conf
from django_q.models import Failure, OrmQ, Schedule, Success

from . import display
from .readonly import PAYLOAD_PERMISSION, ReadOnlyAdmin

LONGEST_IN_A_LIST = 100


class QueueTableAdmin(ReadOnlyAdmin):
    """`payload_fields` hold the arguments and results of tasks, for staff who may see payloads."""

    payload_fields: tuple[str, ...] = ()
    search_fields = ["name__exact"]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        shown = list(self.fields or [])
        return [*shown, *self.payload_fields] if request.user.has_perm(PAYLOAD_PERMISSION) else shown

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return self.get_fields(request, obj)


class ScheduleAdmin(QueueTableAdmin):
    list_display = ["name", "func", "schedule_type", "minutes", "repeats", "next_run"]
    list_filter = ["schedule_type", "next_run"]
    fields = ["name", "func", "schedule_type", "minutes", "cron", "repeats", "next_run", "cluster"]
    payload_fields = ("args", "kwargs")
    filterable = frozenset({"id", "name", "func", "schedule_type", "next_run", "cluster"})


class TaskAdmin(QueueTableAdmin):
    """This admin shows tasks that have run, successes and failures alike."""

    list_display = ["name", "func", "started", "stopped", "attempt_count"]
    list_filter = ["started"]
    fields = ["id", "name", "func", "group", "cluster", "started", "stopped", "success", "attempt_count"]
    payload_fields = ("args_given", "kwargs_given", "answer")
    filterable = frozenset({"id", "name", "func", "group", "cluster", "started", "stopped", "success"})

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shown = list(self.list_display)
        return [*shown, "answer_in_short"] if request.user.has_perm(PAYLOAD_PERMISSION) else shown

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Read pickles only for staff who may see their content."""
        rows = super().get_queryset(request)
        return rows if request.user.has_perm(PAYLOAD_PERMISSION) else rows.defer("args", "kwargs", "result")

    @admin.display(description="args")
    def args_given(self, task: Any) -> Any:
        return display.preformatted(repr(task.args))

    @admin.display(description="kwargs")
    def kwargs_given(self, task: Any) -> Any:
        return display.preformatted(repr(task.kwargs))

    @admin.display(description="result")
    def answer(self, task: Any) -> Any:
        return display.preformatted(str(task.result))

    @admin.display(description="result")
    def answer_in_short(self, task: Any) -> str:
        return truncatechars(str(task.result), LONGEST_IN_A_LIST)


class QueuedAdmin(QueueTableAdmin):
    """This admin shows tasks that wait, if the queue is in the database and not in Redis."""

    list_display = ["id", "key", "name", "func", "lock", "task_id"]
    list_filter = ["key"]
    search_fields = ["key__exact"]
    fields = ["key", "lock", "task_id", "name", "group", "func"]
    payload_fields = ("args", "kwargs", "q_options")
    filterable = frozenset({"id", "key", "lock"})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).using(Conf.ORM)


ALLOWED = {Schedule: ScheduleAdmin, Success: TaskAdmin, Failure: TaskAdmin, OrmQ: QueuedAdmin}

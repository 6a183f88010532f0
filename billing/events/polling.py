"""A plain process does what a queue's workers do: it takes what waits from the tables, and keeps the schedule.

Tables are asked a few times a second. Lanes and mails are claimed by their tasks, scheduled tasks by their rows, so any
number of these processes run beside each other, and beside the workers of a queue.
"""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from django.db import Error as DatabaseProblem
from django.db import close_old_connections, connections, reset_queries
from django.utils.module_loading import import_string

from billing import queues

from . import schedule

log = logging.getLogger(__name__)

POLL_SECONDS = 0.2
SCHEDULE_SECONDS = 1.0
AWAY_SECONDS = 2.0
# What has failed waits as long as a lane whose task was lost.
REST_SECONDS = 30.0
MOST_AT_ONCE = 50
ENDS_WITHIN_SECONDS = 10.0


class Worker:
    """`stop` is set from a signal handler: the work ends after the present lane or mail."""

    def __init__(self, stop: Event) -> None:
        self.stop = stop
        self._resting: dict[tuple[str, str], float] = {}

    def run(self, *, is_schedule_only: bool = False) -> None:
        """Work until `stop` is set, or only enqueue what is due. The schedule has a thread of its own, so that no long
        sync holds up a lane.

        A scheduled task that does not end in time is left as it is: each may be killed at any moment.
        """
        if is_schedule_only:
            self._repeat(schedule.enqueue_due, SCHEDULE_SECONDS)
            return
        beside = Thread(target=self._repeat, args=(self.keep_schedule, SCHEDULE_SECONDS), daemon=True)
        beside.start()
        self._repeat(self.work, POLL_SECONDS)
        beside.join(ENDS_WITHIN_SECONDS)

    def work(self) -> int:
        """Do what waits now; return how many tasks were run."""
        self._wake_rested()
        return sum(self._do(task, argument) for task, argument in self._waiting())

    def keep_schedule(self) -> int:
        """Run the scheduled tasks that are due; return how many."""
        done = 0
        for task in schedule.take_due():
            done += self._do(task)
            if self.stop.is_set():
                break
        return done

    def _repeat(self, work: Callable[[], int], seconds: float) -> None:
        try:
            while not self.stop.is_set():
                self.stop.wait(self._attempt(work, seconds))
        finally:
            connections.close_all()

    def _attempt(self, work: Callable[[], int], seconds: float) -> float:
        """Work once; return how many seconds to wait then: none if there was work."""
        try:
            return 0 if work() else seconds
        except DatabaseProblem:
            log.exception("the database does not answer")
            close_old_connections()
            return AWAY_SECONDS
        finally:
            reset_queries()  # they are kept while DEBUG is on

    def _waiting(self) -> list[tuple[str, str]]:
        found = []
        for task, waiting in queues.declared_tasks().items():
            arguments = import_string(waiting)(MOST_AT_ONCE + len(self._resting))
            found += [(task, each) for each in arguments if (task, each) not in self._resting][:MOST_AT_ONCE]
        return found

    def _do(self, task: str, *arguments: str) -> bool:
        """Run a task; if it fails, log that and let it rest, so that the others go on."""
        if self.stop.is_set():
            return False
        try:
            queues.run(task, *arguments)
        except Exception:
            log.exception("task failed", extra={"task": task, "arguments": arguments})
            if arguments:
                self._resting[task, arguments[0]] = time.monotonic() + REST_SECONDS
        return True

    def _wake_rested(self) -> None:
        now = time.monotonic()
        self._resting = {what: until for what, until in self._resting.items() if until > now}

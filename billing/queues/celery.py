"""Celery carries the tasks, by the Celery app of the host project.

A message is acknowledged before its task runs, as is Celery's default: what a killed worker leaves behind, the ledger
and the sweep know better than the broker.
"""

from typing import Any

from celery import current_app, shared_task
from kombu.exceptions import ChannelError

from . import tasks

NAME = "billing.run"
# Celery's own way of connecting waits for a broker that is away for as long as it is.
TRANSPORT = {"max_retries": 0, "socket_connect_timeout": 1, "socket_timeout": 2, "read_timeout": 2, "write_timeout": 2}


@shared_task(name=NAME, ignore_result=True)
def run(task: str, *args: str) -> None:
    tasks.run(task, *args)


@shared_task(name="billing.schedule", ignore_result=True)
def schedule() -> None:
    tasks.schedule()


def is_in_database() -> bool:
    return False


def enqueue(task: str, *args: str) -> None:
    allowed = tasks.seconds_allowed(task)
    # A limit of the project's for all tasks, often some minutes, would end the sync half-way each time.
    limits = {"time_limit": allowed, "soft_time_limit": allowed} if allowed else {}
    with _connection() as connection:
        run.apply_async((task, *args), connection=connection, retry=False, **limits)


def waiting() -> int:
    name = current_app.amqp.router.route({}, NAME)["queue"].name
    with _connection() as connection, connection.channel() as channel:
        try:
            return int(channel.queue_declare(name, passive=True).message_count)
        except ChannelError:
            return 0  # nothing was ever put there


def _connection() -> Any:
    return current_app.connection_for_write(connect_timeout=1, transport_options=TRANSPORT)

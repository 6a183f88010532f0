"""`manage.py billing_worker` applies events, sends mail and keeps the schedule, without a queue."""

import signal
from threading import Event
from typing import Any

from django.core.management.base import CommandError, CommandParser

from billing.conf import conf
from billing.events import polling
from billing.management.terminal import TerminalCommand


class Command(TerminalCommand):
    help = (
        "Apply waiting events, send waiting mail and keep the schedule, until a signal ends it after the present lane. "
        "Needs no queue; several may run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--schedule-only",
            action="store_true",
            help="only enqueue what the schedule has, for a queue without a scheduler",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["schedule_only"] and conf.queue == "none":
            raise CommandError("BILLING_QUEUE is none, so nobody else would run the tasks: leave out --schedule-only.")
        stop = Event()

        def end(number: int, frame: Any) -> None:
            """End after the present lane; a second signal ends it at once."""
            stop.set()
            signal.signal(number, signal.SIG_DFL)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        self.stdout.write("The schedule is kept." if options["schedule_only"] else "The worker works.")
        self.stdout.flush()
        polling.Worker(stop).run(is_schedule_only=options["schedule_only"])
        self.stdout.write("Stopped.")

"""`manage.py setup` prepares the database, so that the site can sell. Run it again at every release."""

import time
from typing import Any

from django.core.management.base import CommandError
from django.db import DatabaseError

from billing import queues
from billing.catalogue import definitions
from billing.management.terminal import TerminalCommand
from billing.setup import checks, database


class Command(TerminalCommand):
    help = "Create or migrate the tables, and add missing plans and schedules. It is safe to run again."
    requires_migrations_checks = False

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            if taken := checks.names.check_tables.look():
                raise CommandError(" ".join(taken))
            is_fast = database.create_tables()
            plans = definitions.update_plans()
            schedules = queues.keep_schedules()
        except DatabaseError as error:
            raise CommandError(f"The database was not set up: {error}") from error
        tables = "tables created" if is_fast else "tables up to date"
        seconds = time.monotonic() - started
        self.stdout.write(
            f"Ready: {tables}, {plans} plans and {schedules} schedules added or changed, {seconds:.1f} s."
        )

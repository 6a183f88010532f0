"""`manage.py setup` prepares the database, so that the site can sell. Run it again at every release."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from billing import queues
from billing.catalogue import add_ons, definitions, packs
from billing.management.terminal import TerminalCommand
from billing.setup import checks, database
from billing.stripe_client import home


@contextmanager
def errors_in_one_sentence() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        raise CommandError(f"The database was not set up: {error}") from error


class Command(TerminalCommand):
    help = "Create or migrate the tables, and add missing plans and schedules. It is safe to run again."
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        text = "this site is the new home of a database that was set up for another SITE_URL"
        parser.add_argument("--moved", action="store_true", help=text)

    def check(self, *args: Any, **options: Any) -> None:
        """Run Django's checks, for which Django 6.1 opens an SQLite database."""
        with errors_in_one_sentence():
            super().check(*args, **options)

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        with errors_in_one_sentence():
            for check in (checks.names.check_tables, checks.databases.check_djstripe_tables):
                if problem := check.look():
                    raise CommandError(" ".join(problem))
            is_fast = database.create_tables()
            plans = definitions.update_plans()
            add_ons.update_add_ons()
            packs.update_packs()
            schedules = queues.keep_schedules()
            home.settle(has_moved=options["moved"])
        tables = "tables created" if is_fast else "tables up to date"
        seconds = time.monotonic() - started
        self.stdout.write(
            f"Ready: {tables}, {plans} plans and {schedules} schedules added or changed, {seconds:.1f} s."
        )
        if text := home.why_away():
            raise CommandError(f"{text}.")

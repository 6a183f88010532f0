"""`manage.py sync_stripe` finds events that we missed and objects that drifted. Run it by hand or from cron."""

import json
import logging
import signal
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.utils.dateparse import parse_date, parse_datetime

from billing.conf import conf
from billing.lanes import LaneLost
from billing.management.terminal import TerminalCommand, is_terminal
from billing.models import SyncRun
from billing.stripe_account import WrongAccount
from billing.stripe_client import StripeRefused, StripeUnavailable
from billing.sync import AnotherRuns, report, runs

ANOTHER_RUNS = 3
WRONG_USE = 2


def moment(text: str) -> int:
    """Return UTC seconds of a date or time such as `2026-11-01` or `2026-11-01T12:00`."""
    try:
        day = parse_date(text)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else parse_datetime(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text}: {error}") from error
    if at is None:
        raise ArgumentTypeError(f"{text!r} is not a date. Write 2026-11-01 or 2026-11-01T12:00.")
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())


class Command(TerminalCommand):
    help = (
        "Fetch events that never reached us, and correct rows that differ from Stripe. Prints one line. Exit code 0 "
        "when it is done, 1 when it failed, 2 for wrong use, 3 when another one is running."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--full", action="store_true", help="compare everything, not only what is due")
        what.add_argument("--customer", metavar="cus_…", default="", help="only this customer")
        what.add_argument(
            "--leave",
            metavar="acct_…",
            default="",
            help="end our customers of this Stripe account, or mode (test, live), which was left for good",
        )
        parser.add_argument(
            "--since", type=moment, metavar="DATE", help="events since then (Stripe keeps them for 30 days)"
        )
        parser.add_argument("--dry-run", action="store_true", help="report differences, without writing anything")
        parser.add_argument("--json", action="store_true", help="print the whole report as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["customer"] and options["since"] is not None:
            raise CommandError("--customer and --since do not go together. Leave out --since.", returncode=WRONG_USE)
        if options["leave"]:
            self._leave(options["leave"])
            return
        wanted = runs.Wanted(options["full"], options["since"], options["customer"], options["dry_run"])
        with warnings_only():
            run = self._run(wanted)
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(run, is_dry=wanted.is_dry), indent=2))
            return
        if options["verbosity"] > 1 or self.stdout.isatty():
            self.stdout.write("\n".join(report.details(run)))
        self.stdout.write(report.summary(run, is_dry=wanted.is_dry))

    def _leave(self, account: str) -> None:
        try:
            ended = runs.leave(account)
        except AnotherRuns as another:
            raise CommandError(str(another), returncode=ANOTHER_RUNS) from another
        except StripeUnavailable as error:
            raise CommandError(f"{error} (at {conf.api_base or 'Stripe'}). Nothing was changed.") from error
        self.stdout.write(f"Ended {report.count(ended, 'customer')} of {account}, where our key does not reach them.")

    def _run(self, wanted: runs.Wanted) -> SyncRun:
        where = conf.api_base or "Stripe"
        end_on_sigterm()
        try:
            return runs.run(wanted, progress())
        except AnotherRuns as another:
            raise CommandError(str(another), returncode=ANOTHER_RUNS) from another
        except LaneLost as lost:
            raise CommandError("Another sync has taken over, so this one stopped.", returncode=ANOTHER_RUNS) from lost
        except WrongAccount as error:
            raise CommandError(f"{error}. Nothing more was synced.") from error
        except runs.UnknownCustomer as error:
            raise CommandError(str(error)) from error
        except (StripeUnavailable, *StripeRefused) as error:
            raise CommandError(f"{error} (at {where}). The next run continues from here.") from error
        except DatabaseError as error:
            raise CommandError(f"The database reported an error: {error}") from error


@contextmanager
def warnings_only() -> Iterator[None]:
    """Log only warnings: cron mails everything that a command prints, and the report lists each event."""
    log = logging.getLogger("billing")
    level = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(level)


def progress() -> Callable[[str], None]:
    """Return a function that shows progress in one line, on a terminal only."""
    if not is_terminal(sys.stderr):
        return lambda text: None
    return lambda text: print(f"\r{text}\033[K", end="\r", file=sys.stderr, flush=True)


def end_on_sigterm() -> None:
    """Release the lane when a service manager stops the command, instead of leaving it to its lease."""

    def stop(*args: Any) -> None:
        raise SystemExit(128 + signal.SIGTERM)

    try:
        signal.signal(signal.SIGTERM, stop)
    except ValueError:
        return  # not the main thread, which has its own ways

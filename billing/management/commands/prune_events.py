"""`manage.py prune_events --older-than 90` frees the space of old events, without delaying new ones."""

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from billing.management.terminal import TerminalCommand
from billing.sync import pruning


def days(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a number of days, 1 or more.")
    return int(text)


class Command(TerminalCommand):
    help = (
        "Empty the payloads of events older than so many days. Their ids are kept for a year, to recognise duplicates."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=days,
            required=True,
            metavar="DAYS",
            help="minimum age in days since an event was received",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            pruned = pruning.prune(timedelta(days=options["older_than"]))
        except DatabaseError as error:
            raise CommandError(f"The database reported an error: {error} Run this again to continue.") from error
        megabytes = pruned.freed_bytes / 1e6
        self.stdout.write(
            f"Emptied {pruned.payloads:,} payloads ({megabytes:.1f} MB), deleted {pruned.ids:,} event ids "
            f"and {pruned.keys:,} keys of uses."
        )

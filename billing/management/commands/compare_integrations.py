"""`manage.py compare_integrations` lists what another integration of Stripe believes otherwise."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from billing.management.terminal import TerminalCommand
from billing.setup import importing
from billing.setup.integrations import Belief, Comparison, sources

from .sync_stripe import WRONG_USE

TABLES = {"djstripe": sources.from_djstripe, "pinax": sources.from_pinax}


class Command(TerminalCommand):
    help = (
        "Compare what another integration of Stripe believes of each customer with what billing believes: subscriber, "
        "status, price, end of the period, cancellation, access. Changes nothing, and does not call Stripe. Exit code "
        "0 if both agree, 1 if they differ (each difference is named) or it failed, 2 for wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        way = parser.add_mutually_exclusive_group(required=True)
        way.add_argument("--with", choices=sorted(TABLES), help="read the tables of this integration")
        way.add_argument("--file", metavar="FILE", help="read a file of CSV or JSON lines; - for standard input")
        way.add_argument("--call", metavar="PATH", help="call this function of yours, which yields dicts")
        parser.add_argument(
            "--field", default="", help="the field of the subscriber that they name; by default the primary key"
        )
        parser.add_argument("--json", action="store_true", help="print a JSON object a line, the totals last")

    def handle(self, *args: Any, **options: Any) -> None:
        comparison = Comparison(_beliefs(options), options["field"])
        try:
            for found in comparison.differences():
                self.stdout.write(json.dumps(found.as_json()) if options["json"] else str(found))
        except importing.WrongUse as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        except DatabaseError as error:
            raise CommandError(f"The database reported an error: {error}") from error
        if options["json"]:
            self.stdout.write(json.dumps(comparison.as_json()))
        if comparison.totals:
            raise CommandError(comparison.summary())
        if not options["json"]:
            self.stdout.write(comparison.summary())


def _beliefs(options: dict[str, Any]) -> Iterator[Belief]:
    if options["file"]:
        return sources.from_file(options["file"])
    if options["call"]:
        return sources.from_function(options["call"])
    return TABLES[options["with"]]()

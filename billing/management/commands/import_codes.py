"""`manage.py import_codes FILE --batch appsumo --plan pro` takes over the redeem codes of a partner."""

from argparse import ArgumentTypeError
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from billing import cause
from billing.conf import conf
from billing.lifecycle import code_batches
from billing.management.terminal import TerminalCommand
from billing.models import Plan

CAUSE = "command import_codes"
WRONG_USE = 2


def whole(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not a whole number of 1 or more.")
    return int(text)


def day(text: str) -> datetime:
    """Return the midnight that ends a day."""
    try:
        last = date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is not a day. Write 2027-12-31.") from error
    return timezone.make_aware(datetime.combine(last + timedelta(days=1), time.min))


class Command(TerminalCommand):
    help = (
        "Take over redeem codes that a partner made, such as AppSumo: one a line, or the column `code` of a CSV. The "
        "same list again makes none twice. Exit code 0 when it is done, 1 when it failed, 2 for wrong use."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="the list, in UTF-8")
        parser.add_argument("--batch", required=True, help="what the codes are for, such as the partner's name")
        parser.add_argument("--plan", default="", help="the slug of the plan that a code gives")
        parser.add_argument("--feature", default="", help="or the feature that it gives")
        parser.add_argument("--quantity", type=whole, help="of the feature, what is added to each month; left out: all")
        parser.add_argument("--as-credits", action="store_true", help="the quantity is given once, as credits")
        parser.add_argument("--lasts-days", metavar="DAYS", type=whole, help="days from redeeming; left out: for good")
        parser.add_argument("--uses", type=whole, default=1, help="how many subscribers may redeem each; 1")
        parser.add_argument("--valid-until", type=day, metavar="DAY", help="the last day on which it may be redeemed")
        parser.add_argument("--dry-run", action="store_true", help="say what would be made, without making it")

    def handle(self, *args: Any, **options: Any) -> None:
        is_dry = options["dry_run"]
        try:
            with cause.recorded_as(CAUSE):
                taken = code_batches.take_over(_codes(options["file"]), _terms(options), is_dry=is_dry)
        except code_batches.CodesRefused as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        except DatabaseError as error:
            raise CommandError(f"The database reported an error: {error} No code was made.") from error
        verb = "Would make" if is_dry else "Made"
        self.stdout.write(f"{verb} {taken.new:,} codes of the batch {options['batch']}; {taken.known:,} were known.")


def _terms(options: dict[str, Any]) -> code_batches.Terms:
    plan = Plan.objects.exclude(slug=conf.free_plan).filter(slug=options["plan"]).first() if options["plan"] else None
    if options["plan"] and plan is None:
        raise code_batches.CodesRefused(f"There is no plan {options['plan']!r} to give.")
    return code_batches.Terms(
        batch=options["batch"],
        plan=plan,
        feature=options["feature"],
        quantity=options["quantity"],
        once=options["as_credits"],
        lasts_days=options["lasts_days"],
        most_uses=options["uses"],
        valid_until=options["valid_until"],
    )


def _codes(file: Path) -> list[str]:
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise code_batches.CodesRefused(f"{file} can't be read: {error}.") from error
    return list(code_batches.read(text.splitlines()))

"""`manage.py move_price OLD NEW` tells everybody on an old price of the new one, and moves them at a renewal."""

import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError
from django.utils.formats import date_format

from billing.catalogue import definitions
from billing.conf import conf
from billing.lanes import LaneBusy
from billing.lifecycle import price_moves
from billing.management.terminal import TerminalCommand, is_terminal
from billing.models import PriceMove, PriceMoveRow
from billing.money import format_amount
from billing.stripe_client import StripeRefused, StripeUnavailable

WRONG_USE = 2
DEFAULT_NOTICE = 30
Status = PriceMoveRow.Status


class Command(TerminalCommand):
    help = (
        "Tell everybody who pays the price OLD that they pay NEW from a renewal on, and move them then. OLD is not "
        "sold any more. The worker finishes what this begins; run again, it tells nobody twice. OLD and NEW are ids "
        "(price_…) or plan:interval, such as pro:month or pro:3_month. Exit code 0 when everybody is told, 1 when it "
        "failed, 2 for wrong use, with a code in brackets."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("old", metavar="OLD", help="the price that is paid now")
        parser.add_argument("new", metavar="NEW", help="the price to move to, of the same plan and interval")
        parser.add_argument(
            "--at-renewal",
            action="store_true",
            help="write the new price at Stripe a day before the renewal that charges it, and not as soon as the "
            "notice is over; either way nothing is charged or credited for the running period",
        )
        parser.add_argument(
            "--notice-days",
            type=int,
            default=DEFAULT_NOTICE,
            metavar="N",
            help=f"days between the mail and the first charge at the new price (default {DEFAULT_NOTICE})",
        )
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="list who would be moved and when; change nothing")
        what.add_argument("--stop", action="store_true", help="stop the move: who has not moved keeps the old price")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except price_moves.PriceMoveRefused as refusal:
            raise CommandError(f"{refusal} [{refusal.code}]", returncode=WRONG_USE) from refusal
        except (StripeUnavailable, *StripeRefused) as error:
            where = conf.api_base or "Stripe"
            text = f"{error} (at {where}). Nobody is told before the old price is off sale: run it again."
            raise CommandError(text) from error
        except LaneBusy as busy:
            raise CommandError("The catalogue is being refreshed. Nothing was done: run it again.") from busy
        except DatabaseError as error:
            raise CommandError(f"The database reported an error: {error}") from error

    def _handle(self, options: dict[str, Any]) -> None:
        if options["stop"]:
            self._stop(options["old"], options["new"])
            return
        prices = price_moves.find_prices(options["old"], options["new"])
        terms = {"notice_days": options["notice_days"], "at_renewal": options["at_renewal"]}
        if options["dry_run"]:
            self._forecast(prices, terms, is_listed=options["verbosity"] > 1 or self.stdout.isatty())
            return
        move = price_moves.start(prices, **terms)
        if definitions.is_from_settings():
            self.stderr.write(
                f"State the new amount in BILLING_PLANS too: else `setup_stripe` sells {move.old_price.plan} at the "
                "old amount again."
            )
        tally = price_moves.run(move, progress())
        self.stdout.write(f"{_title(move)}: {price_moves.in_words(tally)}.")

    def _forecast(self, prices: price_moves.NamedPrices, terms: dict[str, Any], *, is_listed: bool) -> None:
        count = waiting = 0
        for row, why in price_moves.forecast(prices, **terms):
            count, waiting = count + 1, waiting + bool(why)
            if is_listed:
                self.stdout.write(_line(row, why))
        told = f"{count - waiting:,} would be told now, {waiting:,} later"
        self.stdout.write(
            f"{prices.old.pk} to {prices.new.pk}: {told}, of {count:,} subscriptions. Nothing was changed."
        )

    def _stop(self, old: str, new: str) -> None:
        move = price_moves.running_move(old, new)
        price_moves.stop(move)
        move.refresh_from_db()
        tally = price_moves.run(move, progress())
        self.stdout.write(f"{_title(move)} is stopped: {price_moves.in_words(tally)}.")


def _title(move: PriceMove) -> str:
    return f"{move.old_price_id} to {move.new_price_id}"


def _line(row: PriceMoveRow, why: str) -> str:
    amounts = [
        "by usage" if each is None else format_amount(each, row.currency) for each in (row.old_amount, row.new_amount)
    ]
    when = why or f"from {date_format(row.moves_at, 'j M Y') if row.moves_at else '–'}"
    return f"{row.subscription.customer_id} {row.subscription.stripe_id}: {' to '.join(amounts)}, {when}"


def progress() -> Callable[[int], None]:
    """Return a function that shows progress in one line, on a terminal only."""
    if not is_terminal(sys.stderr):
        return lambda done: None
    return lambda done: print(f"\r{done:,} told\033[K", end="\r", file=sys.stderr, flush=True)

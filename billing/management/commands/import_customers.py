"""`manage.py import_customers` links customers of a Stripe account to the subscribers of this project."""

import json
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import DatabaseError

from billing.conf import conf
from billing.lanes import LaneLost
from billing.management.terminal import TerminalCommand
from billing.models import email_field
from billing.setup.importing import Pairs, Plan, WrongUse, doubts, matching, runs
from billing.stripe_account import WrongAccount
from billing.stripe_client import StripeRefused, StripeUnavailable
from billing.sync import AnotherRuns

from .sync_stripe import ANOTHER_RUNS, WRONG_USE, end_on_sigterm, progress, warnings_only

WAYS = ("id", "metadata", "email", "djstripe")
AGAIN = "Finished steps are kept. Run it again to continue."


def price_of_plan(text: str) -> tuple[str, str]:
    price, _, slug = text.partition("=")
    if not (price and slug):
        raise ArgumentTypeError(f"{text!r}: write price_123=pro, a Stripe price and the plan that it buys.")
    return price, slug


class Command(TerminalCommand):
    help = (
        "Link Stripe's customers to subscribers and take over what they have, without signals or e-mails. Begin with "
        "--dry-run. Exit code 0 when it is done, 1 when it failed, 2 for wrong use, 3 when it or the sync is running."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--by", choices=WAYS, help="how to find the subscriber of a customer")
        parser.add_argument("--field", default="", help="the field of the subscriber that --by compares")
        parser.add_argument(
            "--file", default="", help="with --by id: a file of CSV or JSON lines with `subscriber` and `customer`"
        )
        parser.add_argument("--key", default="", help="with --by metadata: the metadata key at Stripe")
        parser.add_argument(
            "--joined", default="", help="with --by email: the field with the date on which a subscriber joined"
        )
        parser.add_argument("--price", type=price_of_plan, action="append", default=[], metavar="price_…=PLAN")
        parser.add_argument(
            "--write-metadata",
            action="store_true",
            help="write the subscriber into the metadata of the customers at Stripe",
        )
        parser.add_argument("--dry-run", action="store_true", help="show what would be done, without writing anything")
        parser.add_argument("--json", action="store_true", help="print the whole plan as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        end_on_sigterm()
        is_dry = options["dry_run"]
        try:
            with warnings_only():
                plan = runs.run(
                    _way(options),
                    dict(options["price"]),
                    progress(),
                    is_dry=is_dry,
                    writes_metadata=options["write_metadata"],
                )
        except WrongUse as error:
            raise CommandError(str(error), returncode=WRONG_USE) from error
        except (AnotherRuns, LaneLost) as error:
            text = "The sync or another import is running, so this import stopped."
            raise CommandError(text, returncode=ANOTHER_RUNS) from error
        except WrongAccount as error:
            raise CommandError(f"{error}.") from error
        except (StripeUnavailable, *StripeRefused) as error:
            raise CommandError(f"{error} (at {conf.api_base or 'Stripe'}). {AGAIN}") from error
        except DatabaseError as error:
            raise CommandError(f"The database reported an error: {error}") from error
        self._print_plan(plan, is_dry=is_dry, is_json=options["json"])

    def _print_plan(self, plan: Plan, *, is_dry: bool, is_json: bool) -> None:
        if is_json:
            self.stdout.write(json.dumps(plan.as_json(is_dry=is_dry), indent=2, default=str))
            return
        for line in plan.details():
            self.stdout.write(line)
        self.stdout.write(plan.summary(is_dry=is_dry))


def _way(options: dict[str, Any]) -> Pairs:
    """Return the way to match customers. Raises `WrongUse` for options that do not go together."""
    by, field, file, key = (options[name] for name in ("by", "field", "file", "key"))
    if bool(file) and by != "id":
        raise WrongUse("--file goes with --by id.")
    if bool(key) != (by == "metadata"):
        raise WrongUse("--by metadata and --key go together: --by metadata --key user_id")
    if options["joined"] and by != "email":
        raise WrongUse("--joined goes with --by email.")
    match by:
        case "id" if file:
            return matching.by_file(file, field)
        case "id" if field:
            return matching.by_field(field)
        case "metadata":
            return matching.by_metadata(key, field)
        case "email":
            return doubts.by_trusted_email(field or email_field() or "email", options["joined"])
        case "djstripe":
            return matching.by_djstripe()
        case None if options["price"]:
            return lambda listed: []
    raise WrongUse(
        "Say how to match customers: --by id with --field or --file, --by metadata, --by email or --by djstripe."
    )

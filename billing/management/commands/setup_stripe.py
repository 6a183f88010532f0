"""`manage.py setup_stripe` prepares the Stripe account for this site. Run it once, and again when plans change."""

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import connection

from billing.catalogue import definitions
from billing.commands import spelled
from billing.conf import conf
from billing.management import terminal
from billing.management.terminal import TerminalCommand
from billing.models import Plan
from billing.setup import Change, account, publishing
from billing.stripe_client import StripeRefused, StripeUnavailable

WRONG_USE = 2


class Command(TerminalCommand):
    help = (
        "Make missing products, prices, customer portal and webhook endpoint at Stripe. Shows "
        "first what it would change, and asks on a terminal; anywhere else it needs --yes. Safe to run again; never "
        "touches what it did not make."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        parser.add_argument("--dry-run", action="store_true", help="show what would be changed, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if Plan._meta.db_table not in connection.introspection.table_names() or not Plan.objects.exists():
            raise CommandError(spelled("There are no plans yet: run `manage.py setup` first."))
        if slugs := definitions.plans_out_of_line():
            problem = f"These plans differ from BILLING_PLANS: {', '.join(slugs)}. Run `manage.py setup` first."
            raise CommandError(spelled(problem))
        try:
            planned = account.changes()
            for change in planned:
                self.stdout.write(f"  {change.text}")
            if options["dry_run"]:
                self.stdout.write(f"Dry run: {len(planned)} changes to make.")
                return
            if planned and not options["yes"]:
                _ask()
            self._make(planned)
            found = publishing.publish().found
        except (StripeUnavailable, *StripeRefused) as error:
            raise CommandError(f"{error} (at {conf.api_base or 'Stripe'}). Run this again to continue.") from error
        self.stdout.write(f"Made {len(planned)} changes at Stripe, and found {found} prices.")

    def _make(self, planned: list[Change]) -> None:
        for change in planned:
            if told := change.make():
                self.stdout.write(told)


def _ask() -> None:
    """Ask for a yes. Raises CommandError without one, and where nobody would see the question."""
    if not terminal.can_ask():
        text = "Nothing was changed, because there is no terminal to ask on. Run it with --yes to make these changes."
        raise CommandError(text, returncode=WRONG_USE)
    if not terminal.is_agreed(f"Change this at {conf.api_base or 'Stripe'}?"):
        raise CommandError("Nothing was changed.")

"""`manage.py stripe_sandbox` runs a Stripe to develop against, as a process of its own."""

import sys
from typing import Any

from django.core.management.base import CommandParser

from billing.management.terminal import TerminalCommand
from stripe_sandbox.command import add_arguments, run


class Command(TerminalCommand):
    help = "Serve a Stripe to develop against: API, hosted pages, signed webhooks, and a clock that you can move."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        def write(text: str) -> None:
            self.stdout.write(text)
            self.stdout.flush()

        names = ("port", "host", "forward", "forward_thin", "webhook_secret", "state", "any_version", "tax")
        code = run(**{name: options[name] for name in names}, write=write)
        if code:
            sys.exit(code)

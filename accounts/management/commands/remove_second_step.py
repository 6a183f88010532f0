"""`manage.py remove_second_step EMAIL` helps the last superuser, who has lost app, passkey and recovery codes."""

from typing import Any

from django.core.management.base import CommandError, CommandParser

from accounts.models import User
from accounts.second_step import rules
from billing.management.terminal import TerminalCommand


class Command(TerminalCommand):
    help = "Remove a user's apps, passkeys and recovery codes. The admin then asks them to add a new second step."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", metavar="EMAIL", help="the address the user logs in with")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(email=options["email"]).first()
        if user is None:
            raise CommandError(f"No user has the address {options['email']}. Nothing was changed.")
        rules.remove_all(user)
        self.stdout.write(f"Removed the second step of {user}.")

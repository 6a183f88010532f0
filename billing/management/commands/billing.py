"""`manage.py billing setup` runs a command of billing's, also where another app has one of the same name."""

from typing import Any

from django.core.management import call_command, find_commands, load_command_class
from django.core.management.base import BaseCommand, CommandParser

from billing import commands

NAMES = [name for name in find_commands(commands.FOLDER) if name != commands.PREFIX]


class Command(BaseCommand):
    help = "Run a command of billing's by its full name: `manage.py billing setup`. It takes that command's arguments."

    def run_from_argv(self, argv: list[str]) -> None:
        program, prefix, *rest = argv
        if rest and rest[0] in NAMES:
            load_command_class("billing", rest[0]).run_from_argv([program, f"{prefix} {rest[0]}", *rest[1:]])
        else:
            super().run_from_argv(argv)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("command", choices=NAMES, metavar="command", help=", ".join(NAMES))
        parser.add_argument("arguments", nargs="*", help="what that command takes")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it for `call_command`, which does not come by `run_from_argv`."""
        call_command(load_command_class("billing", options["command"]), *options["arguments"])

"""`manage.py write_reference` writes docs/api.md from the code."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from billing.management.terminal import TerminalCommand
from config import reference


class Command(TerminalCommand):
    help = "Rewrite docs/api.md from docstrings, settings, commands, templates and checks."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, default=reference.PATH, metavar="FILE", help="write another file")

    def handle(self, *args: Any, **options: Any) -> None:
        options["to"].write_text(reference.page())
        self.stdout.write(f"Written: {options['to'].name}.")

"""`manage.py write_reference`: docs/api.md, written anew from the code."""

from typing import Any

from django.core.management.base import BaseCommand

from config import reference


class Command(BaseCommand):
    help = "Write docs/api.md anew from docstrings, settings, commands, templates and checks."

    def handle(self, *args: Any, **options: Any) -> None:
        reference.PATH.write_text(reference.page())
        self.stdout.write(f"Written: {reference.PATH.relative_to(reference.PATH.parents[1])}.")

"""`manage.py untranslated` lists what the catalogues lack."""

from collections import Counter
from typing import Any

from billing.management.terminal import TerminalCommand
from config import words


class Command(TerminalCommand):
    help = (
        "List the texts that lack a translation, and those that nobody marked for translation. After `makemessages` "
        "fill them in the django.po of the app, then run `compilemessages`."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        missing, unmarked = list(words.untranslated()), list(words.unmarked())
        for app, language, text in missing:
            self.stdout.write(f"{app}/{language}: {text!r}")
        for place in unmarked:
            self.stdout.write(f"not marked: {place}")
        counts = Counter(f"{each.app} in {each.language}" for each in missing)
        said = ", ".join(f"{count} of {name}" for name, count in counts.items())
        self.stdout.write(f"Untranslated: {said or 'none'}. Not marked: {len(unmarked)}.")

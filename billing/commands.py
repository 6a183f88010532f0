"""An app before billing in INSTALLED_APPS may have a command of the same name. `manage.py billing …` runs ours."""

import re
from pathlib import Path

from django.core.management import find_commands, get_commands

FOLDER = str(Path(__file__).parent / "management")
PREFIX = "billing"


def hidden() -> dict[str, str]:
    """Return our commands that another app hides, each with that app."""
    known = get_commands()
    return {name: str(known[name]) for name in sorted(find_commands(FOLDER)) if known[name] != "billing"}


def spelled(text: str) -> str:
    """Return a text that names commands of ours, `manage.py setup`, with the names that run them in this project."""
    others = hidden()
    if not others or PREFIX in others:
        return text
    return re.sub(rf"\bmanage\.py (?=({'|'.join(others)})\b)", f"manage.py {PREFIX} ", text)

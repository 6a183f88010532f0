"""An app before billing in INSTALLED_APPS may have a command of the same name. `manage.py billing …` runs ours."""

from pathlib import Path

from django.core.management import find_commands, get_commands

FOLDER = str(Path(__file__).parents[1] / "management")
PREFIX = "billing"


def hidden() -> dict[str, str]:
    """Return our commands that another app hides, each with that app."""
    known = get_commands()
    return {name: str(known[name]) for name in sorted(find_commands(FOLDER)) if known[name] != "billing"}

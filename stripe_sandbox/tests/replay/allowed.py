"""The only differences that a replay may show, each with its reason."""

import re
from fnmatch import fnmatchcase

from .comparing import Difference
from .stories import Step

CHANCE, ACCOUNT, VERSION, LEFTOVER = "chance", "account", "version", "leftover"
ALLOWED: list[tuple[str, str, str]] = []


def reason_for(found: Difference) -> str | None:
    for pattern, kind, reason in ALLOWED:
        if fnmatchcase(found.place, pattern):
            return f"{kind}: {reason}"
    return None


def reason_to_skip(step: Step, known: dict[str, str]) -> str | None:
    """An object that was made outside of the recording cannot be asked for."""
    named = re.findall(r"[a-z]+_\d{3}\b", step.path + step.form)
    missing = [name for name in named if name not in known]
    return f"{missing[0]} was made outside of the recording" if missing else None

"""This module finds the routes of the whole API by the installed SDK's services: Stripe has them, and the sandbox may
not."""

import functools
import re
from pathlib import Path

import stripe

CALL = re.compile(r'_request\(\s*"(get|post|delete)",\s*"(/v[12]/[^"]*)"')
NAME = re.compile(r"\\\{\w+\\\}")


@functools.cache
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Read the SDK's routes once, when someone asks for a route that the sandbox does not know."""
    found: set[tuple[str, str]] = set()
    for source in Path(stripe.__file__).parent.rglob("*_service.py"):
        found.update(CALL.findall(source.read_text()))
    return [(method.upper(), re.compile(NAME.sub("[^/]+", re.escape(path)))) for method, path in sorted(found)]


def is_known(method: str, path: str) -> bool:
    return any(method == known and pattern.fullmatch(path) for known, pattern in _patterns())

"""This module decodes Stripe's form encoding: `items[0][price]=…`, `expand[]=…`, `metadata[key]=…`.

Whoever writes `items[][price]=…&items[][quantity]=…` means one item; a name that it has already begins the next one.
"""

import re
from typing import Any
from urllib.parse import parse_qsl

from ..errors import invalid

PART = re.compile(r"\[([^\[\]]*)\]")

DEEPEST = 20


def decode(encoded: str) -> dict[str, Any]:
    """Return nested dicts of strings; a list is a dict of its indexes until the contract says that it is one."""
    decoded: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        _put(decoded, _path(name), value, name)
    return decoded


def _path(name: str) -> list[str]:
    head, bracket, _ = name.partition("[")
    path = [head, *PART.findall(name)] if bracket else [head]
    if len(path) > DEEPEST:
        raise invalid(f"Invalid request: {name[:100]}… is nested too deeply.")
    return path


def _put(target: dict[str, Any], path: list[str], value: str, name: str) -> None:
    for depth, part in enumerate(path[:-1], 1):
        inner = target.setdefault(part or _entry(target, path[depth:]), {})
        if not isinstance(inner, dict):
            raise invalid(f"Invalid request: {name} is given both as a value and as an object.", name)
        target = inner
    if isinstance(target.get(path[-1]), dict):
        raise invalid(f"Invalid request: {name} is given both as a value and as an object.", name)
    target[path[-1] or str(len(target))] = value


def _entry(entries: dict[str, Any], rest: list[str]) -> str:
    """Return the index that `[]` stands for: the latest entry's, or a new one if that has the rest of the name."""
    latest = str(len(entries) - 1)
    return latest if isinstance(entries.get(latest), dict) and not _has(entries[latest], rest) else str(len(entries))


def _has(entry: Any, path: list[str]) -> bool:
    for part in path:
        if not isinstance(entry, dict) or part not in entry:
            return False
        entry = entry[part]
    return True

"""This module decodes Stripe's form encoding: `items[0][price]=…`, `expand[]=…`, `metadata[key]=…`."""

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
    for part in path[:-1]:
        inner = target.setdefault(part or str(len(target)), {})
        if not isinstance(inner, dict):
            raise invalid(f"Invalid request: {name} is given both as a value and as an object.", name)
        target = inner
    if isinstance(target.get(path[-1]), dict):
        raise invalid(f"Invalid request: {name} is given both as a value and as an object.", name)
    target[path[-1] or str(len(target))] = value

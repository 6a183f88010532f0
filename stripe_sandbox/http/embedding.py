"""Stripe embeds the first ten entries of a list inside of an object, and says whether there are more."""

from typing import Any

MOST = 10


def shortened(value: Any) -> Any:
    """Return a copy with its embedded lists cut, if there is one to cut; otherwise the value itself."""
    return _cut(value) if _has_long(value) else value


def _has_long(value: Any) -> bool:
    """Return whether there is a list to cut. Every answer is looked through, so nothing is made meanwhile."""
    for inner in value.values() if type(value) is dict else value:
        kind = type(inner)
        if kind is dict:
            if _is_long(inner) or _has_long(inner):
                return True
        elif kind is list and inner and type(inner[0]) is dict and _has_long(inner):
            return True
    return False


def _is_long(value: dict[str, Any]) -> bool:
    return value.get("object") == "list" and len(value["data"]) > MOST


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return [_cut(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {name: _embedded(_cut(inner)) for name, inner in value.items()}


def _embedded(inner: Any) -> Any:
    if isinstance(inner, dict) and _is_long(inner):
        return {**inner, "data": inner["data"][:MOST], "has_more": True}
    return inner

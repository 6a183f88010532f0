"""Stripe embeds the first ten entries of a list inside of an object, and says whether there are more."""

from typing import Any

MOST = 10


def shortened(value: Any) -> Any:
    """Return a copy with its embedded lists cut, if there is one to cut; otherwise the value itself."""
    if isinstance(value, dict):
        return _dict(value)
    if isinstance(value, list):
        entries = [shortened(entry) for entry in value]
        return entries if any(new is not old for new, old in zip(entries, value, strict=True)) else value
    return value


def _dict(value: dict[str, Any]) -> dict[str, Any]:
    changed = {}
    for name, inner in value.items():
        if isinstance(inner, dict | list) and inner and (new := _embedded(inner)) is not inner:
            changed[name] = new
    return {**value, **changed} if changed else value


def _embedded(inner: Any) -> Any:
    inner = shortened(inner)
    if isinstance(inner, dict) and inner.get("object") == "list" and len(inner["data"]) > MOST:
        return {**inner, "data": inner["data"][:MOST], "has_more": True}
    return inner

"""Metadata has Stripe's limits, and an update is merged into what there is."""

from typing import Any

from ..errors import invalid

MOST_KEYS, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500


def is_named(path: str) -> bool:
    return path.endswith(("metadata", "metadata]"))


def check(given: dict[str, Any], path: str) -> None:
    if len(given) > MOST_KEYS:
        raise invalid(f"Metadata can have up to {MOST_KEYS} keys, but you've set {len(given)}.", path)
    for key, value in given.items():
        where = f"{path}[{key}]"
        if len(key) > LONGEST_KEY:
            size = f"{LONGEST_KEY} characters, but you passed in a key that is {len(key)} characters"
            raise invalid(f"Metadata keys can have up to {size}. Invalid key: {key}", where)
        if len(value) > LONGEST_VALUE:
            size = f"{LONGEST_VALUE} characters, but you passed in a value that is {len(value)} characters"
            raise invalid(f"Metadata values can have up to {size}. Invalid value: {value}", where)


def merged(metadata: dict[str, str] | None, params: dict[str, Any]) -> dict[str, str]:
    """Merge metadata key by key; an empty value removes the key, an empty string all of them."""
    given = params.get("metadata")
    if given == "":
        return {}
    after = {key: value for key, value in {**(metadata or {}), **(given or {})}.items() if value != ""}
    check(after, "metadata")
    return after

"""Metadata has Stripe's limits, and an update is merged into what there is."""

from typing import Any

from ..errors import invalid

MOST_KEYS, LONGEST_KEY, LONGEST_VALUE = 50, 40, 500


def is_named(path: str) -> bool:
    return path.endswith(("metadata", "metadata]"))


def check(given: dict[str, Any], path: str) -> None:
    if len(given) > MOST_KEYS:
        raise invalid(f"Metadata can have at most {MOST_KEYS} keys; you passed {len(given)}.", path)
    for key, value in given.items():
        where = f"{path}[{key}]"
        if len(key) > LONGEST_KEY:
            raise invalid(f"Metadata keys can have up to {LONGEST_KEY} characters; this one has {len(key)}.", where)
        if len(value) > LONGEST_VALUE:
            size = f"{LONGEST_VALUE} characters; this one has {len(value)}"
            raise invalid(f"Metadata values can have up to {size}.", where)


def merged(metadata: dict[str, str] | None, params: dict[str, Any]) -> dict[str, str]:
    """Merge metadata key by key; an empty value removes the key, an empty string all of them."""
    given = params.get("metadata")
    if given == "":
        return {}
    after = {key: value for key, value in {**(metadata or {}), **(given or {})}.items() if value != ""}
    check(after, "metadata")
    return after

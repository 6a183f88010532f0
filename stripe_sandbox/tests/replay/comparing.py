"""Compares two answers field by field: ids as names of one thing, instants within seconds, the rest to the letter."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ID = re.compile(r"(group_)?[a-z]+(_test)?_[0-9A-Za-z]+(_secret\w*)?")
SECONDS = 10
LONG_AGO = 1_000_000_000
ABSENT = "(absent)"


@dataclass(frozen=True)
class Difference:
    """`place` is a field by the object that it is of: `invoice.lines.total_count`."""

    place: str
    recorded: Any
    answered: Any

    def __str__(self) -> str:
        return f"{self.place}: Stripe {self.recorded!r}, sandbox {self.answered!r}"


class Names:
    """Pairs the recorded ids with the sandbox's; a pair once made lasts for the story."""

    def __init__(self) -> None:
        self.ours: dict[str, str] = {}
        self.theirs: dict[str, str] = {}

    def are_one(self, recorded: str, answered: str) -> bool:
        if recorded in self.ours or answered in self.theirs:
            return self.ours.get(recorded) == answered
        if not (ID.fullmatch(recorded) and ID.fullmatch(answered)) or _kind(recorded) != _kind(answered):
            return False
        self.pair(recorded, answered)
        return True

    def pair(self, recorded: str, answered: str) -> None:
        self.ours[recorded], self.theirs[answered] = answered, recorded

    def translated(self, text: str) -> str:
        """A value of a request, or a text with ids in it, in the sandbox's names."""
        return self.ours.get(text) or re.sub(r"[a-z]+_\d{3}\b", lambda found: self.ours.get(found[0], found[0]), text)


def _kind(identifier: str) -> str:
    return identifier.split("_", maxsplit=1)[0] + ("_secret" if "_secret" in identifier else "")


def differences(names: Names, recorded: Any, answered: Any, place: str = "") -> Iterator[Difference]:
    if isinstance(recorded, dict) and isinstance(answered, dict):
        yield from _fields(names, recorded, answered, _object_of(recorded) or place)
    elif isinstance(recorded, list) and isinstance(answered, list):
        yield from _entries(names, recorded, answered, place)
    elif not _is_same(names, recorded, answered):
        yield Difference(place, recorded, answered)


def _object_of(row: dict[str, Any]) -> str | None:
    kind = row.get("object")
    return kind if isinstance(kind, str) and kind != "list" else None


def _fields(names: Names, recorded: dict[str, Any], answered: dict[str, Any], place: str) -> Iterator[Difference]:
    """Ids first, so that what they name is known where it is met again."""
    for name in sorted(recorded.keys() | answered.keys(), key=lambda name: (name != "id", name)):
        inner = f"{place}.{name}".lstrip(".")
        if name in recorded and name in answered:
            yield from differences(names, recorded[name], answered[name], inner)
        else:
            yield Difference(inner, recorded.get(name, ABSENT), answered.get(name, ABSENT))


def _entries(names: Names, recorded: list[Any], answered: list[Any], place: str) -> Iterator[Difference]:
    if len(recorded) != len(answered):
        yield Difference(f"{place}[]", f"{len(recorded)} entries", f"{len(answered)} entries")
    for one, other in zip(recorded, answered, strict=False):
        yield from differences(names, one, other, f"{place}[]")


def _is_same(names: Names, recorded: Any, answered: Any) -> bool:
    if isinstance(recorded, str) and isinstance(answered, str):
        return _is_same_text(names, recorded, answered)
    if isinstance(recorded, int) and isinstance(answered, int) and min(recorded, answered) > LONG_AGO:
        return abs(recorded - answered) <= SECONDS
    return type(recorded) is type(answered) and bool(recorded == answered)


def _is_same_text(names: Names, recorded: str, answered: str) -> bool:
    if recorded == answered or names.are_one(recorded, answered):
        return True
    if recorded == "https://…":
        return answered.startswith("http")
    return names.translated(recorded) == answered

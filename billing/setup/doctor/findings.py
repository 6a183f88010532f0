"""Each check of the doctor returns findings."""

from dataclasses import dataclass
from enum import StrEnum

from billing.commands import spelled


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """`todo` is the sentence that says what to do; empty if all is well."""

    name: str
    level: Level
    text: str
    todo: str = ""


def ok(name: str, text: str) -> Finding:
    return Finding(name, Level.OK, text)


def warning(name: str, text: str, todo: str) -> Finding:
    return Finding(name, Level.WARNING, spelled(text), spelled(todo))


def error(name: str, text: str, todo: str) -> Finding:
    return Finding(name, Level.ERROR, spelled(text), spelled(todo))

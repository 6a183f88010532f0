"""What a check comes to."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """`todo`: the sentence that says what to do; empty where all is well."""

    name: str
    level: Level
    text: str
    todo: str = ""


def ok(name: str, text: str) -> Finding:
    return Finding(name, Level.OK, text)


def warning(name: str, text: str, todo: str) -> Finding:
    return Finding(name, Level.WARNING, text, todo)


def error(name: str, text: str, todo: str) -> Finding:
    return Finding(name, Level.ERROR, text, todo)

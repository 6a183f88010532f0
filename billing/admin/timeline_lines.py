"""A timeline is made of lines."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Line:
    """A line of the timeline says what happened at a time. `kind` is the word before it, `tone` its colour; `what`
    links to its own page where there is one. `about` are ids of Stripe's; `event` is the id of the event that the line
    is."""

    at: datetime
    kind: str
    tone: str
    what: Any
    details: tuple[Any, ...] = ()
    cause: str = ""
    about: tuple[str, ...] = ()
    event: str = ""

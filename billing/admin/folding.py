"""The story folds Stripe's events under the payment or change that they caused, so that a renewal is one line.

An event that failed, waits, or caused nothing that is shown keeps its own line.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from django.utils.safestring import SafeString

from .timeline_lines import Line

NEAR = timedelta(hours=2)


class Told(NamedTuple):
    """A line is told with its cause in words, and with the events that are folded under it."""

    line: Line
    cause: str | SafeString
    folded: list[Line]


def fold(lines: Sequence[Line]) -> list[tuple[Line, list[Line]]]:
    """Return the lines that stay, each with the events under it."""
    heads = [line for line in lines if not line.event]
    under: dict[int, list[Line]] = {id(head): [] for head in heads}
    kept: list[Line] = []
    for line in lines:
        head = _head_of(line, heads) if line.event and line.tone == "quiet" else None
        if head is None:
            kept.append(line)
        else:
            under[id(head)].append(line)
    return [(line, under.get(id(line), [])) for line in kept]


def _head_of(event: Line, heads: list[Line]) -> Line | None:
    """Return the line that the event caused, else the nearest one about the same object."""
    caused = [head for head in heads if head.cause == event.event and head.kind != "Mail"]
    about = [head for head in heads if set(head.about) & set(event.about) and abs(head.at - event.at) <= NEAR]
    return min(caused or about, key=lambda head: abs(head.at - event.at), default=None)

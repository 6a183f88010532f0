"""A customer's timeline shows everything known of them, newest first, a portion at a time, from all tables.

Each source is asked by an index for its newest rows up to a time, so a page costs the same queries however long the
history is. A page ends at a time and the number of lines of that time already shown.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from billing.conf import conf
from billing.models import Customer

from .cause_words import Causes
from .folding import Told, fold
from .timeline_lines import Line

SHOWN = 40
GROUPS = {
    "": "Everything",
    "access": "Access",
    "money": "Money",
    "events": "Events",
    "mails": "Mails",
    "staff": "Staff",
}


@dataclass(frozen=True)
class Source:
    """`newest` yields at most so many lines up to a time (None: the newest), newest first. `is_detail` lines are
    shown only if their group is asked for."""

    group: str
    permission: str
    newest: Callable[[HttpRequest, Customer, datetime | None, int], Iterable[Line]]
    is_detail: bool = False


@dataclass(frozen=True)
class Place:
    """A page begins at `until`, after `past` lines of that time; at the newest line if `until` is None."""

    until: datetime | None = None
    past: int = 0

    def __str__(self) -> str:
        return f"{self.until.isoformat()}~{self.past}" if self.until else ""

    @classmethod
    def of(cls, text: str) -> "Place":
        """Parse a place; return the newest one for invalid text."""
        at, _, past = text.partition("~")
        try:
            until = parse_datetime(at)
        except ValueError:
            until = None
        is_number = past.isascii() and past.isdigit() and len(past) < 5
        return cls(until, int(past)) if is_number and until and until.tzinfo and is_sane(until) else cls()


def is_sane(at: datetime) -> bool:
    """Return whether every database and time zone can hold the time."""
    return 1970 < at.year < 9000


@dataclass(frozen=True)
class Timeline:
    """`lines` come with their causes, in words, and with the events that are folded under them."""

    lines: list[Told]
    group: str
    is_continued: bool
    older: str

    @property
    def groups(self) -> list[tuple[str, str]]:
        return list(GROUPS.items())


def read_timeline(
    request: HttpRequest, customer: Customer, sources: Iterable[Source], at: datetime | None = None
) -> Timeline:
    """Return the page of the timeline that the address asks for, by `only` (a group) and `from` (a place); by `at` if
    no place is given."""
    group = request.GET.get("only", "")
    group = group if group in GROUPS else ""
    place = Place.of(request.GET.get("from", ""))
    is_continued = place.until is not None
    place = place if is_continued else Place(at)
    asked = [one for one in sources if group == one.group or not (group or one.is_detail)]
    seen = [one for one in asked if request.user.has_perm(f"{conf.app_label}.{one.permission}")]
    lines = _merged(request, customer, seen, place)
    shown = lines[:SHOWN]
    causes = Causes(
        (line.cause for line in shown), can_view_events=request.user.has_perm(f"{conf.app_label}.view_stripeevent")
    )
    kept = [(line, []) for line in shown] if group == "events" else fold(shown)
    told = [Told(line, causes.said(line.cause), folded) for line, folded in kept]
    older = _address(request, _after(place, shown)) if len(lines) > SHOWN else ""
    return Timeline(told, group, is_continued, older)


def _merged(request: HttpRequest, customer: Customer, sources: list[Source], place: Place) -> list[Line]:
    """Merge the sources; return one line more than is shown, if there are more. Lines of the same time keep the order
    of their sources."""
    most = SHOWN + place.past + 1
    found = [line for one in sources for line in one.newest(request, customer, place.until, most)]
    found.sort(key=lambda line: line.at, reverse=True)
    return found[place.past :] if place.until else found


def _after(place: Place, shown: list[Line]) -> Place:
    last = shown[-1].at
    of_that_moment = sum(line.at == last for line in shown)
    return Place(last, of_that_moment + (place.past if place.until == last else 0))


def _address(request: HttpRequest, place: Place) -> str:
    kept = {name: request.GET[name] for name in ("at", "only") if request.GET.get(name)}
    return "?" + urlencode({**kept, "from": str(place)}) + "#timeline"

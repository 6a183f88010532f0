"""The sync asks Stripe for the events since the watermark, skips those in the ledger, and puts the rest in order."""

import json
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from typing import Any

from billing.events import CATALOGUE, EVENT_TYPES, Event, NotAnEvent, NotBearable, ledger
from billing.models import Customer, StripeEvent

from .listing import Reader, Stretch

TYPES_A_CALL = 20
OVERLAP_SECONDS = 300
IN_MEMORY = 8 << 20


class Missed:
    """This collects the missed events, each with its lane. Their text waits on disk, so that memory stays flat."""

    def __init__(self) -> None:
        self.file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 (closed when it is left)
        self.index: list[tuple[int, str, int, int]] = []
        self.newest = 0

    def __enter__(self) -> "Missed":
        return self

    def __exit__(self, *error: object) -> None:
        self.file.close()

    def __len__(self) -> int:
        return len(self.index)

    def add(self, event: dict[str, Any]) -> None:
        text = json.dumps(event).encode()
        self.index.append((event["created"], event["id"], self.file.tell(), len(text)))
        self.file.write(text)

    def oldest_first(self) -> Iterator[dict[str, Any]]:
        for _, _, offset, length in sorted(self.index):
            self.file.seek(offset)
            yield json.loads(self.file.read(length))


def find(since: int | None) -> Missed:
    """Ask Stripe for the events made since then, UTC seconds, of the types we listen to.

    Without a watermark there was no sync before: of all that Stripe keeps, only what concerns customers we know is
    ours to catch up with. The state of others is taken over as it is, and says nothing about the past.
    """
    missed = Missed()
    try:
        _fill(missed, since)
    except BaseException:
        missed.file.close()
        raise
    return missed


def _fill(missed: Missed, since: int | None) -> None:
    names = sorted(EVENT_TYPES - set(CATALOGUE))  # the sync compares every price itself
    chains = [names[start : start + TYPES_A_CALL] for start in range(0, len(names), TYPES_A_CALL)]
    for page in Reader([Stretch("/v1/events", {"types": types}, since or 0) for types in chains], may_split=False):
        missed.newest = max(missed.newest, page[0]["created"])
        for event in _unknown(page):
            lane = lane_of(event)
            if lane and (since is not None or _is_known_customer(lane)):
                missed.add(event)


def lane_of(event: dict[str, Any]) -> str:
    """Return the lane where the ledger would put the event; "" for JSON that is no event."""
    try:
        parsed = Event.of(event)
    except (NotAnEvent, NotBearable):
        return ""
    return ledger.lane_of(parsed.type, parsed.object, parsed.previous)


def _unknown(page: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = set(StripeEvent.objects.filter(pk__in=[event["id"] for event in page]).values_list("pk", flat=True))
    return [event for event in page if event["id"] not in known]


def _is_known_customer(lane: str) -> bool:
    """Return whether the event may be about a customer of ours; the worker finds out for a dispute or refund, which
    names none."""
    return not lane.startswith("cus_") or Customer.objects.filter(pk=lane).exists()

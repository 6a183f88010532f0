"""The list of events is exported as CSV, streamed in portions: a million rows cost no more memory than a page."""

import csv
import json
from collections.abc import Iterator
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils import timezone

from billing import clock
from billing.conf import conf
from billing.models import StripeEvent

from . import display, event_words
from .csv_cells import harmless
from .readonly import PAYLOAD_PERMISSION

PERMISSION = f"{conf.app_label}.export_stripeevent"
LOGGED = "Exported as CSV"
PORTION = 500
COLUMNS = (
    "id",
    "type",
    "state",
    "created",
    "received",
    "processed",
    "handled",
    "attempts",
    "deliveries",
    "source",
    "mode",
    "api_version",
    "object",
    "lane",
    "email",
    "note",
)


def is_allowed(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION)


def response(request: HttpRequest, events: QuerySet[StripeEvent]) -> StreamingHttpResponse:
    """Return the CSV, newest first; with payloads, without their secrets, for staff who may see them. The export is
    logged."""
    who: Any = request.user
    LogEntry.objects.create(
        user_id=who.pk,
        content_type=ContentType.objects.get_for_model(StripeEvent),
        object_repr="Stripe events",
        action_flag=CHANGE,
        change_message=LOGGED,
    )
    name = f"stripe-events-{timezone.now():%Y%m%d-%H%M%S}.csv"
    return StreamingHttpResponse(
        _lines(events, has_payload=request.user.has_perm(PAYLOAD_PERMISSION)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


class _Line:
    """This file holds one line, which `writerow` returns."""

    def write(self, text: str) -> str:
        return text


def _lines(events: QuerySet[StripeEvent], *, has_payload: bool) -> Iterator[str]:
    write = csv.writer(_Line()).writerow
    yield write([*COLUMNS, *(["payload"] if has_payload else [])])
    for event in _in_portions(events.defer(None) if has_payload else events):
        payload = [json.dumps(display.without_secrets(event.payload), ensure_ascii=False)] if has_payload else []
        yield write([harmless(value) for value in [*_values(event), *payload]])


def _in_portions(events: QuerySet[StripeEvent]) -> Iterator[StripeEvent]:
    """Yield rows in portions. Each begins after the last row of the one before, so no cursor stays open and no row is
    skipped."""
    rest = events.order_by("-received_at", "-pk")
    while rows := list(rest[:PORTION]):
        yield from rows
        last = rows[-1]
        is_earlier = Q(received_at__lt=last.received_at) | Q(received_at=last.received_at, pk__lt=last.pk)
        rest = events.filter(is_earlier, received_at__lte=last.received_at).order_by("-received_at", "-pk")


def _values(event: Any) -> list[Any]:
    return [
        event.pk,
        event.type,
        event_words.state(event),
        _iso(clock.from_timestamp(event.created)),
        _iso(event.received_at),
        _iso(event.processed_at),
        _iso(event.handled_at),
        event.attempts,
        event.deliveries,
        event.source,
        "live" if event.livemode else "test",
        event.api_version,
        event.object_id,
        event.lane,
        event.customer_email or "",
        event.error_message,
    ]


def _iso(at: Any) -> str:
    return at.isoformat(timespec="seconds") if at else ""

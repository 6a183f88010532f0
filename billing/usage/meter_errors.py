"""Stripe examines usage after it has taken it, and tells errors by thin events, which name the reports they are about.

The worker asks for those of our meters each minute while anything was sent of late, and the sync each hour. Where a
destination at Stripe sends them to the door, they are heard at once (`billing.events.thin`).
"""

import logging
import uuid
from datetime import timedelta
from typing import Any

from billing import clock, stripe_client
from billing.models import OveragePrice, UsageReport
from billing.monitoring import alerts
from billing.stripe_client import StripeRefused, StripeUnavailable

from . import reporting
from .reporting import State

log = logging.getLogger(__name__)

REPORT = "v1.billing.meter.error_report_triggered"
NO_METER = "v1.billing.meter.no_meter_found"
TYPES = frozenset({REPORT, NO_METER})
TOLD_WITHIN = timedelta(minutes=15)
EVENTS = "/v2/core/events"


def ask() -> int:
    """Read the error reports of our meters; return how many usage reports they refuse."""
    meters = OveragePrice.objects.order_by("meter").values_list("meter", flat=True).distinct()
    refused = 0
    for meter in meters:
        page = stripe_client.get(EVENTS, object_id=meter, limit=100)
        refused += sum(note(event) for event in page["data"] if event["type"] in TYPES)
    return refused


def hear(event_id: str) -> int:
    """Read one error report that Stripe told of; return how many usage reports it refuses. Raises `StripeUnavailable`,
    `StripeRefused`."""
    return note(stripe_client.get(f"{EVENTS}/{event_id}"))


def ask_of_late() -> int:
    """Read the error reports while any was sent of late; Stripe tells errors within some minutes. An outage waits."""
    if not UsageReport.objects.filter(sent_at__gt=clock.now() - TOLD_WITHIN).exists():
        return 0
    try:
        with stripe_client.patient():
            return ask()
    except (StripeUnavailable, *StripeRefused) as error:
        log.warning("meter errors not read", extra={"error": str(error)})
        return 0


def note(event: dict[str, Any]) -> int:
    """Mark the reports that an event names as refused; return how many were taken for counted until now."""
    data = event.get("data") or {}
    found = 0
    for kind in (data.get("reason") or {}).get("error_types") or []:
        for sample in kind.get("sample_errors") or []:
            found += _refuse(str((sample.get("request") or {}).get("identifier") or ""), kind, sample)
    if not found and data and event["type"] == NO_METER:
        alerts.alert_staff("no_meter", "Stripe has no meter for some usage", "Run manage.py setup_stripe.")
    return found


def _refuse(identifier: str, kind: dict[str, Any], sample: dict[str, Any]) -> int:
    """Refuse the report of an idempotency key: its id, a colon and the try."""
    try:
        report_id = uuid.UUID(identifier.partition(":")[0])
    except ValueError:
        return 0
    row = UsageReport.objects.filter(pk=report_id, state__in=[State.SENT, State.SENDING], settled_by="").first()
    words = f"{kind.get('code')}: {sample.get('error_message')}"
    return int(row is not None and reporting.settle(row, State.REFUSED, words))

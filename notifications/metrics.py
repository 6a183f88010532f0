"""This module adds the outbox to billing's /metrics: mails that wait, how late the oldest is, and last hour's mails by
state."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from billing import clock

from .models import Mail

RECENT = timedelta(hours=1)


def families() -> Iterator[Metric]:
    """Yield the outbox's metrics."""
    now = timezone.now()
    waiting = Mail.objects.filter(status__in=[Mail.Status.QUEUED, Mail.Status.SENDING])
    found = waiting.aggregate(number=Count("pk"), due=Min("next_attempt_at"))
    yield GaugeMetricFamily("notifications_mails_waiting", "Mails reserved and not sent yet", found["number"])
    late = max((now - found["due"]).total_seconds(), 0) if found["due"] else 0
    yield GaugeMetricFamily(
        "notifications_oldest_waiting_seconds", "Seconds since the oldest waiting mail was due", late
    )
    recent = GaugeMetricFamily(
        "notifications_mails_recent", "Mails reserved in the last hour", labels=["kind", "state"]
    )
    rows = Mail.objects.filter(created_at__gt=clock.now() - RECENT).order_by()
    for kind, state, number in rows.values_list("kind", "status").annotate(Count("pk")):
        recent.add_metric([kind, state], number)
    yield recent

"""The outbox, for billing's /metrics: what waits, since when, and what became of the last hour's mails."""

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily, Metric

from billing import clock

from .models import Mail

RECENT = timedelta(hours=1)


def families() -> Iterator[Metric]:
    now = timezone.now()
    waiting = Mail.objects.filter(status__in=[Mail.Status.QUEUED, Mail.Status.SENDING])
    found = waiting.aggregate(number=Count("pk"), due=Min("next_attempt_at"))
    yield GaugeMetricFamily("notifications_mails_waiting", "Mails reserved and not yet handed over", found["number"])
    late = max((now - found["due"]).total_seconds(), 0) if found["due"] else 0
    yield GaugeMetricFamily("notifications_oldest_waiting_seconds", "How long the oldest mail has been due", late)
    recent = GaugeMetricFamily(
        "notifications_mails_recent", "Mails reserved in the last hour", labels=["kind", "state"]
    )
    rows = Mail.objects.filter(created_at__gt=clock.now() - RECENT).order_by()
    for kind, state, number in rows.values_list("kind", "status").annotate(Count("pk")):
        recent.add_metric([kind, state], number)
    yield recent

"""GET /metrics answers with Prometheus text from the tables that all processes share, so any process answers for
all.

Every query reads a partial index or the newest few minutes: none counts the whole ledger. The process's own memory
and CPU come beside it.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import accumulate

from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseProblem
from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from billing import queues
from billing.models import Lane, MirrorFailure, StripeCalls, StripeEvent, SyncRun
from billing.monitoring import health
from billing.monitoring.guard import for_monitoring
from billing.stripe_client import call_counts

log = logging.getLogger(__name__)

Families = Callable[[], Iterator[Metric]]

RECENT = timedelta(minutes=5)
DAY = timedelta(days=1)
LAG_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_added: dict[str, Families] = {}


def add(source: str, families: Families) -> None:
    """Add the metrics of another app, under the name that `billing_up` has for it; call this in `AppConfig.ready`."""
    _added[source] = families


@login_not_required
@never_cache
@for_monitoring
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with numbers only, no ids and no personal data; a proxy keeps it from the world all the same."""
    registry = CollectorRegistry()
    registry.register(Collector())
    ProcessCollector(registry=registry)
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class Collector:
    """The collector reports a source that does not answer, and still yields the metrics of the others."""

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("billing_up", "1 if the source answers, else 0", labels=["source"])
        for source, families in {"database": _of_database, "queue": _of_queue, **_added}.items():
            try:
                found = list(families())
            except (DatabaseProblem, OSError) as error:
                log.warning("metrics are missing", extra={"source": source, "error": type(error).__name__})
                found = []
            up.add_metric([source], bool(found))
            yield from found
        yield up


def _of_database() -> Iterator[Metric]:
    yield _waiting_events()
    yield _dead_events()
    yield _recent_events()
    yield _lag()
    yield from _lanes()
    yield from _backlog()
    yield from _sync()
    yield _stripe_calls()
    yield _mirror_failures()


def _of_queue() -> Iterator[Metric]:
    yield GaugeMetricFamily("billing_queue_tasks", "Tasks in the queue", queues.waiting())


def _by(name: str, help_: str, events: QuerySet[StripeEvent], *fields: str) -> Metric:
    family = GaugeMetricFamily(name, help_, labels=["state" if field == "status" else field for field in fields])
    for *labels, number in events.order_by().values_list(*fields).annotate(Count("pk")):
        family.add_metric(labels, number)
    return family


def _waiting_events() -> Metric:
    return _by("billing_events_waiting", "Events not yet applied", StripeEvent.objects.waiting(), "type", "status")


def _dead_events() -> Metric:
    dead = StripeEvent.objects.dead()
    return _by("billing_events_dead", "Events that failed too often and wait for staff", dead, "type")


def _recent_events() -> Metric:
    return _by("billing_events_recent", "Events received in the last 5 minutes", _recent(), "type", "status")


def _recent() -> QuerySet[StripeEvent]:
    return StripeEvent.objects.filter(received_at__gt=timezone.now() - RECENT)


def _lag() -> Metric:
    """Return the time from receipt to effect of the events received in the last minutes."""
    lag = ExpressionWrapper(F("processed_at") - F("received_at"), DurationField())
    within = {f"b{index}": Count("pk", filter=Q(lag__lte=timedelta(seconds=s))) for index, s in enumerate(LAG_SECONDS)}
    processed = StripeEvent.objects.filter(received_at__gt=timezone.now() - RECENT, processed_at__isnull=False)
    counts = processed.annotate(lag=lag).aggregate(**within, all=Count("pk"), sum=Sum("lag"))
    buckets = [(str(s), counts[f"b{index}"]) for index, s in enumerate(LAG_SECONDS)]
    return GaugeHistogramMetricFamily(
        "billing_event_lag_seconds",
        "Time from receipt to effect of the events received in the last 5 minutes",
        buckets=[*buckets, ("+Inf", counts["all"])],
        gsum_value=(counts["sum"] or timedelta()).total_seconds(),
    )


def _lanes() -> Iterator[Metric]:
    awake = Lane.objects.filter(~Q(arrived=F("drained")))
    held = awake.exclude(token=None).count()
    yield GaugeMetricFamily(
        "billing_lanes_waiting", "Lanes with waiting work that no worker holds", awake.count() - held
    )
    yield GaugeMetricFamily("billing_lanes_held", "Lanes with waiting work that a worker holds", held)


def _backlog() -> Iterator[Metric]:
    found = health.backlog()
    oldest, lag = found.oldest_waiting_seconds or 0, found.queue_lag_seconds or 0
    yield GaugeMetricFamily("billing_oldest_waiting_seconds", "How long the oldest event has been due", oldest)
    yield GaugeMetricFamily("billing_queue_lag_seconds", "How long the first waiting lane has waited for a worker", lag)
    is_open = found.stripe_circuit_open
    yield GaugeMetricFamily("billing_stripe_circuit_open", "1 during an outage of Stripe, else 0", is_open)


def _mirror_failures() -> Metric:
    failed = MirrorFailure.objects.filter(failed_at__gt=timezone.now() - DAY).count()
    text = "Objects that could not be written into dj-stripe's tables in the last day"
    family = GaugeMetricFamily("billing_mirror_failures", text, labels=[])
    family.add_metric([], failed)
    return family


def _sync() -> Iterator[Metric]:
    """Count the last day's runs; the age of the last good run is missing if there never was one."""
    now = timezone.now()
    day = SyncRun.objects.filter(started_at__gt=now - DAY)
    counted = day.aggregate(drifted=Sum("drifted"), healed=Sum("healed"))
    drift = GaugeMetricFamily(
        "billing_sync_drift", "Differences that the last day's syncs found and corrected", labels=["state"]
    )
    for state, found in {"found": counted["drifted"], "healed": counted["healed"]}.items():
        drift.add_metric([state], found or 0)
    yield drift
    last = SyncRun.objects.filter(status=SyncRun.Status.DONE).order_by("-started_at")
    age = GaugeMetricFamily("billing_sync_age_seconds", "Seconds since the last successful sync began", labels=[])
    for began in last.values_list("started_at", flat=True)[:1]:
        age.add_metric([], (now - began).total_seconds())
    yield age


def _stripe_calls() -> Metric:
    call_counts.write()
    family = HistogramMetricFamily("billing_stripe_call_seconds", "Calls to Stripe, by outcome", labels=["outcome"])
    found: dict[str, dict[str, StripeCalls]] = defaultdict(dict)
    for row in StripeCalls.objects.order_by("outcome"):
        found[row.outcome][row.at_most] = row
    for outcome, rows in found.items():
        calls = accumulate(rows[bucket].calls if bucket in rows else 0 for bucket in call_counts.BUCKETS)
        seconds = sum(row.seconds for row in rows.values())
        family.add_metric([outcome], list(zip(call_counts.BUCKETS, calls, strict=True)), seconds)
    return family

"""Health answers two questions of an operator: is the process alive, and can it do its work?"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_not_required
from django.db import Error as DatabaseProblem
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.cache import counts_exactly
from billing.conf import conf
from billing.models import Lane, StripeEvent
from billing.monitoring.guard import for_monitoring
from billing.stripe_client import circuit, home

TOO_OLD = timedelta(minutes=5)


@dataclass(frozen=True)
class Backlog:
    """The backlog counts the work that waits; seconds are None where nothing waits. `stripe_held_seconds`: how long
    no call to Stripe goes out; with the circuit still open after them, one call tries. `limits_are_exact`: the cache
    counts rate limits and calls for all processes together; else each counts for itself, and the site goes on.
    """

    oldest_waiting_seconds: int | None
    queue_lag_seconds: int | None
    dead_events: int
    stripe_held_seconds: int
    stripe_circuit_open: bool
    limits_are_exact: bool

    def why_unready(self) -> str | None:
        if _is_too_long(self.oldest_waiting_seconds):
            return f"The oldest event has waited {self.oldest_waiting_seconds} seconds: is the worker running?"
        if _is_too_long(self.queue_lag_seconds):
            return f"A lane has waited for a worker for {self.queue_lag_seconds} seconds: is the worker running?"
        if self.stripe_circuit_open:
            return f"Stripe does not answer: the next call goes out in {self.stripe_held_seconds} seconds."
        if self.dead_events > conf.ready_dead_events:
            return f"More than {conf.ready_dead_events} events are dead: see why in the admin, and replay them."
        return None


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer GET /healthz: the process runs; nothing else is checked."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@for_monitoring
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer GET /readyz: 503 with the reason when the database or Stripe is away, work waits longer than it
    should, or the database is a copy of another site's.
    """
    try:
        found = backlog()
    except DatabaseProblem:
        return JsonResponse({"status": "unready", "reason": "The database does not answer."}, status=503)
    if reason := home.why_away() or found.why_unready():
        return JsonResponse({"status": "unready", "reason": reason, **asdict(found)}, status=503)
    return JsonResponse({"status": "ready", **asdict(found)})


def backlog() -> Backlog:
    return Backlog(
        oldest_waiting_seconds=_age(_oldest_due()),
        queue_lag_seconds=_age(_oldest_queued()),
        dead_events=_dead_events(),
        stripe_held_seconds=circuit.open_for(),
        stripe_circuit_open=circuit.is_open(),
        limits_are_exact=counts_exactly(),
    )


def _oldest_due() -> datetime | None:
    """Return since when the longest-waiting event has been due; an event that waits for its next try is not due
    before it.
    """
    again = StripeEvent.objects.waiting().filter(next_attempt_at__lte=timezone.now()).order_by("next_attempt_at")
    found = [untried().first(), again.values_list("next_attempt_at", flat=True).first()]
    return min(filter(None, found), default=None)


def untried() -> QuerySet[StripeEvent, datetime]:
    """Return when the events that were never tried were received, oldest first, in the order of an index."""
    waiting = StripeEvent.objects.waiting().filter(next_attempt_at=None)
    return waiting.order_by("-next_attempt_at", "received_at").values_list("received_at", flat=True)


def _oldest_queued() -> datetime | None:
    """Return since when the first lane that no worker holds has been waiting."""
    queued = Lane.objects.filter(~Q(arrived=F("drained")), token=None).order_by("woken_at")
    return queued.values_list("woken_at", flat=True).first()


def _dead_events() -> int:
    """Count the dead events, no further than one above the limit: that one makes us unready."""
    dead = StripeEvent.objects.dead()
    return dead.values("pk")[: conf.ready_dead_events + 1].count()


def _age(since: datetime | None) -> int | None:
    return None if since is None else int((timezone.now() - since).total_seconds())


def _is_too_long(seconds: int | None) -> bool:
    return seconds is not None and seconds > TOO_OLD.total_seconds()

"""Two questions of whoever runs the site: is the process alive, and can it do its work."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.db import Error as DatabaseProblem
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing import stripe_circuit
from billing.conf import conf
from billing.models import Lane, StripeEvent

TOO_OLD = timedelta(minutes=5)


@dataclass(frozen=True)
class Backlog:
    """What waits; seconds are None where nothing does. `stripe_held_seconds`: how long no call to Stripe goes out."""

    oldest_waiting_seconds: int | None
    queue_lag_seconds: int | None
    dead_events: int
    stripe_held_seconds: int

    def why_unready(self) -> str | None:
        if _is_too_long(self.oldest_waiting_seconds):
            return f"The oldest event has waited {self.oldest_waiting_seconds} seconds: is the worker running?"
        if _is_too_long(self.queue_lag_seconds):
            return f"A lane has been queued for {self.queue_lag_seconds} seconds: is the worker running?"
        if self.stripe_held_seconds:
            return f"Stripe does not answer: no call goes out for {self.stripe_held_seconds} seconds."
        if self.dead_events > conf.ready_dead_events:
            return f"More than {conf.ready_dead_events} events are dead: see why in the admin, and process them again."
        return None


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """GET /healthz: the process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """GET /readyz: 503 with the reason when the database or Stripe is away, or work waits longer than it should."""
    try:
        found = backlog()
    except DatabaseProblem:
        return JsonResponse({"status": "unready", "reason": "The database does not answer."}, status=503)
    if reason := found.why_unready():
        return JsonResponse({"status": "unready", "reason": reason, **asdict(found)}, status=503)
    return JsonResponse({"status": "ready", **asdict(found)})


def backlog() -> Backlog:
    return Backlog(
        oldest_waiting_seconds=_age(_oldest_due()),
        queue_lag_seconds=_age(_oldest_queued()),
        dead_events=_dead_events(),
        stripe_held_seconds=stripe_circuit.open_for(),
    )


def _oldest_due() -> datetime | None:
    """Since when the longest-waiting event has been due; one that waits for its next try is not due before it."""
    due = StripeEvent.objects.waiting().filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now()))
    since = due.annotate(due_at=Coalesce("next_attempt_at", "received_at")).order_by("due_at")
    return since.values_list("due_at", flat=True).first()


def _oldest_queued() -> datetime | None:
    """Since when the lane at the queue's head has been awake in nobody's hands."""
    queued = Lane.objects.filter(~Q(arrived=F("drained")), token=None).order_by("woken_at")
    return queued.values_list("woken_at", flat=True).first()


def _dead_events() -> int:
    """Counted no further than the limit: one more says it all."""
    dead = StripeEvent.objects.dead()
    return dead.values("pk")[: conf.ready_dead_events + 1].count()


def _age(since: datetime | None) -> int | None:
    return None if since is None else int((timezone.now() - since).total_seconds())


def _is_too_long(seconds: int | None) -> bool:
    return seconds is not None and seconds > TOO_OLD.total_seconds()

"""Two questions of whoever runs the site: is the process alive, and can it do its work."""

from datetime import timedelta

from django.db import Error as DatabaseProblem
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from billing.models import StripeEvent

TOO_OLD = timedelta(minutes=5)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """GET /healthz: the process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """GET /readyz: 503 with the reason when the database is away or events wait longer than they should."""
    try:
        waiting = oldest_waiting()
    except DatabaseProblem:
        return JsonResponse({"status": "unready", "reason": "The database does not answer."}, status=503)
    seconds = None if waiting is None else int(waiting.total_seconds())
    if waiting is not None and waiting > TOO_OLD:
        reason = f"The oldest event has waited {seconds} seconds: is the worker running?"
        return JsonResponse({"status": "unready", "reason": reason, "oldest_waiting_seconds": seconds}, status=503)
    return JsonResponse({"status": "ready", "oldest_waiting_seconds": seconds})


def oldest_waiting() -> timedelta | None:
    """For how long the longest-waiting event has been due; one that waits for its next try is not due before it."""
    now = timezone.now()
    due = StripeEvent.objects.waiting().filter(Q(next_attempt_at=None) | Q(next_attempt_at__lte=now))
    since = due.annotate(due_at=Coalesce("next_attempt_at", "received_at")).order_by("due_at")
    first = since.values_list("due_at", flat=True).first()
    return None if first is None else now - first

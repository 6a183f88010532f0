""" "Mark as handled" is an action of staff: this module says who may use it, logs it, and reports the result."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext

from billing.conf import conf
from billing.events import ledger
from billing.models import StripeEvent

from .replay import MOST_AT_ONCE

PERMISSION = f"{conf.app_label}.handle_stripeevent"
LOGGED = "Marked as handled"
LEFT_OUT = "The others have not failed, or were already marked."
GONE_WRONG = (StripeEvent.Status.FAILED, StripeEvent.Status.DEAD)


def is_allowed(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION)


def is_offered(request: HttpRequest, event: StripeEvent) -> bool:
    return is_allowed(request) and event.status in GONE_WRONG and event.handled_at is None


def mark(request: HttpRequest, events: QuerySet[StripeEvent]) -> None:
    """Mark those `events` that failed or died as handled, log it, and say how many were marked."""
    chosen = list(events.only("pk", "type", "status", "handled_at")[:MOST_AT_ONCE])
    marked_by: Any = request.user.pk
    with transaction.atomic():
        wrong = [event for event in chosen if event.status in GONE_WRONG and event.handled_at is None]
        marked = ledger.mark_handled([event.pk for event in wrong])
        LogEntry.objects.log_actions(marked_by, wrong, CHANGE, change_message=LOGGED)
    _show_outcome(request, marked, len(chosen))


def _show_outcome(request: HttpRequest, marked: int, asked: int) -> None:
    one, many = "%(count)d event was marked as handled.", "%(count)d events were marked as handled."
    said = ngettext(one, many, marked) % {"count": marked}
    if marked == asked:
        messages.success(request, said)
    else:
        messages.warning(request, f"{said} {LEFT_OUT}")

""" "Process again" is an action of staff: this module says who may use it, logs it, and reports the result."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import ngettext

from billing.commands import spelled
from billing.conf import conf
from billing.events import ledger
from billing.models import StripeEvent

PERMISSION = f"{conf.app_label}.replay_stripeevent"
MOST_AT_ONCE = 1000
LOGGED = "Processed again"
LEFT_OUT = "The others belong to the other mode, or are of a type that we do not use."


def is_allowed(request: HttpRequest) -> bool:
    return request.user.has_perm(PERMISSION)


def is_offered(request: HttpRequest, event: StripeEvent) -> bool:
    return is_allowed(request) and event.livemode == conf.live_mode


def replay(request: HttpRequest, events: QuerySet[StripeEvent]) -> None:
    """Queue `events` again, log it, and say how many were queued."""
    chosen = list(events.only("pk", "type")[: MOST_AT_ONCE + 1])
    if len(chosen) > MOST_AT_ONCE:
        refused = f"At most {MOST_AT_ONCE:,} events at once. Use `manage.py replay_events` for more."
        messages.error(request, spelled(refused))
        return
    asked_by: Any = request.user.pk
    with transaction.atomic():
        set_to_go = ledger.replay([event.pk for event in chosen])
        LogEntry.objects.log_actions(asked_by, chosen, CHANGE, change_message=LOGGED)
    _show_outcome(request, set_to_go, len(chosen))


def _show_outcome(request: HttpRequest, set_to_go: int, asked: int) -> None:
    one, many = "%(count)d event will be processed again.", "%(count)d events will be processed again."
    said = ngettext(one, many, set_to_go) % {"count": set_to_go}
    if set_to_go == asked:
        messages.success(request, said)
    else:
        messages.warning(request, f"{said} {LEFT_OUT}")

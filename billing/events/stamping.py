"""Stamping writes on each event what became of it, and when it is tried again."""

from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from billing import stripe_client
from billing.lanes import tries
from billing.models import StripeEvent, StripeEventQuerySet
from billing.monitoring import alerts
from billing.stripe_client import StripeDiffers, StripeUnanswered, StripeUnavailable
from billing.subscriptions import error_class

from .parsing import storable

Status = StripeEvent.Status

BATCH = 100
MOST_FAILURES = 50  # of many replays; one round of tries has seven
BY_ANOTHER_KEY = (
    "Its events change nothing here. Run manage.py billing_doctor: it says what to do. If events are dead by then, run "
    "manage.py replay_events --dead"
)
OUTAGE = timedelta(minutes=1)


def due_events(lane: str) -> list[StripeEvent]:
    """Return the events of a lane that may be tried now, oldest first by Stripe's clock, at most 100."""
    return list(_due(lane).order_by("created", "id")[:BATCH])


def is_a_try(error: StripeUnavailable) -> bool:
    """Return whether Stripe answers others: then it will hardly answer this better later. An outage is no try."""
    return isinstance(error, StripeUnanswered) and stripe_client.answers()


def stamp_unapplied(lane: str, error: StripeUnavailable) -> None:
    """Stamp all due events of a lane whose customer could not be read from Stripe.

    During an outage they are tried again in a minute, and no try is counted; nor is one for an answer of another API
    version, which comes of a setting. If Stripe answers others, each event has been tried.
    """
    is_counted = is_a_try(error) and not isinstance(error, StripeDiffers)
    with transaction.atomic():
        events = _due(lane).locked()
        if not is_counted:
            _stamp_waiting(list(events.values_list("pk", flat=True)), str(error))
            return
        for event in events:
            stamp_failed(event, error)


def stamp_refused(lane: str, error: Exception) -> None:
    """Stamp all due events of a lane as failed, and alert staff: their customer is not reached by our key."""
    with transaction.atomic():
        for event in _due(lane).locked():
            stamp_failed(event, error)
    alerts.remind_staff("stripe_account", "Events are of another Stripe account", f"{error}. {BY_ANOTHER_KEY}")


def stamp_processed(ids: list[str], note: str) -> None:
    """Stamp events as processed; `note` says why an event had no effect."""
    StripeEvent.objects.filter(pk__in=ids).update(
        status=Status.PROCESSED,
        error_message=note,
        attempts=F("attempts") + 1,
        processed_at=timezone.now(),
        next_attempt_at=None,
    )


def stamp_unavailable(event: StripeEvent, error: StripeUnavailable) -> None:
    """Stamp an event whose object Stripe did not give: as failed, or during an outage as waiting."""
    if is_a_try(error):
        stamp_failed(event, error)
    else:
        _stamp_waiting([event.pk], str(error))


def stamp_failed(event: StripeEvent, error: Exception) -> None:
    """Stamp an event as failed, or as dead after its last try. An event that staff marked as handled stays so."""
    failed, text = event.attempts + 1, _error_text(event, error)
    next_attempt_at = tries.next_try(failed)
    failure = {"at": timezone.now().isoformat(), "error": text}
    StripeEvent.objects.filter(pk=event.pk, handled_at=None).update(
        status=Status.FAILED if next_attempt_at else Status.DEAD,
        error_message=text,
        failures=[*(event.failures or []), failure][-MOST_FAILURES:],
        attempts=failed,
        next_attempt_at=next_attempt_at,
    )
    if next_attempt_at is None:
        _alert_staff(event)


def _stamp_waiting(ids: list[str], reason: str) -> None:
    StripeEvent.objects.filter(pk__in=ids).update(
        next_attempt_at=timezone.now() + OUTAGE, error_message=f"Waiting: {reason}"
    )


def _due(lane: str) -> StripeEventQuerySet:
    is_due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now())
    return StripeEvent.objects.waiting().filter(is_due, lane=lane)


def _error_text(event: StripeEvent, error: Exception) -> str:
    text = storable(f"{type(error).__name__}: {error}")[:2000]
    return error_class(text) if event.payload.get("redacted") else text


def _alert_staff(event: StripeEvent) -> None:
    """Alert staff without the error's text: a host project's receiver may name a person in it."""
    alerts.alert_staff(
        "dead_events",
        f"Event {event.pk} could not be processed",
        f"The {event.type} event {event.pk} of {event.lane} failed {event.attempts + 1} times and is not tried again.\n"
        "The admin shows the error, under Stripe events. Correct the cause, then run: manage.py replay_events --dead",
    )

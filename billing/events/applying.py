"""One batch of a lane's events: fetched for, then applied one savepoint each and stamped, in one transaction."""

import logging
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from djstripe.exceptions import InvalidStripeAPIKey
from djstripe.models import Event as DjstripeEvent

from billing import cause, lanes, payments, stripe_client
from billing.events import being_applied, placement
from billing.events.event_types import PAID
from billing.events.ledger import storable
from billing.models import Customer, StripeEvent, StripeEventQuerySet
from billing.monitoring import alerts
from billing.stripe_client import Reads, StripeRefused, StripeUnanswered, StripeUnavailable, fetch, id_of
from billing.subscriptions import error_class, mirror

log = logging.getLogger(__name__)

Status = StripeEvent.Status
Stamp = Callable[[StripeEvent], None]

BATCH = 100
BACKOFF_MINUTES = (1, 5, 30, 120, 360, 720)
MOST_FAILURES = 50  # of many replays; one round of tries has seven
OUTAGE = timedelta(minutes=1)
NOT_OURS = "No effect: nobody here is this event's customer."


def due(lane: str) -> list[StripeEvent]:
    """What waits on a lane and may be tried now, oldest first by Stripe's clock."""
    return list(_due(lane).order_by("created", "id")[:BATCH])


def prefetch(lane: str, events: list[StripeEvent], between: Callable[[], object]) -> None:
    """Ask Stripe for all the batch will read, each object once, with no transaction open; `between` renews the lease.

    What this misses still comes: `commit_under` fetches it and starts the batch again. What Stripe refuses, does not
    answer or words oddly is met by the events that need it; only without the subscriptions nothing can be done.
    """
    if not placement.is_ours(lane):
        return
    requests = [fetch.subscriptions_request(lane), *filter(None, map(_request_for, events)), *_superseded(events)]
    stripe_client.get_in_parallel(list({str(request): request for request in requests}.values()), between)
    try:
        _prefetch_what_follows(lane, events)
    except (StripeUnavailable, OperationalError):
        raise
    except Exception:
        log.warning("prefetch ended early", extra={"lane": lane}, exc_info=True)


def _prefetch_what_follows(lane: str, events: list[StripeEvent]) -> None:
    """What only the first answers tell that it is needed."""
    for subscription in fetch.subscriptions(lane):
        if subscription["status"] == "past_due":
            fetch.open_invoices(subscription["id"])
    for event in events:
        if event.type in PAID:
            with suppress(StripeUnavailable, fetch.NotTheirs, fetch.NotAnId, *StripeRefused):
                fetch.settled_invoice(id_of(_object(event)), lane)


def _request_for(event: StripeEvent) -> fetch.Request | None:
    """The object an event is about, where the customer's subscriptions do not bring it along."""
    with suppress(fetch.NotAnId):
        return _request_about(event, _object(event))
    return None


def _request_about(event: StripeEvent, obj: dict[str, Any]) -> fetch.Request | None:
    match obj.get("object"):
        case "charge":
            return fetch.charge_request(id_of(obj))
        case "dispute":
            return fetch.dispute_request(id_of(obj))
        case "refund" if obj.get("charge"):
            return fetch.charge_request(id_of(obj["charge"]))
        case "invoice" if event.type in {"invoice.payment_failed", "invoice.payment_action_required"}:
            return fetch.invoice_request(id_of(obj))
    return None


def _superseded(events: list[StripeEvent]) -> list[fetch.Request]:
    """Invoices that a later one of their batch followed: the subscription brings only its latest along."""
    paid = [(obj["created"], id_of(obj)) for event in events if event.type in PAID and _is_dated(obj := _object(event))]
    return [fetch.invoice_request(invoice) for _, invoice in sorted(set(paid))[:-1]]


def _is_dated(obj: dict[str, Any]) -> bool:
    return isinstance(obj.get("created"), int) and bool(fetch.ID.fullmatch(id_of(obj)))


def apply_under(claim: lanes.Claim, reads: Reads, events: list[StripeEvent]) -> None:
    """Apply a batch and commit. Where that fails outside every event's savepoint, as a constraint that is checked at
    the commit does, each event gets a transaction of its own, so that only the one at fault is set to be tried again.
    """
    try:
        lanes.commit_under(claim, reads, partial(apply, claim.key, events))
    except (lanes.LaneLost, OperationalError):
        raise
    except Exception as error:
        if len(events) == 1:
            lanes.commit_under(claim, reads, partial(_stamp_failed, events[0], error))
            return
        for event in events:
            apply_under(claim, reads, [event])


def apply(lane: str, events: list[StripeEvent]) -> None:
    """Apply and stamp each event; one that fails is set to be tried again, and holds up none of the others.

    The stamps come last: a duplicate at the door waits for the row only from then to the commit.
    """
    apply_one: Callable[[StripeEvent], str | Stamp] = _place
    if placement.is_ours(lane):
        apply_one = partial(_dispatch, mirror.write_events([event.payload for event in events]))
    outcomes = [(event, _outcome(apply_one, event)) for event in events]
    list(StripeEvent.objects.filter(pk__in=[event.pk for event in events]).locked().values_list("pk"))
    for note in ("", NOT_OURS):
        _stamp_processed([event.pk for event, outcome in outcomes if outcome == note], note)
    for event, outcome in outcomes:
        if callable(outcome):
            outcome(event)


def _outcome(apply_one: Callable[[StripeEvent], str | Stamp], event: StripeEvent) -> str | Stamp:
    """A note on what was processed, or how else to stamp the event."""
    try:
        with (
            cause.recorded_as(event.pk),
            being_applied.applying(event.pk),
            transaction.atomic(),
            stripe_client.undone_on_error(),
        ):
            return apply_one(event)
    except StripeUnavailable as error:
        return partial(_stamp_failed, error=error) if is_a_try(error) else partial(_stamp_waiting, reason=str(error))
    except fetch.NotTheirs as error:
        is_misplaced = error.owner and not placement.names_customer(_object(event))
        return partial(_move, lane=error.owner) if is_misplaced else partial(_stamp_failed, error=error)
    except OperationalError as error:
        if not connection.is_usable():
            raise
        return partial(_stamp_failed, error=error)
    except Exception as error:
        return partial(_stamp_failed, error=error)


def _dispatch(recorded: dict[str, DjstripeEvent], event: StripeEvent) -> str:
    """Through dj-stripe, which runs every receiver, ours and the host project's."""
    if event.pk in recorded:
        recorded[event.pk].invoke_webhook_handlers()
    else:
        _process(event)
    return ""


def _process(event: StripeEvent) -> None:
    try:
        DjstripeEvent.process(event.payload)
    except InvalidStripeAPIKey:  # its message is the key
        raise StripeUnavailable("STRIPE_SECRET_KEY is not of the shape of Stripe's") from None


def _place(event: StripeEvent) -> str | Stamp:
    """An event that waits on a payment moves to its customer's lane; one about nobody of ours has no effect."""
    customer_id = placement.resolve(event.lane, _object(event))
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        return NOT_OURS
    intent, charge, _ = placement.names_of(_object(event))
    payments.link_of(customer, intent, charge)
    return partial(_move, lane=customer.pk)


def _move(event: StripeEvent, lane: str) -> None:
    StripeEvent.objects.filter(pk=event.pk).update(lane=lane)
    lanes.wake(lane)


def is_a_try(error: StripeUnavailable) -> bool:
    """Whether Stripe answers others, and so hardly answers this better the next time. An outage is no event's fault."""
    return isinstance(error, StripeUnanswered) and stripe_client.answers()


def count_try(lane: str, error: StripeUnavailable) -> None:
    """Stripe answers others, and not what all on this lane needs: a try of each event that waits."""
    with transaction.atomic():
        for event in _due(lane).locked():
            _stamp_failed(event, error)


def postpone(lane: str, reason: str) -> None:
    """Stripe is out of reach: what waits is tried again in a minute, and no try is counted."""
    with transaction.atomic():
        late = list(_due(lane).locked().values_list("pk", flat=True))
        StripeEvent.objects.filter(pk__in=late).update(**_waiting(reason))


def _waiting(reason: str) -> dict[str, Any]:
    return {"next_attempt_at": timezone.now() + OUTAGE, "error_message": f"Waiting: {reason}"}


def _stamp_waiting(event: StripeEvent, reason: str) -> None:
    StripeEvent.objects.filter(pk=event.pk).update(**_waiting(reason))


def _stamp_processed(ids: list[str], note: str) -> None:
    StripeEvent.objects.filter(pk__in=ids).update(
        status=Status.PROCESSED,
        error_message=note,
        attempts=F("attempts") + 1,
        processed_at=timezone.now(),
        next_attempt_at=None,
    )


def _stamp_failed(event: StripeEvent, error: Exception) -> None:
    """One that staff called handled while it was tried stays so."""
    tries, said = event.attempts + 1, _said(event, error)
    next_attempt_at = _next_attempt(tries)
    failure = {"at": timezone.now().isoformat(), "error": said}
    StripeEvent.objects.filter(pk=event.pk, handled_at=None).update(
        status=Status.FAILED if next_attempt_at else Status.DEAD,
        error_message=said,
        failures=[*(event.failures or []), failure][-MOST_FAILURES:],
        attempts=tries,
        next_attempt_at=next_attempt_at,
    )
    if next_attempt_at is None:
        _tell_staff(event)


def _said(event: StripeEvent, error: Exception) -> str:
    said = storable(f"{type(error).__name__}: {error}")[:2000]
    return error_class(said) if event.payload.get("redacted") else said


def _tell_staff(event: StripeEvent) -> None:
    """Not what it said: a host project's receiver may name a person in it."""
    alerts.tell(
        "dead_events",
        f"Event {event.pk} could not be processed",
        f"The {event.type} event {event.pk} of {event.lane} failed {event.attempts + 1} times and is tried no more.\n"
        "The admin shows why, under Stripe events; when that is mended: manage.py replay_events --dead",
    )


def _next_attempt(tries: int) -> datetime | None:
    """When to try again after so many tries, give or take a tenth; None when there were enough."""
    if tries > len(BACKOFF_MINUTES):
        return None
    minutes = BACKOFF_MINUTES[tries - 1] * random.uniform(0.9, 1.1)
    return timezone.now() + timedelta(minutes=minutes)


def _due(lane: str) -> StripeEventQuerySet:
    is_due = Q(next_attempt_at=None) | Q(next_attempt_at__lte=timezone.now())
    return StripeEvent.objects.waiting().filter(is_due, lane=lane)


def _object(event: StripeEvent) -> dict[str, Any]:
    obj: dict[str, Any] = event.payload["data"]["object"]
    return obj

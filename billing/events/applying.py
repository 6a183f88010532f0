"""Applying runs the receivers of one batch of a lane's events, each in a savepoint, all in one transaction."""

from collections.abc import Callable
from functools import partial

from django.db import OperationalError, connection, transaction
from djstripe.exceptions import InvalidStripeAPIKey
from djstripe.models import Event as DjstripeEvent

from billing import cause, lanes, payments, stripe_client
from billing.models import Customer, StripeEvent
from billing.stripe_client import Reads, StripeUnavailable, fetch
from billing.subscriptions import mirror

from . import placement
from .placement import object_of
from .receivers import receiving
from .stamping import stamp_failed, stamp_processed, stamp_unavailable

Stamp = Callable[[StripeEvent], None]

NOT_OURS = "No effect: this event belongs to no customer of this project."


def apply_under(claim: lanes.Claim, reads: Reads, events: list[StripeEvent]) -> None:
    """Apply a batch and commit it.

    If the commit fails outside every event's savepoint, as a constraint that is checked at the commit does, each event
    gets a transaction of its own, so that only the event at fault is tried again.
    """
    try:
        lanes.commit_under(claim, reads, partial(apply, claim.key, events))
    except (lanes.LaneLost, OperationalError):
        raise
    except Exception as error:
        if len(events) == 1:
            lanes.commit_under(claim, reads, partial(stamp_failed, events[0], error))
            return
        for event in events:
            apply_under(claim, reads, [event])


def apply(lane: str, events: list[StripeEvent]) -> None:
    """Apply and stamp each event; an event that fails is set to be tried again, and holds up no other.

    The stamps come last: a duplicate at the door waits for the row only from then to the commit.
    """
    apply_one: Callable[[StripeEvent], str | Stamp] = _place
    if placement.is_ours(lane):
        apply_one = partial(_dispatch, mirror.write_events([event.payload for event in events]))
    outcomes = [(event, _outcome(apply_one, event)) for event in events]
    list(StripeEvent.objects.filter(pk__in=[event.pk for event in events]).locked().values_list("pk"))
    for note in ("", NOT_OURS):
        stamp_processed([event.pk for event, outcome in outcomes if outcome == note], note)
    for event, outcome in outcomes:
        if callable(outcome):
            outcome(event)


def _outcome(apply_one: Callable[[StripeEvent], str | Stamp], event: StripeEvent) -> str | Stamp:
    """Return a note on what was processed, or the function that stamps the event otherwise."""
    try:
        with (
            cause.recorded_as(event.pk),
            receiving(event.pk),
            transaction.atomic(),
            stripe_client.undone_on_error(),
        ):
            return apply_one(event)
    except StripeUnavailable as error:
        return partial(stamp_unavailable, error=error)
    except fetch.NotTheirs as error:
        is_misplaced = error.owner and not placement.names_customer(object_of(event))
        return partial(_move, lane=error.owner) if is_misplaced else partial(stamp_failed, error=error)
    except OperationalError as error:
        if not connection.is_usable():
            raise
        return partial(stamp_failed, error=error)
    except Exception as error:
        return partial(stamp_failed, error=error)


def _dispatch(recorded: dict[str, DjstripeEvent], event: StripeEvent) -> str:
    """Give an event to dj-stripe, which runs every receiver, ours and the host project's."""
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
    """Move an event that waits on a payment to its customer's lane; the event of a stranger has no effect."""
    customer_id = placement.resolve(event.lane, object_of(event))
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        return NOT_OURS
    intent, charge, _ = placement.names_of(object_of(event))
    payments.link_of(customer, intent, charge)
    return partial(_move, lane=customer.pk)


def _move(event: StripeEvent, lane: str) -> None:
    StripeEvent.objects.filter(pk=event.pk).update(lane=lane)
    lanes.wake(lane)

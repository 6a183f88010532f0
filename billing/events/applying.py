"""Applying asks Stripe what a batch of a lane's events is about, and then runs their receivers.

No transaction is open while Stripe is asked; all events then have one transaction, and savepoints if one fails.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from django.db import OperationalError, connection
from djstripe.exceptions import InvalidStripeAPIKey
from djstripe.models import Event as DjstripeEvent

from billing import cause, lanes, payments, stripe_account, stripe_client
from billing.catalogue import refreshing
from billing.models import Customer, StripeEvent
from billing.monitoring import unknown_values
from billing.stripe_client import Reads, StripeRefused, StripeUnavailable, fetch, id_of
from billing.subscriptions import mirror

from . import placement, thin
from .event_types import CHARGE_REFUNDED, INVOICE, NOT_FINALIZED, PAID, PROCESSING, UNPAID
from .receivers import Customers, receiving
from .stamping import stamp_failed, stamp_processed, stamp_unavailable

log = logging.getLogger(__name__)

Stamp = Callable[[StripeEvent], None]

NOT_OURS = "No effect: this event belongs to no customer of this project."
NOT_SOLD = "No effect: this price or product belongs to no plan."


def apply_batch(claim: lanes.Claim, events: list[StripeEvent]) -> None:
    """Ask Stripe for what the events are about, if their lane is that of a customer of ours; then apply them.

    Raises `OfAnotherAccount` for a customer whom our key does not reach, before anything is asked.
    """
    customer = Customer.objects.filter(pk=claim.key).first()
    is_ours = customer is not None
    if customer is not None:
        stripe_account.refuse_if_elsewhere(customer)
    with stripe_client.patient(), stripe_client.drain_reads() as reads:
        if is_ours:
            prefetch(claim.key, events, between=partial(lanes.renew, claim))
        _apply_under(claim, reads, events, is_ours=is_ours)


def _apply_under(claim: lanes.Claim, reads: Reads, events: list[StripeEvent], *, is_ours: bool) -> None:
    """Apply a batch and commit it.

    If the commit fails outside every event's savepoint, as a constraint that is checked at the commit does, each event
    gets a transaction of its own, so that only the event at fault is tried again.
    """
    try:
        has_failed = any(event.attempts for event in events)
        work = partial(apply, claim.key, events, is_ours=is_ours)
        lanes.commit_under(claim, reads, work, has_savepoints=has_failed)
    except (lanes.LaneLost, OperationalError):
        raise
    except Exception as error:
        if len(events) == 1:
            log.exception("event failed at its commit", extra={"stripe_event": events[0].pk})
            lanes.commit_under(claim, reads, partial(stamp_failed, events[0], error))
            return
        log.warning("batch not committed, each event is applied by itself", exc_info=True)
        for event in events:
            _apply_under(claim, reads, [event], is_ours=is_ours)


def apply(lane: str, events: list[StripeEvent], *, is_ours: bool) -> None:
    """Apply and stamp each event; an event that fails is set to be tried again, and does not delay the others.

    The stamps come last: a duplicate at the door waits for the row only from then to the commit.
    """
    apply_one: Callable[[StripeEvent], str | Stamp] = _place
    if is_ours:
        apply_one = partial(_dispatch, mirror.write_events([event.payload for event in events]))
    customers: Customers = {}
    outcomes = [(event, _outcome(apply_one, event, customers)) for event in events]
    if len(events) > 1:
        list(StripeEvent.objects.filter(pk__in=[event.pk for event in events]).locked().values_list("pk"))
    for note in {outcome for _, outcome in outcomes if isinstance(outcome, str)}:
        stamp_processed([event.pk for event, outcome in outcomes if outcome == note], note)
    for event, outcome in outcomes:
        if callable(outcome):
            outcome(event)


def _outcome(apply_one: Callable[[StripeEvent], str | Stamp], event: StripeEvent, customers: Customers) -> str | Stamp:
    """Return a note on what was processed, or the function that stamps the event otherwise."""
    try:
        with (
            cause.recorded_as(event.pk),
            receiving(event, customers),
            lanes.savepoint(),
            stripe_client.undone_on_error(),
            unknown_values.noted() as unknown,
        ):
            outcome = apply_one(event)
            return outcome or " ".join(dict.fromkeys(unknown))
    except StripeUnavailable as error:
        return partial(stamp_unavailable, error=error)
    except fetch.NotTheirs as error:
        is_misplaced = error.owner and not placement.names_customer(event.object)
        return partial(_move, lane=error.owner) if is_misplaced else partial(stamp_failed, error=error)
    except Exception as error:
        if isinstance(error, OperationalError) and (lanes.is_collision(error) or not connection.is_usable()):
            raise
        with cause.recorded_as(event.pk):
            log.exception("event failed", extra={"stripe_event": event.pk})
        return partial(stamp_failed, error=error)


def _dispatch(recorded: dict[str, DjstripeEvent], event: StripeEvent) -> str:
    """Give an event to dj-stripe, which runs every receiver, ours and the host project's."""
    if event.pk in recorded:
        recorded[event.pk].invoke_webhook_handlers()
    else:
        _process(event)
    return ""


def _process(event: StripeEvent) -> None:
    """Leave the event to dj-stripe, which would ask Stripe for the account that it names."""
    try:
        DjstripeEvent.process({name: value for name, value in event.payload.items() if name != "account"})
    except InvalidStripeAPIKey:  # its message is the key
        raise StripeUnavailable("STRIPE_SECRET_KEY is not of the shape of Stripe's") from None


def _place(event: StripeEvent) -> str | Stamp:
    """Move an event that waits on a payment to its customer's lane; the event of a stranger has no effect."""
    if event.object.get("object") in refreshing.KINDS:
        return _refresh_catalogue(event)
    if event.type in thin.METER_ERRORS:
        return thin.apply(event.pk)
    customer_id = placement.resolve(event.lane, event.object)
    customer = Customer.objects.filter(pk=customer_id).first()
    if customer is None:
        return NOT_OURS
    intent, charge, _ = placement.names_of(event.object)
    payments.link_of(customer, intent, charge)
    return partial(_move, lane=customer.pk)


def _refresh_catalogue(event: StripeEvent) -> str:
    """Dispatch the event of a price or product of our plans. Those of another product of the account have no effect."""
    if not refreshing.concerns_us(event.object):
        return NOT_SOLD
    return _dispatch(mirror.write_events([event.payload]), event)


def _move(event: StripeEvent, lane: str) -> None:
    StripeEvent.objects.filter(pk=event.pk).update(lane=lane)
    lanes.wake(lane)


def prefetch(lane: str, events: list[StripeEvent], between: Callable[[], object]) -> None:
    """Ask Stripe for all that the batch will read, each object once; `between` renews the lease.

    An object that is missed here is fetched by `commit_under`, which then starts the batch again. An error while
    prefetching is kept; it fails only the events that read that object. Only without the customer's subscriptions can
    nothing be done.
    """
    requests = [fetch.subscriptions_request(lane), *filter(None, map(_request_for, events)), *_superseded(events)]
    stripe_client.get_in_parallel(list({str(request): request for request in requests}.values()), between)
    try:
        _prefetch_what_follows(lane, events)
    except (StripeUnavailable, OperationalError):
        raise
    except Exception:
        log.warning("prefetch ended early", extra={"lane": lane}, exc_info=True)


def _prefetch_what_follows(lane: str, events: list[StripeEvent]) -> None:
    """Fetch the objects that only Stripe's first answers show to be needed."""
    for subscription in fetch.subscriptions(lane):
        if subscription["status"] == "past_due":
            fetch.open_invoices(subscription["id"])
    for event in events:
        with suppress(StripeUnavailable, fetch.NotTheirs, fetch.NotAnId, *StripeRefused):
            if event.type in PAID:
                fetch.settled_invoice(id_of(event.object), lane)
            elif event.type in INVOICE:
                fetch.current_invoice(id_of(event.object), lane)
            elif event.type in CHARGE_REFUNDED:
                payments.refunds.fetch_all_paid(lane, id_of(event.object))
            elif event.type in PROCESSING:
                payments.fetch_invoice_of(lane, id_of(event.object))


def _request_for(event: StripeEvent) -> fetch.Request | None:
    """Return the request for an event's object, unless the customer's subscriptions already include it."""
    with suppress(fetch.NotAnId):
        return _request_about(event)
    return None


def _request_about(event: StripeEvent) -> fetch.Request | None:
    obj = event.object
    match obj.get("object"):
        case "charge":
            return fetch.charge_request(id_of(obj))
        case "dispute":
            return fetch.dispute_request(id_of(obj))
        case "refund" if obj.get("charge"):
            return fetch.charge_request(id_of(obj["charge"]))
        case "checkout.session" if obj.get("mode") == "payment":
            return fetch.checkout_session_request(id_of(obj))
        case "tax_id":
            return fetch.tax_ids_request(event.lane)
        case "invoice" if event.type in {*UNPAID, *NOT_FINALIZED}:
            return fetch.invoice_request(id_of(obj))
    return None


def _superseded(events: list[StripeEvent]) -> list[fetch.Request]:
    """Return requests for the paid invoices but the latest, which alone comes along with its subscription."""
    objects = [event.object for event in events if event.type in PAID]
    paid = {(obj["created"], id_of(obj)) for obj in objects if _is_dated(obj)}
    return [fetch.invoice_request(invoice) for _, invoice in sorted(paid)[:-1]]


def _is_dated(obj: dict[str, Any]) -> bool:
    return isinstance(obj.get("created"), int) and bool(fetch.ID.fullmatch(id_of(obj)))

"""Prefetching asks Stripe for all that a batch of events will read, before a transaction is open."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import OperationalError

from billing import stripe_client
from billing.models import StripeEvent
from billing.stripe_client import StripeRefused, StripeUnavailable, fetch, id_of

from .event_types import PAID, UNPAID
from .placement import is_ours, object_of

log = logging.getLogger(__name__)


def prefetch(lane: str, events: list[StripeEvent], between: Callable[[], object]) -> None:
    """Ask Stripe for all that the batch will read, each object once; `between` renews the lease.

    An object that is missed here is fetched by `commit_under`, which then starts the batch again. An error while
    prefetching is kept; it fails only the events that read that object. Only without the customer's subscriptions can
    nothing be done.
    """
    if not is_ours(lane):
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
    """Fetch the objects that only Stripe's first answers show to be needed."""
    for subscription in fetch.subscriptions(lane):
        if subscription["status"] == "past_due":
            fetch.open_invoices(subscription["id"])
    for event in events:
        if event.type in PAID:
            with suppress(StripeUnavailable, fetch.NotTheirs, fetch.NotAnId, *StripeRefused):
                fetch.settled_invoice(id_of(object_of(event)), lane)


def _request_for(event: StripeEvent) -> fetch.Request | None:
    """Return the request for an event's object, where the customer's subscriptions do not bring it along."""
    with suppress(fetch.NotAnId):
        return _request_about(event, object_of(event))
    return None


def _request_about(event: StripeEvent, obj: dict[str, Any]) -> fetch.Request | None:
    match obj.get("object"):
        case "charge":
            return fetch.charge_request(id_of(obj))
        case "dispute":
            return fetch.dispute_request(id_of(obj))
        case "refund" if obj.get("charge"):
            return fetch.charge_request(id_of(obj["charge"]))
        case "invoice" if event.type in UNPAID:
            return fetch.invoice_request(id_of(obj))
    return None


def _superseded(events: list[StripeEvent]) -> list[fetch.Request]:
    """Return requests for the paid invoices but the latest, which alone comes along with its subscription."""
    objects = [object_of(event) for event in events if event.type in PAID]
    paid = {(obj["created"], id_of(obj)) for obj in objects if _is_dated(obj)}
    return [fetch.invoice_request(invoice) for _, invoice in sorted(paid)[:-1]]


def _is_dated(obj: dict[str, Any]) -> bool:
    return isinstance(obj.get("created"), int) and bool(fetch.ID.fullmatch(id_of(obj)))

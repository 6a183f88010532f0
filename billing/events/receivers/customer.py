"""A receiver runs only for the event that is being applied, and finds its customer here."""

from collections.abc import Callable, Iterable
from typing import Any

from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event
from structlog.contextvars import bind_contextvars

from billing.events.being_applied import is_being_applied
from billing.models import Customer, StripeEvent

Rule = Callable[[Event], None]


def receiver(event_types: Iterable[str]) -> Callable[[Rule], Rule]:
    """Connect a rule to events that our worker applies, and to no others.

    dj-stripe's own webhook view, where a project still has it, runs every receiver in the request and holds no lane:
    the same event comes to our door as well, or the sync finds it.
    """

    def connect(rule: Rule) -> Rule:
        @djstripe_receiver(list(event_types))
        def receive(sender: Any, event: Event, **kwargs: Any) -> None:
            if is_being_applied(event.id):
                rule(event)

        connected.append(receive)
        return rule

    return connect


# Django's signals hold their receivers weakly.
connected: list[Callable[..., None]] = []


def customer_of(event: Event) -> Customer:
    """Return the customer on whose lane the event was placed, and put their subscriber's key into the log's lines."""
    customer = Customer.objects.get(pk__in=StripeEvent.objects.filter(pk=event.id).values("lane"))
    bind_contextvars(subscriber=customer.subscriber_id)
    return customer

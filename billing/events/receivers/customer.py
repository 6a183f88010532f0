"""A receiver runs only for the event that the worker applies now, and is given that event's customer."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event
from structlog.contextvars import bind_contextvars

from billing.models import Customer, StripeEvent

Rule = Callable[[Customer, Event], None]

_applied_event: ContextVar[str] = ContextVar("billing_applied_event", default="")


@contextmanager
def receiving(event_id: str) -> Iterator[None]:
    """Let receivers run within for this event, and for no other."""
    token = _applied_event.set(event_id)
    try:
        yield
    finally:
        _applied_event.reset(token)


def receiver(event_types: Iterable[str]) -> Callable[[Rule], Rule]:
    """Connect a rule to events that our worker applies, and to no others; give it the customer of the event's lane.

    dj-stripe's own webhook view, where a project still has it, runs every receiver in the request and holds no lane:
    the same event comes to our door as well, or the sync finds it.
    """

    def connect(rule: Rule) -> Rule:
        @djstripe_receiver(list(event_types))
        def receive(sender: Any, event: Event, **kwargs: Any) -> None:
            if event.id == _applied_event.get():
                customer = Customer.objects.get(pk__in=StripeEvent.objects.filter(pk=event.id).values("lane"))
                bind_contextvars(subscriber=customer.subscriber_id)
                rule(customer, event)

        connected.append(receive)
        return rule

    return connect


# Django's signals hold their receivers weakly.
connected: list[Callable[..., None]] = []

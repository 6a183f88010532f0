"""Whose event it is."""

from djstripe.models import Event
from structlog.contextvars import bind_contextvars

from billing.models import Customer, StripeEvent


def customer_of(event: Event) -> Customer:
    """The customer whose lane the event was placed on; their subscriber's key goes into the log's lines."""
    customer = Customer.objects.get(pk__in=StripeEvent.objects.filter(pk=event.id).values("lane"))
    bind_contextvars(subscriber=customer.subscriber_id)
    return customer

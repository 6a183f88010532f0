"""Whose event it is."""

from djstripe.models import Event

from billing.models import Customer, StripeEvent


def customer_of(event: Event) -> Customer:
    """The customer whose lane the event was placed on."""
    return Customer.objects.get(pk__in=StripeEvent.objects.filter(pk=event.id).values("lane"))

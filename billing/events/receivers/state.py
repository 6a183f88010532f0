"""These receivers ask Stripe what a subscription is now, because an event says that it may have changed."""

from djstripe.models import Event

from billing import subscriptions
from billing.events import event_types
from billing.lifecycle import attempts
from billing.models import Customer
from billing.stripe_client import fetch, id_of

from .customer import receiver


@receiver(event_types.CHECKOUT)
def on_checkout_session(customer: Customer, event: Event) -> None:
    """Close the attempt of a session that ended; a delayed payment that is still on its way grants nothing by
    itself.
    """
    attempts.refresh_attempt(customer, id_of(event.data["object"]))
    subscriptions.refresh(customer)


@receiver(event_types.SUBSCRIPTION + event_types.INVOICE_CLOSED)
def on_subscription(customer: Customer, event: Event) -> None:
    subscriptions.refresh(customer)


@receiver(event_types.TRIAL_ENDING)
def on_trial_will_end(customer: Customer, event: Event) -> None:
    subscriptions.announce_trial_end(subscriptions.refresh(customer))


@receiver(event_types.CUSTOMER + event_types.CARD)
def on_customer_updated(customer: Customer, event: Event) -> None:
    subscriptions.refresh(customer)


@receiver(event_types.CUSTOMER_DELETED)
def on_customer_deleted(customer: Customer, event: Event) -> None:
    """End the access of a deleted customer once Stripe confirms it: an event that only claims it ends nobody's
    access.
    """
    if fetch.is_deleted(customer.pk):
        subscriptions.end_for_deleted_customer(customer)
    else:
        subscriptions.refresh(customer)

"""Events that say a subscription may have changed: ask Stripe what it is now, and project that."""

from djstripe.models import Event

from billing import subscriptions
from billing.events import event_types
from billing.lifecycle import attempts
from billing.stripe_client import fetch, id_of

from .customer import customer_of, receiver


@receiver(event_types.CHECKOUT)
def on_checkout_session(event: Event) -> None:
    """A session that ended closes its attempt; a delayed payment that is still on its way grants nothing by itself."""
    customer = customer_of(event)
    attempts.refresh_attempt(customer, id_of(event.data["object"]))
    subscriptions.refresh(customer)


@receiver(event_types.SUBSCRIPTION + event_types.INVOICE_CLOSED)
def on_subscription(event: Event) -> None:
    subscriptions.refresh(customer_of(event))


@receiver(event_types.TRIAL_ENDING)
def on_trial_will_end(event: Event) -> None:
    subscriptions.announce_trial_end(subscriptions.refresh(customer_of(event)))


@receiver(event_types.CUSTOMER + event_types.CARD)
def on_customer_updated(event: Event) -> None:
    subscriptions.refresh(customer_of(event))


@receiver(event_types.CUSTOMER_DELETED)
def on_customer_deleted(event: Event) -> None:
    """Once Stripe says so itself: an event that only claims it ends nobody's access."""
    customer = customer_of(event)
    if fetch.is_deleted(customer.pk):
        subscriptions.end_for_deleted_customer(customer)
    else:
        subscriptions.refresh(customer)

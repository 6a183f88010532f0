"""Events that say a subscription may have changed: ask Stripe what it is now, and project that."""

from djstripe.models import Event

from billing import subscriptions
from billing.lifecycle import attempts

from . import contents
from .customer import customer_of, receiver


@receiver(contents.CHECKOUT)
def on_checkout_session(event: Event) -> None:
    """A session that ended closes its attempt; a delayed payment that is still on its way grants nothing by itself."""
    attempts.close(event.data["object"])
    subscriptions.refresh(customer_of(event))


@receiver(contents.SUBSCRIPTION + contents.INVOICE_CLOSED)
def on_subscription(event: Event) -> None:
    subscriptions.refresh(customer_of(event))


@receiver(contents.TRIAL_ENDING)
def on_trial_will_end(event: Event) -> None:
    subscriptions.announce_trial_end(subscriptions.refresh(customer_of(event)))


@receiver(contents.CUSTOMER + contents.CARD)
def on_customer_updated(event: Event) -> None:
    subscriptions.refresh(customer_of(event))


@receiver(contents.CUSTOMER_DELETED)
def on_customer_deleted(event: Event) -> None:
    subscriptions.end_for_deleted_customer(customer_of(event))

"""Events that say a subscription may have changed: ask Stripe what it is now, and project that."""

from typing import Any

from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event

from billing import subscriptions
from billing.lifecycle import attempts

from . import contents
from .customer import customer_of


@djstripe_receiver(list(contents.CHECKOUT))
def on_checkout_session(sender: Any, event: Event, **kwargs: Any) -> None:
    """A session that ended closes its attempt; a delayed payment that is still on its way grants nothing by itself."""
    attempts.close(event.data["object"])
    subscriptions.refresh(customer_of(event))


@djstripe_receiver(list(contents.SUBSCRIPTION + contents.INVOICE_CLOSED))
def on_subscription(sender: Any, event: Event, **kwargs: Any) -> None:
    subscriptions.refresh(customer_of(event))


@djstripe_receiver(list(contents.TRIAL_ENDING))
def on_trial_will_end(sender: Any, event: Event, **kwargs: Any) -> None:
    subscriptions.announce_trial_end(subscriptions.refresh(customer_of(event)))


@djstripe_receiver(list(contents.CUSTOMER + contents.CARD))
def on_customer_updated(sender: Any, event: Event, **kwargs: Any) -> None:
    subscriptions.refresh(customer_of(event))


@djstripe_receiver(list(contents.CUSTOMER_DELETED))
def on_customer_deleted(sender: Any, event: Event, **kwargs: Any) -> None:
    subscriptions.end_for_deleted_customer(customer_of(event))

"""Receivers lead from event type to rule: each is given the customer of the event's lane, and calls one rule.

dj-stripe calls them, inside the event's savepoint. They run only for the event that the worker applies now.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from djstripe import event_handlers
from djstripe.models import Event
from djstripe.signals import WEBHOOK_SIGNALS
from structlog.contextvars import bind_contextvars

from billing import payments, subscriptions
from billing.catalogue import refreshing
from billing.lifecycle import add_card, attempts
from billing.models import Customer, StripeEvent
from billing.payments import disputes, notices, purchases, refunds
from billing.stripe_client import fetch, id_of
from billing.subscriptions import mirror

from . import event_types

Rule = Callable[[Customer, Event], None]

DJSTRIPE_RECEIVERS = [
    handler for name, handler in vars(event_handlers).items() if name.startswith("handle_") and callable(handler)
]

_applied_event: ContextVar[StripeEvent | None] = ContextVar("billing_applied_event", default=None)
# The customer of the lane, read once for all events of a transaction: nobody else changes the row meanwhile.
Customers = dict[str, Customer]
_customers: ContextVar[Customers] = ContextVar("billing_applied_customers")


# Money: each fact is recorded by its natural key, and then decides what follows for access.


def on_invoice_paid(customer: Customer, event: Event) -> None:
    payments.record_payment(customer, event.data["object"]["id"])


def on_invoice_not_paid(customer: Customer, event: Event) -> None:
    payments.record_failure(customer, event.data["object"], event.created)


def on_invoice(customer: Customer, event: Event) -> None:
    payments.record_invoice(customer, event.data["object"]["id"])


def on_payment_processing(customer: Customer, event: Event) -> None:
    payments.record_processing(customer, event.data["object"]["id"])


def on_invoice_not_finalized(customer: Customer, event: Event) -> None:
    notices.alert_not_finalized(customer, event.data["object"])


def on_invoice_payment_paid(customer: Customer, event: Event) -> None:
    payments.record_links(customer, id_of(event.data["object"]["invoice"]))


def on_charge_refunded(customer: Customer, event: Event) -> None:
    refunds.record_refunds(customer, event.data["object"]["id"])


def on_refund(customer: Customer, event: Event) -> None:
    refunds.record_refunds(customer, refunds.charge_of(customer, event.data["object"]))


def on_dispute(customer: Customer, event: Event) -> None:
    disputes.record_dispute(customer, event.data["object"]["id"])


def on_early_fraud_warning(customer: Customer, event: Event) -> None:
    notices.alert_fraud_warning(customer, event.data["object"])


# State: the event says that a subscription may have changed, and Stripe is asked what it is now.


def on_checkout_session(customer: Customer, event: Event) -> None:
    """Close the attempt of a session that ended, or deliver the pack that it paid; a delayed payment that is still on
    its way grants nothing by itself.
    """
    session = event.data["object"]
    if session.get("mode") == "payment":
        purchases.refresh(customer, id_of(session))
    else:
        attempts.refresh_attempt(customer, id_of(session))
    add_card.note_saved(customer, session)
    subscriptions.refresh_rows(customer)


def on_subscription(customer: Customer, event: Event) -> None:
    subscriptions.refresh_rows(customer)


def on_trial_will_end(customer: Customer, event: Event) -> None:
    subscriptions.refresh_rows(customer)
    subscriptions.announce_trial_end(subscriptions.row_for(customer, id_of(event.data["object"])))


def on_customer_updated(customer: Customer, event: Event) -> None:
    """Refresh the subscription; another address may be the one that an invoice waits for."""
    subscriptions.refresh_rows(customer)
    if payments.TAXED_BY & set(event.data.get("previous_attributes") or ()):
        payments.resume_tax(customer)


def on_tax_id(customer: Customer, event: Event) -> None:
    """Save the customer's tax ids, and have Stripe asked for the next charge: a tax id may take the tax off."""
    subscriptions.refresh_rows(customer)
    subscriptions.tax_ids.refresh_tax_ids(customer)
    subscriptions.next_charges.ask_again_of(customer)


def on_invoice_item(customer: Customer, event: Event) -> None:
    """Have Stripe asked for the next charge, unless the item is on an invoice already."""
    item = event.data["object"]
    subscriptions.refresh_rows(customer)
    if not item.get("invoice"):
        subscriptions.next_charges.await_extras(customer, item.get("date") or 0)


def on_quote_accepted(customer: Customer, event: Event) -> None:
    """Project the subscription that the quote started, if it did, and tell staff whose it is."""
    subscriptions.refresh_rows(customer)
    notices.alert_quote_accepted(customer, event.data["object"])


def on_customer_deleted(customer: Customer, event: Event) -> None:
    """End the access of a deleted customer once Stripe confirms it: an event that only claims it ends nobody's
    access.
    """
    if customer.deleted_at or fetch.is_deleted(customer.pk):
        subscriptions.end_for_deleted_customer(customer)
    else:
        subscriptions.refresh_rows(customer)


# The catalogue: its lane is no customer's.


def on_catalogue(event: Event) -> None:
    prices = refreshing.refresh_about(event.data["object"])
    mirror.write_prices(prices)
    if refreshing.CHARGED_BY & set(event.data.get("previous_attributes") or ()):
        subscriptions.next_charges.ask_again_of_prices([id_of(price) for price in prices])


RECEIVERS: dict[Rule, tuple[str, ...]] = {
    on_invoice_paid: event_types.PAID,
    on_invoice_not_paid: event_types.UNPAID,
    on_invoice: event_types.INVOICE,
    on_payment_processing: event_types.PROCESSING,
    on_invoice_not_finalized: event_types.NOT_FINALIZED,
    on_invoice_payment_paid: event_types.INVOICE_PAYMENT,
    on_charge_refunded: event_types.CHARGE_REFUNDED,
    on_refund: event_types.REFUND,
    on_dispute: event_types.DISPUTE,
    on_early_fraud_warning: event_types.FRAUD_WARNING,
    on_checkout_session: event_types.CHECKOUT,
    on_subscription: event_types.SUBSCRIPTION,
    on_trial_will_end: event_types.TRIAL_ENDING,
    on_customer_updated: event_types.CUSTOMER + event_types.CARD,
    on_tax_id: event_types.TAX_ID,
    on_invoice_item: event_types.INVOICE_ITEM,
    on_quote_accepted: event_types.QUOTE,
    on_customer_deleted: event_types.CUSTOMER_DELETED,
}


@contextmanager
def receiving(event: StripeEvent, customers: Customers) -> Iterator[None]:
    """Let receivers run within for this event, and for no other. `customers` are those read in this transaction; they
    are forgotten if the event fails, for it may have changed them.
    """
    tokens = _applied_event.set(event), _customers.set(customers)
    try:
        yield
    except BaseException:
        customers.clear()
        raise
    finally:
        _applied_event.reset(tokens[0])
        _customers.reset(tokens[1])


def connect() -> None:
    """Disconnect dj-stripe's receivers from our event types (see mirror), and connect ours."""
    for event_type in event_types.EVENT_TYPES:
        for handler in DJSTRIPE_RECEIVERS:
            WEBHOOK_SIGNALS[event_type].disconnect(handler, sender=Event)
    for rule, types in RECEIVERS.items():
        for event_type in types:
            WEBHOOK_SIGNALS[event_type].connect(
                partial(_receive, rule), sender=Event, weak=False, dispatch_uid=f"billing.{rule.__name__}"
            )
    for event_type in event_types.CATALOGUE:
        WEBHOOK_SIGNALS[event_type].connect(
            _receive_of_catalogue, sender=Event, weak=False, dispatch_uid="billing.on_catalogue"
        )


def _receive(rule: Rule, sender: Any, event: Event, **kwargs: Any) -> None:
    """Call the rule if our worker applies this event, with the customer of its lane.

    dj-stripe's own webhook view, where a project still has it, runs every receiver in the request and holds no lane:
    the same event comes to our door as well, or the sync finds it.
    """
    if (applied := _applied(event)) is not None:
        customers = _customers.get()
        customer = customers.get(applied.lane) or Customer.objects.get(pk=applied.lane)
        customers[applied.lane] = customer
        bind_contextvars(subscriber=customer.subscriber_id)
        rule(customer, event)


def _receive_of_catalogue(sender: Any, event: Event, **kwargs: Any) -> None:
    if _applied(event):
        on_catalogue(event)


def _applied(event: Event) -> StripeEvent | None:
    """Return the event that our worker applies now, if it is this one."""
    applied = _applied_event.get()
    return applied if applied is not None and applied.pk == event.id else None

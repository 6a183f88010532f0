"""A subscriber adds a card, during a trial without one and after it: in Stripe's portal, or at a Checkout that only
saves the card (BILLING_ADD_CARD).

The card of such a Checkout is used for the subscription it was opened for. The return page and the webhook both owe
that one write, so a buyer who never comes back has the card too.
"""

from typing import Any

from billing import cause, lanes, site, stripe_client, subscriptions
from billing.conf import conf
from billing.lanes import writes
from billing.models import Customer, StripeWrite, Subscription
from billing.stripe_client import id_of, readers

from . import portal
from .customers import METADATA_KEY, request_key, subscriber_key
from .live_subscription import customer_of, line_of
from .refusals import NoSubscription

Found = dict[str, Any]


def open_page(subscriber: Any, line: str = "", locale: str = "") -> str:
    """Return the address of the page on which a card is added. It speaks `locale`, or the browser's language.

    Raises `NoSubscription`, `AccountClosing`, `OfAnotherAccount`, `StripeUnavailable`, `StripeRefused`.
    """
    if conf.add_card != "checkout":
        return portal.open_portal(subscriber, locale)
    line = line_of(subscriber, line)
    customer = customer_of(subscriber, line)
    row = customer.subscription_in(line)
    if row.pk is None or row.status in Subscription.TERMINAL:
        raise NoSubscription
    session = stripe_client.post(
        "/v1/checkout/sessions",
        idempotency_key=request_key(customer, "add-card"),
        mode="setup",
        customer=customer.pk,
        currency=row.currency,
        client_reference_id=subscriber_key(subscriber),
        metadata={writes.CARD_FOR: row.stripe_id, METADATA_KEY: subscriber_key(subscriber)},
        success_url=f"{site.absolute(site.path_of('card_return'))}?session_id={{CHECKOUT_SESSION_ID}}",
        cancel_url=site.absolute(site.path_of("account")),
        **({"locale": locale} if locale else {}),
    )
    return str(session["url"])


def finish(subscriber: Any, session_id: str) -> bool:
    """Have the subscription charged to the card that a Checkout of the subscriber has saved. Returns whether it saved
    one.

    Raises `NoSubscription` for a session that is not theirs, `LaneBusy`, `StripeUnavailable`, `StripeRefused`.
    """
    session = stripe_client.get(f"/v1/checkout/sessions/{session_id}")
    customer = Customer.objects.living_of(subscriber).filter(pk=id_of(session["customer"])).first()
    subscription_id = _for_which(session)
    if customer is None or not subscription_id:
        raise NoSubscription
    if session["status"] != "complete":
        return False
    with cause.recorded_by_default_as("subscriber"), lanes.exclusive(customer.pk) as commit:
        writes.make_now(customer, [(subscription_id, session["id"], StripeWrite.Action.USE_CARD)])
        commit(lambda: subscriptions.refresh(customer))
    return True


def note_saved(customer: Customer, session: Found) -> None:
    """Owe the use of a card that a Checkout has saved, as its event says; Stripe is asked whether it is so before the
    card is used."""
    if session.get("status") == "complete" and (subscription_id := _for_which(session)):
        writes.owe(customer, subscription_id, session["id"], StripeWrite.Action.USE_CARD)


def _for_which(session: Found) -> str:
    """Return the subscription that a Checkout was opened for to save a card; "" if it is another kind of Checkout."""
    return readers.metadata_of(session).get(writes.CARD_FOR, "") if session.get("mode") == "setup" else ""

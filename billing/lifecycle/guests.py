"""A guest buys a pack without an account, and gets it once they sign up with the address and confirm it.

The Checkout is of a customer of ours who has no subscriber. What is paid waits: `match_all` gives the customer to the
one subscriber whose confirmed address it is, `give_to` to the one whom staff choose, and then it is delivered as any
other purchase. So whoever signs up with an address that is not theirs gets nothing, and a lost webhook loses nothing:
the sync asks for a guest's session as for others.

The customer of a Checkout that was never paid is deleted with its address, as an account is.
"""

import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Lower

from billing import clock, confirmed, lanes, stripe_account, stripe_client
from billing.conf import conf
from billing.lanes import LaneBusy
from billing.models import AccountDeletion, Customer, Purchase, email_field, in_pages, listed_subscribers
from billing.payments import purchases as paid
from billing.stripe_client import StripeRefused, StripeUnavailable

from . import purchases
from .refusals import AddressRefused, CheckoutReplaced, GuestsNotServed, NotGivable

Status = Purchase.Status
MARK = "billing_guest"  # in the metadata of a guest's customer: the id of the purchase
MOST_AT_ONCE = 200
LONGEST_ADDRESS = 254
# Stripe expires a session after a day; what became of it may be heard a while later.
ABANDONED_AFTER = timedelta(days=2)


def are_served() -> bool:
    """Return whether visitors may buy packs, and addresses are confirmed, by which they get them."""
    return conf.guests_buy_packs and confirmed.is_asked() and email_field() is not None


def start(email: str, slug: str, key: str, currency: str = "", locale: str = "") -> Purchase:
    """Return a guest's purchase with a Checkout session; its `url` is the page to send them to.

    `key` is a UUID of the form: sent twice, it is one purchase. Two guests with one address are two customers, so that
    neither sees what the other has typed at Stripe.

    Raises `GuestsNotServed`, `AddressRefused`, `PackNotOffered`, `CheckoutReplaced`, `StripeUnavailable`,
    `StripeRefused`.
    """
    if not are_served():
        raise GuestsNotServed
    email = _checked(email)
    pack = purchases.pack_for_sale(slug, 1, currency)
    wanted = {"pack": pack, "currency": currency or pack.currency, "guest_email": email, "locale": locale}
    purchase = _known(key) or _open(key, wanted)
    if any(getattr(purchase, name) != value for name, value in wanted.items()) or purchase.status != Status.OPEN:
        raise CheckoutReplaced
    return purchase if purchase.session_id else purchases.with_session(purchase)


def _checked(email: str) -> str:
    email = email.strip()
    try:
        validate_email(email)
    except ValidationError:
        raise AddressRefused from None
    if len(email) > LONGEST_ADDRESS:
        raise AddressRefused
    return email


def _known(key: str) -> Purchase | None:
    try:
        wanted = uuid.UUID(key)
    except ValueError:
        raise CheckoutReplaced from None
    return Purchase.objects.select_related("customer", "pack").filter(pk=wanted).first()


def _open(key: str, wanted: dict[str, Any]) -> Purchase:
    """Make the customer at Stripe, then our rows. What a crash leaves between them is a customer of nobody."""
    details = {"email": wanted["guest_email"], "metadata": {MARK: str(uuid.UUID(key))}}
    if wanted["locale"]:
        details["preferred_locales"] = [wanted["locale"]]
    try:
        made = stripe_client.post("/v1/customers", idempotency_key=f"guest:{uuid.UUID(key)}", **details)
    except StripeRefused as error:
        if getattr(error, "param", "") == "email":
            raise AddressRefused from error
        raise
    stripe_account.ask_once()
    columns = {"email": wanted["guest_email"], **stripe_account.columns()}
    with transaction.atomic():
        customer, _ = Customer.objects.get_or_create(pk=made["id"], defaults=columns)
        purchase, _ = Purchase.objects.select_related("customer", "pack").get_or_create(
            pk=uuid.UUID(key), defaults={**wanted, "customer": customer, "created_at": clock.now()}
        )
    return purchase


# --- To whom it belongs -----------------------------------------------------------------------------------------------


def match_all() -> None:
    """Give each waiting purchase of a guest to the subscriber whose confirmed address it is, each minute."""
    name = email_field()
    if not are_served() or name is None or not Purchase.objects.unmatched().exists():
        return
    same = listed_subscribers().annotate(spelled=Lower(name)).filter(spelled=Lower(OuterRef("guest_email")))
    for purchase in in_pages(Purchase.objects.unmatched().filter(Exists(same)), MOST_AT_ONCE):
        if (subscriber := owner_of(purchase)) is not None:
            with suppress(LaneBusy, StripeUnavailable, NotGivable, *StripeRefused):  # the next minute tries again
                give_to(purchase, subscriber)


def owner_of(purchase: Purchase) -> Any:
    """Return the subscriber who has confirmed the guest's address; None for nobody, and for one of several."""
    name = email_field()
    if not are_served() or not purchase.guest_email or name is None:
        return None
    theirs = listed_subscribers().filter(**{f"{name}__iexact": purchase.guest_email})
    theirs = theirs.exclude(pk__in=AccountDeletion.objects.exclude(subscriber=None).values("subscriber"))
    sure = [each for each in theirs.order_by("pk")[:2] if not confirmed.is_unconfirmed(each)]
    return sure[0] if len(sure) == 1 and theirs.count() == 1 else None


def give_to(purchase: Purchase, subscriber: Any) -> Purchase:
    """Make a guest's purchase a subscriber's, in the customer's lane, and deliver what is paid. What cannot be
    delivered is an alert. Raises `NotGivable`, `LaneBusy`, `StripeUnavailable`, `StripeRefused`.
    """
    if AccountDeletion.objects.filter(subscriber=subscriber).exists():
        raise NotGivable("The account of this subscriber is being deleted.")

    def work() -> Purchase | None:
        row = Purchase.objects.unmatched().filter(pk=purchase.pk).first()
        if row is None:
            return None
        if not Customer.objects.link(row.customer_id, subscriber.pk):
            raise NotGivable("The guest's customer was deleted, or belongs to a subscriber by now.")
        # Every purchase of this customer is theirs now. A paid one stands as it did before its payment was heard of.
        Purchase.objects.filter(customer=row.customer_id).update(guest_email="")
        Purchase.objects.filter(pk=row.pk, delivered_at=None).update(status=Status.PROCESSING)
        return paid.refresh(Customer.objects.get(pk=row.customer_id), row.session_id)

    with lanes.exclusive(purchase.customer_id) as commit:
        given = commit(work)
    if given is None:
        raise NotGivable("This purchase waits for nobody any more.")
    return given


# --- What is forgotten ------------------------------------------------------------------------------------------------


def hourly() -> None:
    """Forget the guests who never paid."""
    before = clock.now() - ABANDONED_AFTER
    left = Purchase.objects.of_guests().filter(created_at__lt=before)
    left.filter(status=Status.OPEN, session_id="").update(status=Status.EXPIRED)
    over = left.filter(status__in=[Status.EXPIRED, Status.FAILED], customer__deletion=None)
    for purchase in over.order_by("created_at", "pk")[:MOST_AT_ONCE]:
        forget(purchase)


def forget(purchase: Purchase) -> None:
    """Have the worker delete a guest's customer at Stripe, and what is personal in our rows. The money stays in the
    books. Raises `NotGivable` for a purchase that is a subscriber's."""
    with transaction.atomic():
        row = Purchase.objects.of_guests().select_for_update().filter(pk=purchase.pk).first()
        if row is None:
            raise NotGivable("This purchase is no guest's any more.")
        Purchase.objects.filter(pk=row.pk, status=Status.OPEN).update(status=Status.EXPIRED)
        AccountDeletion.objects.get_or_create(
            customer_id=row.customer_id, defaults={"lane": row.customer_id, "requested_at": clock.now()}
        )
        lanes.wake(row.customer_id)

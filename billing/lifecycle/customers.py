"""A subscriber has one current Stripe customer, made before anything is bought and found again after a crash."""

import hashlib
import uuid
from functools import partial
from typing import Any

from billing import stripe_account, stripe_client
from billing.conf import conf
from billing.lanes import standing_writes
from billing.models import AccountDeletion, Customer, StripeWrite, Subscription
from billing.monitoring import alerts
from billing.stripe_client import StripeRefused, readers
from billing.subscriptions import LIVE, METADATA_KEY, customer_details, paying_twice

from . import send_details
from .refusals import AccountClosing

__all__ = ["METADATA_KEY", "customer_for", "find_customer", "refuse_if_deleting", "request_key", "subscriber_key"]


def customer_for(subscriber: Any, currency: str = "") -> Customer:
    """Return the customer that buys next in a currency, made at Stripe if there is none. It becomes the current one.

    1. Use our row. 2. Otherwise the customer at Stripe with this address and our metadata, left by a crash.
    3. Otherwise make one: the idempotency key names the subscriber, so callers at the same time get the same.

    Stripe does not combine currencies on a customer: beside a live subscription in another one, another customer of
    theirs buys, or a new one. The earlier stays theirs.

    Raises `AccountClosing`, `OfAnotherAccount`, `StripeUnavailable`, `StripeRefused`.
    """
    refuse_if_deleting(subscriber)
    if known := find_customer(subscriber):
        stripe_account.refuse_if_elsewhere(known)
        if free := _free_in(currency, known, subscriber):
            return free
    found, refused = _create_at_stripe(subscriber, currency)
    made = _save_customer(subscriber, found)
    if refused:
        _tell_refused(made, refused)
    refuse_if_deleting(subscriber)  # a deletion that began meanwhile does not know this customer
    return made


def refuse_if_deleting(subscriber: Any) -> None:
    """Raise `AccountClosing` once the account's deletion has begun, and for good."""
    if AccountDeletion.objects.filter(subscriber=subscriber).exists():
        raise AccountClosing


def find_customer(subscriber: Any) -> Customer | None:
    """Return the subscriber's customer, from our rows or left at Stripe by a crash; None if there is none."""
    known = Customer.objects.of(subscriber)
    left_behind = None if known else _customer_left_at_stripe(subscriber)
    return _save_customer(subscriber, left_behind) if left_behind else known


def subscriber_key(subscriber: Any) -> str:
    """Return the subscriber's primary key, by which Stripe's metadata lead back to the row."""
    return str(subscriber.pk)


def request_key(customer: Customer, verb: str) -> str:
    """Return a new idempotency key for a request about this customer; no two requests share one.

    The key counts nothing in the database: restored from a backup, a counter would give the same numbers again, and
    Stripe, which keeps keys for a day at least, would replay its old answers and do nothing.
    """
    return f"{verb}:{customer.pk}:{uuid.uuid4()}"


def _customer_left_at_stripe(subscriber: Any) -> dict[str, Any] | None:
    email = customer_details.email_of(subscriber)
    if not email:
        return None
    try:
        listed = stripe_client.get("/v1/customers", email=email, limit=100)["data"]
    except StripeRefused as error:
        if getattr(error, "param", "") != "email":
            raise
        return None  # nobody was ever made with what Stripe takes for no address
    for found in listed:
        is_theirs = readers.metadata_of(found).get(METADATA_KEY) == subscriber_key(subscriber)
        if is_theirs and not _is_deleted(found["id"]):
            return found
    return None


def _create_at_stripe(subscriber: Any, currency: str = "") -> tuple[dict[str, Any], send_details.Refused]:
    """Make the customer, without those details that Stripe refuses: nobody is kept from buying over a long name."""
    details = {name: value for name, value in customer_details.details_of(subscriber).items() if value}
    params: dict[str, Any] = details
    if on_invoices := {name: conf.invoice[name] for name in ("footer", "custom_fields") if conf.invoice.get(name)}:
        params["invoice_settings"] = on_invoices
    return send_details.send(params, partial(_post, subscriber, currency))


def _tell_refused(customer: Customer, refused: send_details.Refused) -> None:
    action = StripeWrite.Action.UPDATE_CUSTOMER
    standing_writes.note_refused(customer, action, "details", send_details.in_words(refused))
    alerts.alert_staff(
        "request_refused",
        f"Stripe refuses details of {customer.pk}",
        f"Stripe made the customer {customer.pk} without: {', '.join(sorted(refused))}.\nThe admin shows the reason, "
        "under Stripe requests. Correct the cause, then choose 'Try again now' there.",
    )


def _post(subscriber: Any, currency: str, params: dict[str, Any]) -> dict[str, Any]:
    """Make the customer. Stripe answers a known key with the customer made then; if it is deleted, or cannot buy in the
    currency, use another key.
    """
    params = {**params, "metadata": {**params.get("metadata", {}), METADATA_KEY: subscriber_key(subscriber)}}
    digest = hashlib.sha256(repr(sorted(params.items())).encode()).hexdigest()
    key = f"customer:{subscriber._meta.label_lower}:{subscriber.pk}:{digest[:12]}"
    made = stripe_client.post("/v1/customers", idempotency_key=key, **params)
    while _is_deleted(made["id"]) or _is_bound(made["id"], currency):
        made = stripe_client.post("/v1/customers", idempotency_key=f"{key}:after:{made['id']}", **params)
    return made


def _free_in(currency: str, known: Customer, subscriber: Any) -> Customer | None:
    """Return a customer who can buy in the currency, the current one first; None if all use other currencies."""
    if not _is_bound(known.pk, currency):
        return known
    others = Customer.objects.living_of(subscriber).filter(missing_since=None)
    free = (each for each in others if not stripe_account.is_elsewhere(each) and not _is_bound(each.pk, currency))
    found = next(free, None)
    if found is not None:
        Customer.objects.make_current(found)
    return found


def _is_bound(customer_id: str, currency: str) -> bool:
    """Return whether a live subscription keeps the customer to another currency."""
    live = Subscription.objects.filter(customer=customer_id, status__in=LIVE).exclude(currency__in=["", currency])
    return bool(currency) and live.exists()


def _is_deleted(customer_id: str) -> bool:
    return Customer.objects.filter(pk=customer_id, deleted_at__isnull=False).exists()


def _save_customer(subscriber: Any, stripe_customer: dict[str, Any]) -> Customer:
    """Save our row. A webhook may have written it first, without knowing the subscriber."""
    stripe_account.ask_once()
    columns = {"email": stripe_customer.get("email") or "", **stripe_account.columns()}
    customer, _ = Customer.objects.get_or_create(pk=stripe_customer["id"], defaults=columns)
    if Customer.objects.link(customer.pk, subscriber.pk, becomes_current=True):
        paying_twice.alert_linked([customer.pk])
    customer.refresh_from_db()
    return customer

"""A deletion takes these steps at Stripe. Each asks for the current state, so a second run finds nothing to do.

All raise `StripeUnavailable` and `StripeRefused`. Call them with no transaction open.
"""

from collections.abc import Iterator
from typing import Any

from billing import stripe_account, stripe_client
from billing.conf import conf
from billing.lifecycle.customers import METADATA_KEY
from billing.models import AccountDeletion, Subscription
from billing.stripe_client import NoSuchCustomer, StripeRefused, readers

OVER = frozenset(Subscription.TERMINAL)
CLOSED_SCHEDULE = frozenset({"completed", "released", "canceled"})
# Somebody else did it, or an earlier try whose answer was lost.
DONE_BEFORE = frozenset({"resource_missing", "charge_already_refunded"})
PERSONAL = ("email", "name", "phone", "description", "address", "shipping")


class StillBilled(Exception):
    """Stripe accepted the cancellations, and still lists subscriptions that have not ended."""


def is_customer_deleted(deletion: AccountDeletion) -> bool:
    """Return whether the customer is deleted at Stripe already, and with it its subscriptions and sessions.

    A customer whom Stripe does not know at all counts as deleted, if all is confirmed as cancelled, if they were ended
    here, or if their account is the one of our key. Otherwise the key may be of another account, and the customer still
    billed there.
    """
    try:
        return bool(stripe_client.get(f"/v1/customers/{deletion.customer_id}").get("deleted"))
    except NoSuchCustomer:
        customer = deletion.customer
        is_here = customer is not None and customer.account == stripe_account.known() != ""
        is_ended = customer is not None and customer.deleted_at is not None
        if is_here or is_ended or deletion.subscriptions_canceled_at:
            return True
        raise


def expire_checkouts(deletion: AccountDeletion) -> None:
    """Expire open Checkouts. One that was paid at the last moment refuses; its subscription is cancelled later."""
    for session in _list_all(deletion, "/v1/checkout/sessions", status="open"):
        try:
            _post(deletion, f"/v1/checkout/sessions/{session['id']}/expire")
        except StripeRefused:
            if stripe_client.get(f"/v1/checkout/sessions/{session['id']}")["status"] == "open":
                raise


def release_schedules(deletion: AccountDeletion) -> None:
    for schedule in _list_all(deletion, "/v1/subscription_schedules"):
        path = f"/v1/subscription_schedules/{schedule['id']}"
        if schedule["status"] not in CLOSED_SCHEDULE:
            try:
                _post(deletion, f"{path}/release")
            except StripeRefused:
                if stripe_client.get(path)["status"] not in CLOSED_SCHEDULE:
                    raise


def cancel_subscriptions(deletion: AccountDeletion) -> None:
    """Cancel every subscription that has not ended, known to us or not; refund one bought after the deletion began.

    Whatever Stripe refuses, its list afterwards tells what has ended. Raises `StillBilled`, with the first refusal.
    """
    refused = None
    for subscription in _live(deletion):
        path = f"/v1/subscriptions/{subscription['id']}"
        try:
            stripe_client.delete(path, idempotency_key=_key(deletion, path))
        except StripeRefused as error:
            refused = refused or error
    if still := [subscription["id"] for subscription in _live(deletion)]:
        why = f" ({refused.user_message or refused.code})" if refused else ""
        raise StillBilled(f"Not ended at Stripe: {', '.join(still)}{why}") from refused
    for subscription in _list_all(deletion, "/v1/subscriptions", status="all"):
        if subscription["created"] > deletion.requested_at.timestamp():
            _refund(deletion, subscription["id"])


def void_invoices(deletion: AccountDeletion) -> None:
    """Void open invoices, and keep drafts from being finalized, so that nothing more is charged."""
    for invoice in _list_all(deletion, "/v1/invoices", status="open"):
        _close(deletion, invoice, f"/v1/invoices/{invoice['id']}/void")
    for invoice in _list_all(deletion, "/v1/invoices", status="draft"):
        _close(deletion, invoice, f"/v1/invoices/{invoice['id']}", auto_advance=False)


def _close(deletion: AccountDeletion, invoice: dict[str, Any], path: str, **params: Any) -> None:
    """Close an invoice. A refusal counts only while it still stands as we saw it: it may be paid or voided by now."""
    try:
        _post(deletion, path, **params)
    except StripeRefused:
        if stripe_client.get(f"/v1/invoices/{invoice['id']}")["status"] == invoice["status"]:
            raise


def remove_customer(deletion: AccountDeletion) -> None:
    """Cancel what was bought meanwhile, then delete the customer, or clear its details (BILLING_DELETE_CUSTOMER)."""
    cancel_subscriptions(deletion)
    path = f"/v1/customers/{deletion.customer_id}"
    if conf.delete_customer:
        _or_done_before(stripe_client.delete, path, idempotency_key=_key(deletion, f"delete:{path}"))
        return
    for method in _list_all(deletion, f"{path}/payment_methods"):
        _or_done_before(_post, deletion, f"/v1/payment_methods/{method['id']}/detach")
    _post(deletion, path, **dict.fromkeys(PERSONAL, ""), metadata={METADATA_KEY: ""})


def _live(deletion: AccountDeletion) -> list[dict[str, Any]]:
    return [item for item in _list_all(deletion, "/v1/subscriptions", status="all") if item["status"] not in OVER]


def _refund(deletion: AccountDeletion, subscription: str) -> None:
    paid = {"subscription": subscription, "status": "paid", "expand": ["data.payments"]}
    for invoice in _list_all(deletion, "/v1/invoices", **paid):
        for payment in readers.payments_of(invoice):
            if intent := payment["payment"].get("payment_intent"):
                key = _key(deletion, f"refund:{intent}")
                _or_done_before(stripe_client.post, "/v1/refunds", idempotency_key=key, payment_intent=intent)


def _list_all(deletion: AccountDeletion, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    """Return all of the customer's objects in a list, page by page."""
    if "/customers/" not in path:
        params["customer"] = deletion.customer_id
    page = stripe_client.get(path, limit=100, **params)
    yield from page["data"]
    while page["has_more"]:
        page = stripe_client.get(path, limit=100, starting_after=page["data"][-1]["id"], **params)
        yield from page["data"]


def _post(deletion: AccountDeletion, path: str, **params: Any) -> None:
    stripe_client.post(path, idempotency_key=_key(deletion, path), **params)


def _or_done_before(call: Any, *args: Any, **params: Any) -> None:
    try:
        call(*args, **params)
    except StripeRefused as error:
        if error.code not in DONE_BEFORE:
            raise


def _key(deletion: AccountDeletion, what: str) -> str:
    """Return the idempotency key of this try: Stripe would replay a failure for as long as it keeps a key."""
    return f"deletion:{deletion.pk}:{deletion.attempts}:{what}"

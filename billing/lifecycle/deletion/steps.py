"""What leaving takes at Stripe, step by step. Every step asks what there is now: taken twice, it finds nothing to do.

All raise StripeUnavailable and StripeRefused, and are called with no transaction open.
"""

from collections.abc import Iterator
from typing import Any

from billing import stripe_client
from billing.conf import conf
from billing.lifecycle.customers import METADATA_KEY
from billing.models import AccountDeletion, Subscription
from billing.stripe_client import StripeRefused, readers

OVER = frozenset(Subscription.TERMINAL)
OPEN_SCHEDULE = frozenset({"not_started", "active"})
# Somebody else, or an earlier try whose answer was lost, did it before us.
DONE_BEFORE = frozenset({"resource_missing", "charge_already_refunded"})
PERSONAL = ("email", "name", "phone", "description", "address", "shipping")


class StillBilled(Exception):
    """Stripe took the cancellations, and yet names subscriptions that are not over."""


def is_customer_deleted(leaving: AccountDeletion) -> bool:
    """Whether the customer is deleted at Stripe already: with it went its subscriptions and sessions."""
    return bool(stripe_client.get(f"/v1/customers/{leaving.customer_id}").get("deleted"))


def expire_checkouts(leaving: AccountDeletion) -> None:
    """One that was paid at the last moment refuses to expire: its subscription is cancelled with the others."""
    for session in _list_all(leaving, "/v1/checkout/sessions", status="open"):
        try:
            _post(leaving, f"/v1/checkout/sessions/{session['id']}/expire")
        except StripeRefused:
            if stripe_client.get(f"/v1/checkout/sessions/{session['id']}")["status"] == "open":
                raise


def release_schedules(leaving: AccountDeletion) -> None:
    for schedule in _list_all(leaving, "/v1/subscription_schedules"):
        if schedule["status"] in OPEN_SCHEDULE:
            _post(leaving, f"/v1/subscription_schedules/{schedule['id']}/release")


def cancel_subscriptions(leaving: AccountDeletion) -> None:
    """Every one that is not over, whether we knew it or not, and what was paid for one after leaving goes back.

    Raises `StillBilled`.
    """
    for subscription in _live(leaving):
        path = f"/v1/subscriptions/{subscription['id']}"
        _or_done_before(stripe_client.delete, path, idempotency_key=_key(leaving, path))
    if still := [subscription["id"] for subscription in _live(leaving)]:
        raise StillBilled(f"Not over at Stripe: {', '.join(still)}")
    for subscription in _list_all(leaving, "/v1/subscriptions", status="all"):
        if subscription["created"] > leaving.requested_at.timestamp():
            _refund(leaving, subscription["id"])


def void_invoices(leaving: AccountDeletion) -> None:
    """Open ones are void, and a draft never leaves its state: nothing goes on being charged."""
    for invoice in _list_all(leaving, "/v1/invoices", status="open"):
        _post(leaving, f"/v1/invoices/{invoice['id']}/void")
    for invoice in _list_all(leaving, "/v1/invoices", status="draft"):
        _post(leaving, f"/v1/invoices/{invoice['id']}", auto_advance=False)


def remove_customer(leaving: AccountDeletion) -> None:
    """Look once more for what was bought meanwhile, then delete the customer, or scrub it (BILLING_DELETE_CUSTOMER)."""
    cancel_subscriptions(leaving)
    path = f"/v1/customers/{leaving.customer_id}"
    if conf.delete_customer:
        _or_done_before(stripe_client.delete, path, idempotency_key=_key(leaving, f"delete:{path}"))
        return
    for method in _list_all(leaving, f"{path}/payment_methods"):
        _or_done_before(_post, leaving, f"/v1/payment_methods/{method['id']}/detach")
    _post(leaving, path, **dict.fromkeys(PERSONAL, ""), metadata={METADATA_KEY: ""})


def _live(leaving: AccountDeletion) -> list[dict[str, Any]]:
    return [item for item in _list_all(leaving, "/v1/subscriptions", status="all") if item["status"] not in OVER]


def _refund(leaving: AccountDeletion, subscription: str) -> None:
    paid = {"subscription": subscription, "status": "paid", "expand": ["data.payments"]}
    for invoice in _list_all(leaving, "/v1/invoices", **paid):
        for payment in readers.payments_of(invoice):
            if intent := payment["payment"].get("payment_intent"):
                key = _key(leaving, f"refund:{intent}")
                _or_done_before(stripe_client.post, "/v1/refunds", idempotency_key=key, payment_intent=intent)


def _list_all(leaving: AccountDeletion, path: str, **params: Any) -> Iterator[dict[str, Any]]:
    """All of the customer's objects of a list, page by page."""
    if "/customers/" not in path:
        params["customer"] = leaving.customer_id
    page = stripe_client.get(path, limit=100, **params)
    yield from page["data"]
    while page["has_more"]:
        page = stripe_client.get(path, limit=100, starting_after=page["data"][-1]["id"], **params)
        yield from page["data"]


def _post(leaving: AccountDeletion, path: str, **params: Any) -> None:
    stripe_client.post(path, idempotency_key=_key(leaving, path), **params)


def _or_done_before(call: Any, *args: Any, **params: Any) -> None:
    try:
        call(*args, **params)
    except StripeRefused as error:
        if error.code not in DONE_BEFORE:
            raise


def _key(leaving: AccountDeletion, what: str) -> str:
    """Stripe replays a failure too for as long as it keeps a key: every try asks by a key of its own."""
    return f"leaving:{leaving.pk}:{leaving.attempts}:{what}"

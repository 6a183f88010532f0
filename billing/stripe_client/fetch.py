"""These functions read what Stripe says now, for the projection of an event; a drain reads each object only once.

All of it goes through `stripe_client`'s read cache. A request is a path and its parameters; two callers who
word it alike share one call, which is why the words stand here and nowhere else.

An event says whose its object is, and may be forged. So every object is fetched for a customer, and `NotTheirs` is
raised where Stripe says that it is another's; `customer` None is for who asks whose it is.
"""

import re
from typing import Any
from urllib.parse import quote

from . import client, readers
from .errors import StripeRefused
from .readers import id_of, owner_of

Request = tuple[str, dict[str, Any]]
ID = re.compile(r"[A-Za-z0-9_]{1,255}")
LONGEST_ID = 255

SUBSCRIPTION_EXPAND = [
    "data.customer.invoice_settings.default_payment_method",
    "data.default_payment_method",
    "data.discounts",
    "data.items.data.discounts",
    "data.latest_invoice.discounts",
    "data.latest_invoice.payments",
    "data.schedule",
]
INVOICE_EXPAND = ["discounts", "lines.data.discounts", "payments.data.payment.payment_intent"]
CHARGE_EXPAND = ["balance_transaction", "payment_intent.payment_method", "refunds.data.balance_transaction"]
PRICE_EXPAND = ["currency_options", "product", "tiers"]
COUPON_EXPAND = ["applies_to", "currency_options"]
DISPUTE_EXPAND = ["charge.balance_transaction", "payment_intent.payment_method"]


class NotTheirs(Exception):
    """The object was said to be a customer's and is not; `owner` is its customer at Stripe, "" for nobody's."""

    def __init__(self, found: dict[str, Any], customer: str) -> None:
        self.owner = owner_of(found)
        whose = self.owner or "nobody"
        super().__init__(f"{found.get('object')} {id_of(found)} is of {whose} at Stripe, not of {customer}")


class NotAnId(ValueError):
    """The id has characters that would lead to another address, and is none of Stripe's."""


def subscriptions_request(customer: str) -> Request:
    return "/v1/subscriptions", {"customer": customer, "status": "all", "limit": 100, "expand": SUBSCRIPTION_EXPAND}


def items_request(subscription: str) -> Request:
    return "/v1/subscription_items", {"subscription": subscription, "limit": 100}


def invoice_request(invoice: str) -> Request:
    return _path("invoices", invoice), {"expand": INVOICE_EXPAND}


def charge_request(charge: str) -> Request:
    return _path("charges", charge), {"expand": CHARGE_EXPAND}


def refunds_request(charge: str) -> Request:
    return "/v1/refunds", {"charge": charge, "limit": 100, "expand": ["data.balance_transaction"]}


def dispute_request(dispute: str) -> Request:
    return _path("disputes", dispute), {"expand": DISPUTE_EXPAND}


def checkout_session_request(session: str) -> Request:
    return _path("checkout/sessions", session), {}


def tax_ids_request(customer: str) -> Request:
    return f"{_path('customers', customer)}/tax_ids", {"limit": 100}


def customer_request(customer: str) -> Request:
    return _path("customers", customer), {"expand": ["invoice_settings.default_payment_method"]}


def open_invoices_request(subscription: str) -> Request:
    return "/v1/invoices", {"subscription": subscription, "status": "open", "limit": 100}


def invoice_payment_request(payment_intent: str) -> Request:
    payment = {"type": "payment_intent", "payment_intent": payment_intent}
    return "/v1/invoice_payments", {"payment": payment, "expand": ["data.invoice"]}


def prices_request() -> Request:
    return "/v1/prices", {"limit": 100, "expand": [f"data.{name}" for name in PRICE_EXPAND]}


def price_request(price: str) -> Request:
    return _path("prices", price), {"expand": PRICE_EXPAND}


def coupon_request(coupon: str) -> Request:
    """Return the request of a coupon, whose id is chosen by whoever makes it: the path quotes what is in it."""
    if not coupon.strip(".") or len(coupon) > LONGEST_ID:
        raise NotAnId(f"{coupon[:60]!r} is not an id of Stripe's, so we do not ask Stripe for it")
    return f"/v1/coupons/{quote(coupon, safe='')}", {"expand": COUPON_EXPAND}


def promotion_code_request(code: str) -> Request:
    return _path("promotion_codes", code), {"expand": [f"promotion.coupon.{name}" for name in COUPON_EXPAND]}


def codes_request(text: str) -> Request:
    """Ask for the promotion codes of a text, in whatever case; active and other ones."""
    return "/v1/promotion_codes", {
        "code": text,
        "limit": 100,
        "expand": [f"data.promotion.coupon.{name}" for name in COUPON_EXPAND],
    }


def subscriptions(customer_id: str) -> list[dict[str, Any]]:
    """Return all of a customer's subscriptions, ended ones too, newest first; none for a deleted customer.

    Each has all its items: a list brings only the first ten. A customer that this key's account does not know at all
    is an error: it says nothing about their subscription.
    """
    try:
        return [_with_all_items(found) for found in _list(subscriptions_request(customer_id))]
    except StripeRefused:
        if is_deleted(customer_id):
            return []
        raise


def _with_all_items(subscription: dict[str, Any]) -> dict[str, Any]:
    items = subscription["items"]
    if not items["has_more"]:
        return subscription
    return {**subscription, "items": {**items, "data": _list(items_request(subscription["id"])), "has_more": False}}


def is_deleted(customer_id: str) -> bool:
    return bool(customer(customer_id).get("deleted"))


def invoice(invoice_id: str, customer: str | None) -> dict[str, Any]:
    return _theirs(_get(invoice_request(invoice_id)), customer)


def settled_invoice(invoice_id: str, customer: str) -> dict[str, Any]:
    """Return an invoice with its payments, without a call of its own while it is a subscription's latest."""
    for found in subscriptions(customer):
        latest: dict[str, Any] | None = found["latest_invoice"]
        if latest and latest["id"] == invoice_id:
            return latest
    return invoice(invoice_id, customer)


def current_invoice(invoice_id: str, customer: str) -> dict[str, Any]:
    """Return an invoice; if it is open, with its payment intents, which say how its payment stands."""
    found = settled_invoice(invoice_id, customer)
    return invoice(invoice_id, customer) if found["status"] == "open" else found


def lines(invoice_object: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all lines of an invoice, which brings only its first ten."""
    embedded = invoice_object["lines"]
    if not embedded["has_more"]:
        return list(embedded["data"])
    return _list((_path("invoices", invoice_object["id"]) + "/lines", {"limit": 100}))


def payments_of(invoice_object: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all payments of an invoice, which brings only its first ten; none where they were not expanded."""
    if not (invoice_object.get("payments") or {}).get("has_more"):
        return readers.payments_of(invoice_object)
    return _list(("/v1/invoice_payments", {"invoice": invoice_object["id"], "limit": 100}))


def paid_invoices(subscription: str) -> list[dict[str, Any]]:
    """Return the paid invoices of a subscription, newest first."""
    return _list(("/v1/invoices", {"subscription": subscription, "status": "paid", "limit": 100}))


def open_invoices(subscription: str) -> list[dict[str, Any]]:
    return _list(open_invoices_request(subscription))


def draft_invoices(subscription: str) -> list[dict[str, Any]]:
    return _list(("/v1/invoices", {"subscription": subscription, "status": "draft", "limit": 100}))


def open_invoices_of(customer: str) -> list[dict[str, Any]]:
    """Return the open invoices of a customer, those without a subscription too."""
    return _list(("/v1/invoices", {"customer": customer, "status": "open", "limit": 100}))


def charge(charge_id: str, customer: str | None) -> dict[str, Any]:
    """Return a charge with its newest refunds."""
    return _theirs(_get(charge_request(charge_id)), customer)


def refunds(charge_object: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all refunds of a charge, oldest first, of one second in Stripe's order: a charge brings only its ten
    newest.
    """
    newest = charge_object["refunds"]
    found = _list(refunds_request(charge_object["id"])) if newest["has_more"] else newest["data"]
    oldest_first = found[::-1]
    return sorted(oldest_first, key=lambda refund: refund["created"])


def newest_prices() -> list[dict[str, Any]]:
    """Return the hundred newest prices of the Stripe account, with product, tiers and other currencies."""
    newest: list[dict[str, Any]] = _get(prices_request())["data"]
    return newest


def all_prices() -> list[dict[str, Any]]:
    """Return every price of the Stripe account, a hundred a call."""
    return _list(prices_request())


def price(price_id: str) -> dict[str, Any] | None:
    """Return a price; None if Stripe has no such price any more."""
    return _existing(price_request(price_id))


def coupon(coupon_id: str) -> dict[str, Any] | None:
    """Return a coupon with what it is for; None if it is deleted."""
    return _existing(coupon_request(coupon_id))


def promotion_code(code_id: str) -> dict[str, Any] | None:
    return _existing(promotion_code_request(code_id))


def promotion_codes(text: str) -> list[dict[str, Any]]:
    """Return the promotion codes that are spelled so, with their coupons, the newest first."""
    return _list(codes_request(text))


def _existing(request: Request) -> dict[str, Any] | None:
    try:
        found = _get(request)
    except StripeRefused as error:
        if error.code == "resource_missing":
            return None
        raise
    return None if found.get("deleted") else found


def payment_intent(payment_intent_id: str, customer: str | None) -> dict[str, Any]:
    return _theirs(_get((_path("payment_intents", payment_intent_id), {})), customer)


def dispute(dispute_id: str, customer: str | None) -> dict[str, Any]:
    return _theirs(_get(dispute_request(dispute_id)), customer)


def checkout_session(session_id: str, customer: str | None) -> dict[str, Any]:
    return _theirs(_get(checkout_session_request(session_id)), customer)


def tax_ids(customer: str) -> list[dict[str, Any]]:
    return _list(tax_ids_request(customer))


def customer(customer_id: str) -> dict[str, Any]:
    """Return a customer; a deleted one is `{"id", "object", "deleted": true}`."""
    return _get(customer_request(customer_id))


def invoice_payment_of(payment_intent: str, customer: str | None) -> dict[str, Any] | None:
    """Return the link of a payment intent to its invoice (expanded); None for a one-off payment."""
    found = _list(invoice_payment_request(payment_intent))
    return _theirs(found[0], customer) if found else None


def _theirs(found: dict[str, Any], customer: str | None) -> dict[str, Any]:
    if customer is not None and owner_of(found) != customer:
        raise NotTheirs(found, customer)
    return found


def _path(kind: str, object_id: str) -> str:
    if not ID.fullmatch(object_id):
        raise NotAnId(f"{object_id[:60]!r} is not an id of Stripe's, so we do not ask Stripe for it")
    return f"/v1/{kind}/{object_id}"


def _get(request: Request) -> dict[str, Any]:
    path, params = request
    return client.get(path, **params)


def _list(request: Request) -> list[dict[str, Any]]:
    """Return all of a list: Stripe gives a hundred at a time, and says whether there are more."""
    path, params = request
    page = _get(request)
    found: list[dict[str, Any]] = page["data"]
    while page["has_more"] and page["data"]:
        page = _get((path, {**params, "starting_after": found[-1]["id"]}))
        found = [*found, *page["data"]]
    return found

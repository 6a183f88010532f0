"""The sandbox plays new customers' first two months, and gives ten events of the types that both sides process."""

import hashlib
import hmac
import time
from typing import Any

from bench.running import SECRET
from bench.sandbox import Server

# A Checkout that is paid, and the first renewal.
LIFECYCLE = {
    "checkout.session.completed": 1,
    "customer.updated": 1,
    "customer.subscription.created": 1,
    "customer.subscription.updated": 1,
    "invoice.paid": 2,
    "invoice.payment_succeeded": 2,
    "invoice_payment.paid": 2,
}
EVENTS = sum(LIFECYCLE.values())
MONTH_AND_A_BIT = 33 * 86_400

Event = dict[str, Any]


def tell(stripe: Server, price: str, customers: int) -> list[list[Event]]:
    """Let customers buy and be renewed; return each one's events of the lifecycle's types, oldest first."""
    for index in range(customers):
        buy(stripe, price, f"buyer{index}@example.com")
    events = told(stripe)
    stripe.control("advance", seconds=MONTH_AND_A_BIT)
    return _by_customer(events + told(stripe))


def _by_customer(events: list[Event]) -> list[list[Event]]:
    objects = [event["data"]["object"] for event in events]
    billed = {obj["id"]: obj["customer"] for obj in objects if obj["object"] == "invoice"}
    stories: dict[str, list[Event]] = {}
    for event, obj in zip(events, objects, strict=True):
        whose = obj["id"] if obj["object"] == "customer" else obj.get("customer") or billed[obj["invoice"]]
        stories.setdefault(whose, []).append(event)
    assert all(len(story) == EVENTS for story in stories.values())
    return list(stories.values())


def buy(stripe: Server, price: str, email: str) -> str:
    """Let a new customer pay at Checkout; return their id."""
    customer: str = stripe.post("/v1/customers", email=email)["id"]
    session = stripe.post(
        "/v1/checkout/sessions",
        **{"mode": "subscription", "customer": customer, "line_items[0][price]": price, "line_items[0][quantity]": 1},
        success_url="https://billing.example.com/",
    )
    stripe.control(f"checkout/{session['id']}/complete", payment_method="pm_card_visa")
    return customer


def told(stripe: Server) -> list[Event]:
    """Return the lifecycle's events of the last 30 days, oldest first; Stripe keeps them no longer."""
    found: list[Event] = []
    page = {"has_more": True}
    while page["has_more"]:
        after = f"&starting_after={found[-1]['id']}" if found else ""
        page = stripe.ask("GET", f"/v1/events?limit=100{after}")
        found += page["data"]
    return [event for event in reversed(found) if event["type"] in LIFECYCLE]


def sign(body: bytes) -> str:
    moment = int(time.time())
    digest = hmac.new(SECRET.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={digest}"


def customer_of(story: list[Event]) -> str:
    return next(event["data"]["object"]["customer"] for event in story if "customer" in event["data"]["object"])

"""Tests of usage begin so: a meter for tokens, a metered price, a subscriber with a card, and events."""

from typing import Any

import pytest
import stripe

from .conftest import Control

DAY = 86_400
MONTH = {"interval": "month"}


class Shop:
    """A shop that sells by usage, told through the SDK."""

    def __init__(self, client: stripe.StripeClient, control: Control) -> None:
        self.client, self.control = client, control
        self.product = client.v1.products.create({"name": "Tokens"})
        self.meter = self.new_meter("tokens")

    def new_meter(self, name: str, formula: str = "sum", **more: Any) -> Any:
        given: Any = {"display_name": name, "event_name": name, "default_aggregation": {"formula": formula}, **more}
        return self.client.v1.billing.meters.create(given)

    def price(self, meter: Any = None, **amounts: Any) -> Any:
        recurring = {**MONTH, "usage_type": "metered", "meter": (meter or self.meter).id}
        given: Any = {"product": self.product.id, "currency": "usd", "recurring": recurring, **amounts}
        return self.client.v1.prices.create(given)

    def licensed(self, **amounts: Any) -> Any:
        given: Any = {"product": self.product.id, "currency": "usd", "recurring": MONTH, **amounts}
        return self.client.v1.prices.create(given)

    def subscriber(self, **more: Any) -> Any:
        given: Any = {
            "email": "ada@example.com",
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
            **more,
        }
        return self.client.v1.customers.create(given)

    def subscribed(self, *prices: Any, customer: Any = None, **more: Any) -> Any:
        who = customer or self.subscriber()
        given: Any = {"customer": who.id, "items": [{"price": price.id} for price in prices], **more}
        return self.client.v1.subscriptions.create(given)

    def use(self, sub: Any, value: Any, name: str = "tokens", **more: Any) -> Any:
        payload = {"stripe_customer_id": sub.customer, "value": str(value)}
        return self.client.v1.billing.meter_events.create({"event_name": name, "payload": payload, **more})

    def now(self) -> int:
        return int(self.control("", method="GET")["now"])

    def pass_days(self, count: float) -> None:
        self.control("/advance", {"seconds": int(count * DAY)})

    def pass_period(self, sub: Any) -> None:
        """On to the period's end, and over the hour in which its invoice is a draft."""
        fresh = self.client.v1.subscriptions.retrieve(sub.id)
        self.control("/advance", {"to": min(i.current_period_end for i in fresh["items"].data) + 3700})

    def latest(self, sub: Any) -> Any:
        fresh = self.client.v1.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})
        return fresh.latest_invoice


@pytest.fixture
def shop(client: stripe.StripeClient, control: Control) -> Shop:
    return Shop(client, control)


def lines(invoice: Any) -> list[tuple[str, int]]:
    return [(line.description, line.amount) for line in invoice.lines.data]

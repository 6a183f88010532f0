"""These fixtures make people in several places, and prices with and without tax, under a table of their own."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from ..conftest import Control

BERLIN: Any = {"line1": "Torstr. 1", "city": "Berlin", "country": "DE", "postal_code": "10115"}
PARIS: Any = {"line1": "Rue 1", "city": "Paris", "country": "FR", "postal_code": "75001"}
NEW_YORK: Any = {"line1": "5th Av. 1", "city": "New York", "state": "NY", "country": "US", "postal_code": "10001"}
TABLE = {
    "country": "DE",
    "tax_behavior": "exclusive",
    "rates": [
        {"country": "DE", "percentage": 19},
        {"country": "DE", "percentage": 7, "tax_code": "txcd_10302000"},
        {"country": "FR", "percentage": 20},
        {"country": "IT", "percentage": 0},
        {"country": "US", "state": "NY", "postal_code": "100", "percentage": 8.875},
        {"country": "CA", "state": "BC", "percentage": 5, "tax_type": "gst"},
        {"country": "CA", "state": "BC", "percentage": 7, "tax_type": "pst"},
    ],
}
Made = Callable[..., Any]


@pytest.fixture(autouse=True)
def _table(control: Control) -> None:
    control("/tax", TABLE)


@pytest.fixture
def person(client: stripe.StripeClient) -> Made:
    """Return a function that makes a customer with a good card."""

    def make(address: Any = None, **more: Any) -> stripe.Customer:
        card: Any = {"payment_method": "pm_card_visa"}
        card["invoice_settings"] = {"default_payment_method": "pm_card_visa"}
        place: Any = {"address": address} if address else {}
        return client.v1.customers.create({"email": "ada@example.com", **card, **place, **more})

    return make


@pytest.fixture
def priced(client: stripe.StripeClient) -> Made:
    """Return a function that makes a price of a product of its own."""

    def make(amount: int = 1000, behavior: str = "exclusive", code: str | None = None, **more: Any) -> stripe.Price:
        product = client.v1.products.create({"name": "Pro", **({"tax_code": code} if code else {})})
        wanted: Any = {"product": product.id, "currency": "eur", "unit_amount": amount, "tax_behavior": behavior}
        return client.v1.prices.create({**wanted, "recurring": {"interval": "month"}, **more})

    return make


@pytest.fixture
def subscribe(client: stripe.StripeClient, person: Made, priced: Made) -> Made:
    """Return a function that subscribes somebody in a place, with automatic tax."""

    def make(address: Any = BERLIN, price: Any = None, customer: Any = None, **more: Any) -> stripe.Subscription:
        who, what = customer or person(address), price or priced()
        wanted: Any = {"customer": who.id, "items": [{"price": what.id}], "automatic_tax": {"enabled": True}}
        return client.v1.subscriptions.create({**wanted, "expand": ["latest_invoice"], **more})

    return make


@pytest.fixture
def by_hand(client: stripe.StripeClient) -> Made:
    """Return a function that makes a tax rate."""

    def make(percentage: float = 19, inclusive: bool = False, **more: Any) -> stripe.TaxRate:
        wanted: Any = {"display_name": "VAT", "percentage": percentage, "inclusive": inclusive}
        return client.v1.tax_rates.create({**wanted, **more})

    return make


def sums(invoice: stripe.Invoice) -> tuple[int, int, int, list[int]]:
    """Return subtotal, total, total without tax, and the taxes."""
    return (
        invoice.subtotal,
        invoice.total,
        invoice.total_excluding_tax or 0,
        [tax.amount for tax in invoice.total_taxes or []],
    )


def reasons(invoice: stripe.Invoice) -> list[str | None]:
    return [tax.taxability_reason for tax in invoice.total_taxes or []]

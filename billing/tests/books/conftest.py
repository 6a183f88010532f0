"""Invoices for the books: drawn up by hand, and paid in part."""

import pytest


@pytest.fixture
def ada(world):
    return world.subscribed()


@pytest.fixture
def invoice_of(world):
    """A one-off invoice of a customer that Stripe has finalized; nobody has paid it yet."""

    def draw_up(customer, amount=5000, **params):
        terms = {"collection_method": "send_invoice", "days_until_due": 30, **params}
        invoice = world.stripe("POST", "invoices", customer=customer, currency="usd", **terms)["id"]
        item = {"customer": customer, "invoice": invoice, "amount": amount, "currency": "usd", "description": "Help"}
        world.stripe("POST", "invoiceitems", **item)
        return world.stripe("POST", f"invoices/{invoice}/finalize")["id"]

    return draw_up


@pytest.fixture
def pay_part(world):
    """Pay a part of an open invoice with the card that the customer has."""

    def pay(subscriber, invoice, amount):
        methods = world.stripe("GET", f"customers/{subscriber.customer}/payment_methods")["data"]
        part = {"amount": amount, "currency": "usd", "customer": subscriber.customer, "confirm": True}
        intent = world.stripe("POST", "payment_intents", off_session=True, payment_method=methods[0]["id"], **part)
        world.stripe("POST", f"invoices/{invoice}/attach_payment", payment_intent=intent["id"])

    return pay

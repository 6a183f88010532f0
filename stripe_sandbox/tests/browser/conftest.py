"""A shop to come from and to go back to, and the card form as a buyer fills it."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import stripe

from stripe_sandbox.tests.conftest import Control

if TYPE_CHECKING:
    from playwright.sync_api import Page

Pay = Callable[..., None]
EMPTY = b"<!doctype html><title>Shop</title><h1>The shop</h1>"


class Visit(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(EMPTY)))
        self.end_headers()
        self.wfile.write(EMPTY)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture(scope="session")
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Visit)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def start(checkout: Any, shop: str) -> Callable[..., stripe.checkout.Session]:
    """A Checkout that comes from the shop and leads back to it."""

    def session(**more: Any) -> stripe.checkout.Session:
        back = f"{shop}/return?session={{CHECKOUT_SESSION_ID}}"
        made: stripe.checkout.Session = checkout(success_url=back, cancel_url=f"{shop}/prices", **more)
        return made

    return session


@pytest.fixture
def portal(client: stripe.StripeClient, control: Control, price: stripe.Price, shop: str) -> Callable[[str], str]:
    """The address of a customer's portal, as wide as its settings go."""
    control("/portal")
    products: Any = [{"product": price.product, "prices": [price.id, _yearly(client, price).id]}]
    switching = {"enabled": True, "default_allowed_updates": ["price"], "proration_behavior": "always_invoice"}
    reasons: Any = {"enabled": True, "options": ["too_expensive", "unused", "other"]}
    features: Any = {
        "customer_update": {"enabled": True, "allowed_updates": ["name", "email"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end", "cancellation_reason": reasons},
        "subscription_update": {**switching, "products": products},
    }
    configuration = client.v1.billing_portal.configurations.create({"features": features})

    def address(customer: str) -> str:
        params: Any = {"customer": customer, "return_url": f"{shop}/account", "configuration": configuration.id}
        return client.v1.billing_portal.sessions.create(params).url

    return address


def _yearly(client: stripe.StripeClient, price: stripe.Price) -> stripe.Price:
    recurring: Any = {"interval": "year"}
    return client.v1.prices.create(
        {"product": price.product, "currency": "usd", "unit_amount": 20000, "recurring": recurring}
    )


@pytest.fixture
def pay() -> Pay:
    """Fills the card form in and sends it; `button` is what the button says."""

    def fill(page: "Page", number: str, button: str, expiry: str = "12 / 34", cvc: str = "123") -> None:
        page.get_by_label("Card number").fill(number)
        page.get_by_label("Expiry").fill(expiry)
        page.get_by_label("Security code").fill(cvc)
        page.get_by_role("button", name=button).click()

    return fill

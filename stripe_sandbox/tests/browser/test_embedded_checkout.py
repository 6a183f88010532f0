"""A site shows Checkout inside of its own page, by the script that stands in for Stripe.js."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import stripe
from playwright.sync_api import expect

from billing.tests.browser.plugin import Browse, Shoot

pytestmark = pytest.mark.browser
PAGE = """<!doctype html><title>Shop</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width"><h1>The shop</h1>
<script src="{script}"></script><div id="checkout"></div><p id="said"></p>
<script>
const fetchClientSecret = async () => "{secret}";
const onComplete = () => {{ document.querySelector("#said").textContent = "Thank you!"; }};
const shown = Stripe("pk_test_any").createEmbeddedCheckoutPage({{ fetchClientSecret, onComplete }});
shown.then((checkout) => checkout.mount("#checkout"));
</script>"""
BACK = "<!doctype html><title>Shop</title><link rel='icon' href='data:,'><h1>Welcome back</h1>"


class Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = (PAGE.format(**query) if parts.path == "/buy" else BACK).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def embedding() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def embedded(
    client: stripe.StripeClient, sandbox: Any, price: stripe.Price, customer: stripe.Customer, embedding: str
) -> Callable[..., tuple[str, str]]:
    """Starts an embedded Checkout: the address of the site's page that shows it, and the session."""

    def start(**more: Any) -> tuple[str, str]:
        params: Any = {
            "mode": "subscription",
            "ui_mode": "embedded_page",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 1}],
            **more,
        }
        session = client.v1.checkout.sessions.create(params)
        return f"{embedding}/buy?script={sandbox.url}/stripe.js&secret={session.client_secret}", session.id

    return start


@pytest.mark.parametrize("look", [{}, {"phone": True}], ids=["desktop", "phone"])
def test_a_buyer_pays_inside_of_the_sites_page_and_is_led_on(
    client: stripe.StripeClient, embedded: Any, embedding: str, browse: Browse, shoot: Shoot, look: dict[str, bool]
) -> None:
    address, session = embedded(return_url=f"{embedding}/return?session_id={{CHECKOUT_SESSION_ID}}")
    page = browse(address, **look)
    frame = page.frame_locator("#checkout iframe")
    frame.get_by_label("Card number").fill("4000002760003184")
    frame.get_by_label("Expiry").fill("12 / 34")
    frame.get_by_label("Security code").fill("123")
    shoot(page, f"checkout-embedded-{'phone' if look else 'desktop'}")
    frame.get_by_role("button", name="Subscribe").click()
    frame.get_by_role("button", name="Complete authentication").click()
    expect(page).to_have_url(f"{embedding}/return?session_id={session}")
    assert client.v1.checkout.sessions.retrieve(session).status == "complete"


def test_a_page_that_stays_is_told_that_it_is_done(
    client: stripe.StripeClient, embedded: Any, browse: Browse, shoot: Shoot
) -> None:
    address, session = embedded(redirect_on_completion="never")
    page = browse(address)
    frame = page.frame_locator("#checkout iframe")
    frame.get_by_role("button", name="4242 4242 4242 4242").click()
    frame.get_by_role("button", name="Subscribe").click()
    expect(page.get_by_text("Thank you!")).to_be_visible()
    expect(frame.get_by_text("Payment complete")).to_be_visible()
    shoot(page, "checkout-embedded-done")
    assert client.v1.checkout.sessions.retrieve(session).status == "complete"

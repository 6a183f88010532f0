"""A sandbox in this process, the SDK as its client, a receiver of events; after each test every shape is checked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import stripe

from stripe_sandbox import Sandbox
from stripe_sandbox.events import shown
from stripe_sandbox.http.messages import Request as Asked
from stripe_sandbox.http.messages import Response
from stripe_sandbox.http.shapes import problems

from .proving import RECORDING, Prover, by_test, test_of

SECRET = "whsec_test"
PROOFS = by_test()
Control = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def proofs(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test of the record of parameters proves again that each of its parameters acts."""
    test, recorder = test_of(request.node), request.config.stash.get(RECORDING, None)
    wanted = PROOFS.get(test, set())
    if not recorder and not wanted:
        yield
        return
    prover = recorder.prover if recorder else Prover(wanted)
    with prover.watching():
        yield
    if recorder:
        recorder.note(test)
    else:
        assert wanted - prover.proven == set(), "made no difference"


class Receiver(ThreadingHTTPServer):
    """Keeps what is delivered; answers the statuses queued in `answers`, then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        super().__init__(("127.0.0.1", 0), Post)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.received]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]


class Post(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    server = Receiver()
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


class Checked(Sandbox):
    """Remembers how its answers depart from the SDK's types; previews, for one, are kept nowhere else.

    Events are left to the tables, and tombstones carry what dj-stripe reads of them.
    """

    departures: ClassVar[set[str]] = set()

    def handle(self, request: Asked) -> Response | None:
        response = super().handle(request)
        if response is not None and response.status == 200 and _is_shown(request, response):
            shown = json.loads(response.body) or {"data": []}
            rows = shown["data"] if isinstance(shown.get("data"), list) else [shown]
            for row in rows if not request.path.startswith("/v1/events") and "deleted" not in shown else []:
                self.departures.update(f"{request.path}: {problem}" for problem in problems(row))
        return response


def _is_shown(request: Asked, response: Response) -> bool:
    return request.path.startswith("/v1/") and response.content_type == "application/json"


@pytest.fixture
def sandbox() -> Iterator["Checked"]:
    Checked.departures.clear()
    running = Checked(port=0, seed=7, webhook_secret=SECRET)
    with running:
        yield running
        departures = shape_problems(running) + sorted(running.departures)
        assert not departures, "\n".join(departures)


def shape_problems(sandbox: Sandbox) -> list[str]:
    """Every way in which an object or event of the sandbox departs from the SDK's types."""
    found: list[str] = []
    with sandbox.lock:
        for kind, table in sandbox.state.tables.items():
            for row in table.rows.values():
                given = shown(row) if kind == "event" else row
                found += [f"{row.get('type', kind)}: {problem}" for problem in problems(given)]
    # The upcoming invoice is the one object that Stripe sends without an id.
    return sorted({entry for entry in found if entry != "invoice.upcoming: invoice.id: missing key"})


@pytest.fixture
def forwarding(sandbox: Sandbox, receiver: Receiver) -> Receiver:
    sandbox.forward = sandbox.state.forward = receiver.url
    return receiver


@pytest.fixture
def client(sandbox: Sandbox) -> stripe.StripeClient:
    return stripe.StripeClient(sandbox.key, base_addresses={"api": sandbox.url}, max_network_retries=0)


@pytest.fixture
def control(sandbox: Sandbox) -> Control:
    def call(path: str, body: dict[str, Any] | None = None, method: str = "POST") -> dict[str, Any]:
        return ask(f"{sandbox.url}/_sandbox{path}", body, method)[1]

    return call


def ask(url: str, body: dict[str, Any] | None = None, method: str = "POST") -> tuple[int, dict[str, Any]]:
    data = json.dumps(body).encode() if body is not None else None
    request = Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urlopen(request) as response:
            return response.status, json.loads(response.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.fixture
def price(client: stripe.StripeClient) -> stripe.Price:
    product = client.v1.products.create({"name": "Pro"})
    recurring: Any = {"interval": "month"}
    return client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 2000, "recurring": recurring, "lookup_key": "pro"}
    )


@pytest.fixture
def customer(client: stripe.StripeClient) -> stripe.Customer:
    return client.v1.customers.create({"email": "alice@example.com", "name": "Alice"})


@pytest.fixture
def checkout(
    client: stripe.StripeClient, price: stripe.Price, customer: stripe.Customer
) -> Callable[..., stripe.checkout.Session]:
    def start(**more: Any) -> stripe.checkout.Session:
        params: Any = {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "http://127.0.0.1/return?session={CHECKOUT_SESSION_ID}",
            "subscription_data": {"metadata": {"attempt": "1"}},
            **more,
        }
        return client.v1.checkout.sessions.create(params)

    return start


@pytest.fixture
def subscribed(client: stripe.StripeClient, control: Control, checkout: Any) -> Callable[..., stripe.Subscription]:
    def buy(token: str = "pm_card_visa", outcome: str | None = "paid", **more: Any) -> stripe.Subscription:
        session = checkout(**more)
        done = control(f"/checkout/{session.id}/complete", {"payment_method": token, "outcome": outcome})
        return client.v1.subscriptions.retrieve(done["session"]["subscription"])

    return buy

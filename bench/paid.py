"""This benchmark measures the time from payment at Checkout to access in the API, at 50 ms for each Stripe call.

    python -m bench.paid

Sandbox, site and queue run as processes. Each buyer registers, starts a Checkout and pays; the sandbox posts the events
to the door as they happen, and the buyer asks /api/v1/subscriptions/current until it grants access.
"""

import http.client
import json
import statistics
import sys
import time
from typing import Any

from bench.postgres import postgres_server
from bench.running import HTTPS, SECRET, command, environment, free_port, netloc, new_database, queue, sandbox, site
from bench.sandbox import Server
from bench.table import Row, main

BUYERS, LATENCY_MS = 30, 50
TARGET_MS = 1000


class Buyer:
    """A buyer signs up and buys through the site's API."""

    def __init__(self, base: str, email: str) -> None:
        self.connection = http.client.HTTPConnection(netloc(base), timeout=60)
        self.headers = {**HTTPS, "Content-Type": "application/json"}
        credentials = {"email": email, "password": "correct-horse-battery"}
        self.ask("POST", "accounts/register", credentials)
        self.headers["Authorization"] = f"Token {self.ask('POST', 'accounts/token', credentials)['token']}"

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        self.connection.request(method, f"/api/v1/{path}", json.dumps(body) if body else None, self.headers)
        answer = self.connection.getresponse()
        given = json.loads(answer.read())
        if answer.status >= 400:
            raise SystemExit(f"{path} answered {answer.status}: {given}")
        return given

    def milliseconds_to_access(self, stripe: Server) -> float:
        checkout = {"plan": "pro", "interval": "month"}
        session = self.ask("POST", "subscriptions/checkout", checkout)["session_id"]
        stripe.control(f"checkout/{session}/complete", payment_method="pm_card_visa")
        paid = time.perf_counter()
        while not self.ask("GET", "subscriptions/current")["has_access"]:
            if time.perf_counter() > paid + 30:
                raise SystemExit("paid, and no access after 30 s")
            time.sleep(0.01)
        return (time.perf_counter() - paid) * 1000


def rows() -> list[Row]:
    port = free_port()
    door = f"http://127.0.0.1:{port}/api/v1/webhooks/stripe"
    with postgres_server() as url, sandbox("--forward", door, "--webhook-secret", SECRET) as stripe:
        env = environment(new_database(url, "ours"), stripe)
        command(env, "setup")
        command(env, "setup_stripe", "--yes")
        stripe.control("faults", api={"latency_ms": LATENCY_MS})
        with site(env, port=port) as (base, _), queue(env):
            Buyer(base, "first@example.com").milliseconds_to_access(stripe)
            took = [Buyer(base, f"b{number}@example.com").milliseconds_to_access(stripe) for number in range(BUYERS)]
    p95 = statistics.quantiles(took, n=20)[18]
    return [
        Row(
            f"paid at Checkout → access through the API, p95 of {BUYERS}",
            "–",
            f"{p95:.0f} ms",
            "",
            f"< {TARGET_MS} ms",
            p95 < TARGET_MS,
        ),
        Row("the same, median", "–", f"{statistics.median(took):.0f} ms"),
    ]


if __name__ == "__main__":
    sys.exit(main(rows))

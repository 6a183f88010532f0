"""This module runs dj-stripe as it comes: its webhook view in two gunicorn processes, given customers' stories."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bench import story
from bench.posting import Poster
from bench.running import SECRET, command, connect, environment, new_database, site
from bench.sandbox import Server

UUID = "5d5a4a39-6c2b-4a0d-9e6b-0d4b5c1f3a77"
ENDPOINT = """
INSERT INTO djstripe_webhookendpoint (id, djstripe_uuid, secret, livemode, enabled_events, status, url, api_version,
    application, djstripe_tolerance, djstripe_validation_method, stripe_data, djstripe_created, djstripe_updated)
VALUES ('we_1', %s, %s, false, '["*"]', 'enabled', 'https://billing.example.com/stripe/', '', '', 300,
    'verify_signature', '{}', now(), now())
"""


@contextmanager
def djstripe(url: str, stripe: Server) -> Iterator[tuple[str, int]]:
    """Run the server; yield its address and pid."""
    env = environment(new_database(url, "stock"), stripe, "bench.stock")
    command(env, "migrate", "--run-syncdb")
    with connect(env["DATABASE_URL"]) as database:
        database.execute(ENDPOINT, [UUID, SECRET])
    with site(env, "django.core.wsgi:get_wsgi_application()") as running:
        yield running


def publish(stripe: Server) -> str:
    """Make a price; return its id."""
    product = stripe.post("/v1/products", name="Pro")["id"]
    recurring = {"currency": "usd", "unit_amount": 2000, "recurring[interval]": "month"}
    price: str = stripe.post("/v1/prices", product=product, **recurring)["id"]
    return price


def post(base: str, stories: list[list[story.Event]], threads: int) -> None:
    """Post each customer's events in order from one thread, since concurrent ones deadlock on a new customer."""
    poster = Poster(base)

    def tell(told: list[story.Event]) -> None:
        for event in told:
            poster.post(f"/stripe/webhook/{UUID}/", json.dumps(event).encode())

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(tell, stories))

"""What the story tests act on: a sandbox over real HTTP, subscribers of ours, and events delivered as a test likes."""

import json
import random
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from unittest import mock
from urllib.request import Request, urlopen

from django.contrib.auth import get_user_model
from django.dispatch import Signal

from billing import access, plan_source, publishing, signals, stripe_client, testing
from billing.conf import conf
from billing.lifecycle.checkout import start
from billing.models import Customer, Payment, StripeEvent, Subscription
from billing.stripe_client import HttpClient

SECONDS_A_DAY = 86_400
SIGNALS = {name: value for name, value in vars(signals).items() if isinstance(value, Signal)}


def now():
    """BILLING_CLOCK of the tests: the sandbox's time, without a half second's delay."""
    with urlopen(f"{conf.api_base}/_sandbox/", timeout=5) as answer:
        return datetime.fromtimestamp(json.load(answer)["now"], UTC)


@dataclass
class Subscriber:
    user: object
    customer: str
    subscription: str = ""
    said: list = field(default_factory=list)

    @property
    def row(self):
        return Subscription.objects.select_related("plan", "customer").get(customer=self.customer)

    @property
    def access(self):
        return access.of(self.user)

    @property
    def last_payment(self):
        return Payment.objects.filter(customer=self.customer).latest("paid_at")


class World:
    def __init__(self, url):
        self.url = url
        self.delivered = set()
        self.heard = []
        self.control("reset", seed=1)
        plan_source.bring_in_line()
        publishing.publish()
        for name, signal in SIGNALS.items():
            signal.connect(self._listener(name), dispatch_uid="world", weak=False)

    def _listener(self, name):
        def hear(sender, subscription, **details):
            self.heard.append((name, subscription.customer_id if subscription else ""))

        return hear

    def forget(self):
        for signal in SIGNALS.values():
            signal.disconnect(dispatch_uid="world")

    def said(self, subscriber):
        """Names of the signals about a subscriber, in order."""
        return [name for name, customer in self.heard if customer == subscriber.customer]

    # Stripe and its cardholders

    def control(self, path, **body):
        request = Request(
            f"{self.url}/_sandbox/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def advance(self, days=0.0, hours=0.0):
        self.control("advance", seconds=int(days * SECONDS_A_DAY + hours * 3600))

    def stripe(self, method, path, **params):
        if method == "GET":
            return stripe_client.get(f"/v1/{path}", **params)
        call = stripe_client.delete if method == "DELETE" else stripe_client.post
        return call(f"/v1/{path}", idempotency_key=f"test-{random.random()}", **params)

    def calls(self):
        with urlopen(f"{self.url}/_sandbox/calls", timeout=5) as answer:
            return json.load(answer)

    @contextmanager
    def writes_failing(self):
        """Stripe answers reads, and 503 to every write of ours."""
        send = HttpClient.send

        def refuse_writes(client, method, url, request, post_data=None):
            return send(client, method, url, request) if method.lower() == "get" else (b"{}", 503, {})

        with mock.patch.object(HttpClient, "send", refuse_writes):
            yield

    # Subscribers

    def sign_up(self, email="ada@example.com"):
        return get_user_model().objects.create_user(email, "correct-horse-battery")

    def subscribe(self, plan="pro", interval="month", card="pm_card_visa", email="ada@example.com", user=None):
        """Sign up and pay at Checkout; nothing of it is delivered yet."""
        user = user or self.sign_up(email)
        attempt = start(user, plan, interval)
        self.control(f"checkout/{attempt.session_id}/complete", payment_method=card)
        session = self.stripe("GET", f"checkout/sessions/{attempt.session_id}")
        return Subscriber(user, session["customer"], session["subscription"])

    def subscribed(self, *args, **kwargs):
        """`subscribe`, and all events delivered and applied."""
        subscriber = self.subscribe(*args, **kwargs)
        self.deliver()
        self.heard.clear()
        return subscriber

    def subscribe_again(self, subscriber, price):
        """A second subscription of the same customer, made behind our back and paid with the same card."""
        card = self.stripe("GET", f"subscriptions/{subscriber.subscription}")["default_payment_method"]
        made = self.stripe(
            "POST", "subscriptions", customer=subscriber.customer, items=[{"price": price}], default_payment_method=card
        )
        assert made["status"] == "active"
        return made["id"]

    def change_card(self, subscriber, card):
        method = self.stripe("POST", f"payment_methods/{card}/attach", customer=subscriber.customer)["id"]
        self.stripe("POST", f"subscriptions/{subscriber.subscription}", default_payment_method=method)

    def charge_of(self, subscriber):
        charges = self.stripe("GET", "charges", customer=subscriber.customer)["data"]
        return next(charge for charge in charges if charge["paid"])

    def open_invoice(self, subscriber):
        return self.stripe("GET", "invoices", subscription=subscriber.subscription, status="open")["data"][0]["id"]

    # Deliveries

    def events(self):
        """Events Stripe made and nobody delivered yet, oldest first."""
        found, page = [], {"has_more": True, "data": []}
        while page["has_more"]:
            after = {"starting_after": page["data"][-1]["id"]} if page["data"] else {}
            page = self.stripe("GET", "events", limit=100, **after)
            found += page["data"]
        return [event for event in reversed(found) if event["id"] not in self.delivered]

    def deliver(self, events=None, *, work=True):
        """Post events to the door with real signatures, in the order given (Stripe's by default), and work them off."""
        for event in self.events() if events is None else events:
            answer = testing.deliver(event)
            assert answer.status_code == 200, answer.content
            self.delivered.add(event["id"])
        if work:
            testing.work()
            assert_all_processed()


def assert_all_processed():
    left = StripeEvent.objects.exclude(status__in=["processed", "ignored"]).values_list(
        "type", "status", "error_message"
    )
    assert not left, list(left)


def customer_row(subscriber):
    return Customer.objects.get(pk=subscriber.customer)

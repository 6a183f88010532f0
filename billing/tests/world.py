"""The story tests act on this world: the kit's sandbox, subscribers of ours, and the signals that were heard."""

from contextlib import contextmanager
from unittest import mock

from django.contrib.auth import get_user_model
from django.dispatch import Signal

from billing import signals
from billing.models import Customer
from billing.stripe_client.http_client import HttpClient
from billing.testing import Stripe, Subscribed

SIGNALS = {name: value for name, value in vars(signals).items() if isinstance(value, Signal)}


class Subscriber(Subscribed):
    @property
    def user(self):
        return self.subscriber


class World(Stripe):
    stripe = Stripe.api

    def __init__(self, sandbox):
        super().__init__(sandbox)
        self.heard = []
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
        made = super().subscribe(user or self.sign_up(email), plan, interval, card)
        return Subscriber(made.subscriber, made.customer, made.subscription)

    def subscribed(self, *args, **kwargs):
        """`subscribe`, and all events delivered and applied."""
        subscriber = self.subscribe(*args, **kwargs)
        self.deliver()
        self.heard.clear()
        return subscriber

    def buy_twice(self, subscriber, price):
        """A second subscription as our own Checkout would make it, had it sold both at the same time."""
        return self.subscribe_again(subscriber, price, metadata={"billing_attempt": "another"})

    def subscribe_again(self, subscriber, price, **params):
        """A second subscription of the same customer, made behind our back, later, and paid with the same card."""
        self.control("advance", seconds=1)
        card = self.stripe("GET", f"subscriptions/{subscriber.subscription}")["default_payment_method"]
        made = self.stripe(
            "POST", "subscriptions", customer=subscriber.customer, items=[{"price": price}],
            default_payment_method=card, **params,
        )  # fmt: skip
        assert made["status"] == "active"
        return made["id"]


def customer_row(subscriber):
    return Customer.objects.get(pk=subscriber.customer)

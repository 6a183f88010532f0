"""One subscriber's story, told twice: to the sandbox, and to a real Stripe test account where settings name one.

    STRIPE_SECRET_KEY=sk_test_… python -m pytest -m stripe_live      (docs/sandbox.md tells more)

The account's time is moved by a test clock, its cards are Stripe's test payment methods, and its events, which no one
can deliver to a test, are read from the API and posted to the door as they are.
"""

import json
import time
import uuid
from datetime import UTC, datetime
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from django.conf import settings as configured
from django.contrib.auth import get_user_model

from billing import access, stripe_client, testing
from billing.cadence import Cadence
from billing.catalogue import definitions, lookup_key
from billing.models import Customer, Payment, PaymentFailure
from billing.setup import publishing
from billing.testing import assert_all_processed

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = 3600, 86_400
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# Read while settings are what the environment made of them: tests of the sandbox change them.
REAL_BASE = configured.STRIPE_API_BASE
IS_REAL = urlsplit(REAL_BASE).hostname not in LOOPBACK and "_test_" in configured.STRIPE_SECRET_KEY
PATIENCE = 180


class SandboxTime:
    """The sandbox's one clock, moved by its control plane."""

    def __init__(self, url):
        self.url = url
        self._control("reset", seed=1)

    def _control(self, path, **body):
        sent = Request(f"{self.url}/_sandbox/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urlopen(sent, timeout=30) as answer:
            return json.load(answer)

    def of_customer(self):
        return {}

    def now(self):
        with urlopen(f"{self.url}/_sandbox/", timeout=5) as answer:
            return json.load(answer)["now"]

    def move_to(self, instant):
        self._control("advance", to=instant)

    def forget(self):
        """The next test empties the sandbox."""


class TestClock:
    """A test clock of Stripe's; its customers live by it."""

    __test__ = False

    def __init__(self):
        self.run = uuid.uuid4().hex
        self.made = self._post("", frozen_time=int(time.time()), name="end to end")

    def _post(self, path, **params):
        key = f"e2e:{self.run}:clock{path}:{params['frozen_time']}"
        return stripe_client.post(f"/v1/test_helpers/test_clocks{path}", idempotency_key=key, **params)

    def _read(self):
        return stripe_client.get(f"/v1/test_helpers/test_clocks/{self.made['id']}")

    def of_customer(self):
        return {"test_clock": self.made["id"]}

    def now(self):
        return self._read()["frozen_time"]

    def move_to(self, instant):
        self._post(f"/{self.made['id']}/advance", frozen_time=instant)
        end = time.monotonic() + PATIENCE
        while self._read()["status"] != "ready":
            assert time.monotonic() < end, "the test clock is still advancing"
            time.sleep(1)

    def forget(self):
        """Deletes its customers with it."""
        path = f"/v1/test_helpers/test_clocks/{self.made['id']}"
        stripe_client.delete(path, idempotency_key=f"e2e:{self.run}:delete")


class Account:
    """A Stripe account, a user of ours who is a customer there, and their events on the way to our door."""

    def __init__(self, clock):
        self.clock, self.run, self.delivered, self.writes = clock, uuid.uuid4().hex, set(), 0
        definitions.update_plans()
        publishing.publish()
        self.user = get_user_model().objects.create_user("ada@example.com", "correct-horse-battery")
        self.customer = self.post("customers", email="ada@example.com", **clock.of_customer())["id"]
        Customer.objects.create(id=self.customer, subscriber=self.user, email="ada@example.com")

    def get(self, path, **params):
        return stripe_client.get(f"/v1/{path}", **params)

    def post(self, path, **params):
        self.writes += 1
        return stripe_client.post(f"/v1/{path}", idempotency_key=f"e2e:{self.run}:{self.writes}", **params)

    def save_card(self, token):
        method = self.post(f"payment_methods/{token}/attach", customer=self.customer)["id"]
        self.post(f"customers/{self.customer}", invoice_settings={"default_payment_method": method})

    def subscribe(self, plan, interval):
        price = self.get("prices", lookup_keys=[lookup_key(plan, Cadence(interval))])["data"][0]["id"]
        return self.post("subscriptions", customer=self.customer, items=[{"price": price}])["id"]

    def renew(self, subscription):
        """Advance to the end of the period, and past the hour until the invoice is charged."""
        sub = self.get(f"subscriptions/{subscription}")
        self.clock.move_to(sub["items"]["data"][0]["current_period_end"] + 2 * HOUR)
        self.deliver()

    def deliver(self):
        """Deliver Stripe's events of our customer, oldest first, through the signed door and all the way."""
        page, found = {"has_more": True, "data": []}, []
        while page["has_more"]:
            after = {"starting_after": page["data"][-1]["id"]} if page["data"] else {}
            page = self.get("events", limit=100, **after)
            found += page["data"]
            if any(event["id"] in self.delivered for event in page["data"]):
                break
        for event in reversed(found):
            if event["id"] not in self.delivered and self._is_ours(event):
                self.delivered.add(event["id"])
                assert testing.deliver(event).status_code == 200
        testing.work()
        assert_all_processed()

    def _is_ours(self, event):
        told = event["data"]["object"]
        return self.customer in (told.get("customer"), told.get("id"))

    @property
    def access(self):
        return access.of(self.user)


IN_USE: dict = {}


def now():
    """BILLING_CLOCK of these tests: our rules go by the account's time."""
    return datetime.fromtimestamp(IN_USE["clock"].now(), UTC)


@pytest.fixture(params=["sandbox", "sandbox by test clock", pytest.param("stripe", marks=pytest.mark.stripe_live)])
def account(request, db, settings):
    if request.param == "stripe" and not IS_REAL:
        pytest.skip("settings name no Stripe test account: set STRIPE_SECRET_KEY")
    clock = None
    if request.param != "stripe":
        settings.STRIPE_API_BASE = request.getfixturevalue("billing_sandbox").url
        clock = SandboxTime(settings.STRIPE_API_BASE)
    if request.param != "sandbox":
        clock = TestClock()
    IN_USE["clock"] = clock
    settings.BILLING_CLOCK = "billing.tests.events.test_end_to_end.now"
    yield Account(clock)
    clock.forget()


def test_a_subscriber_pays_renews_fails_recovers_and_leaves(account):
    account.save_card("pm_card_visa")
    subscription = account.subscribe("pro", "month")
    account.deliver()
    assert (account.access.reason, Payment.objects.count()) == ("active", 1)

    account.renew(subscription)
    assert (account.access.reason, Payment.objects.count()) == ("active", 2)

    account.save_card("pm_card_chargeCustomerFail")
    account.renew(subscription)
    assert (account.access.has_access, account.access.reason) == (True, "grace")
    assert PaymentFailure.objects.count() == 1
    account.clock.move_to(account.clock.now() + 3 * DAY + HOUR)
    assert account.access.reason == "grace_over"

    account.save_card("pm_card_visa")
    invoice = account.get("invoices", subscription=subscription, status="open")["data"][0]["id"]
    account.post(f"invoices/{invoice}/pay")
    account.deliver()
    assert (account.access.reason, Payment.objects.count()) == ("active", 3)

    account.post(f"subscriptions/{subscription}", cancel_at_period_end=True)
    account.deliver()
    assert account.access.has_access
    account.renew(subscription)
    assert (account.access.has_access, account.access.reason) == (False, "canceled")

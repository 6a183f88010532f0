"""A test sells to a sandbox, lets time pass, refuses cards, and delivers its events as it likes."""

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from django.test import Client

from billing import stripe_client
from billing.cadence import Cadence
from billing.conf import conf
from billing.events import CATALOGUE
from billing.lifecycle import checkout
from stripe_sandbox import Sandbox
from stripe_sandbox.http.messages import Request

from . import catalogue, events
from .memory import forget_stripe
from .subscribed import Subscribed

SECONDS_A_DAY = 86_400
BERLIN = {"line1": "Torstr. 1", "city": "Berlin", "country": "DE", "postal_code": "10115"}
Event = dict[str, Any]


class Stripe:
    """This is the sandbox of a test. Billing knows nothing that happens there until `deliver`.

    `control` is all of its control plane (docs/sandbox.md) and `api` all of Stripe's API; the rest are short ways.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.delivered: set[str] = set()
        self.put_up_for_sale = self._events_of_prices()

    @property
    def url(self) -> str:
        return self.sandbox.url

    def reset(self, seed: int = 1) -> None:
        """Empty Stripe and put the plans of this database up for sale; ids are the same for the same seed. Of that no
        event waits.
        """
        catalogue.set_up(self.sandbox, seed)
        self.delivered.clear()
        self.put_up_for_sale = self._events_of_prices()

    def _events_of_prices(self) -> set[str]:
        """Return the events of prices that are for sale already: this database has them, and needs no event."""
        with self.sandbox.lock:
            rows = self.sandbox.state.table("event").rows.values()
            return {row["id"] for row in rows if row["type"] in CATALOGUE}

    # Asking

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        """Call the control plane: `control("disputes", charge="ch_…")`. Raises ValueError with the sandbox's words
        when it refuses.
        """
        return self._ask("POST", path, json.dumps(body).encode())

    def calls(self) -> dict[str, Any]:
        """Return all calls of the API since `reset`: `total`, and `data` with method, path and count."""
        return self._ask("GET", "calls")

    def api(self, method: str, path: str, **params: Any) -> dict[str, Any]:
        """Ask Stripe's API as `billing` does: `api("GET", "charges", customer="cus_…")`."""
        if method == "GET":
            return stripe_client.get(f"/v1/{path}", **params)
        call = stripe_client.delete if method == "DELETE" else stripe_client.post
        return call(f"/v1/{path}", idempotency_key=f"test-{uuid4()}", **params)

    def _ask(self, method: str, path: str, body: bytes = b"") -> dict[str, Any]:
        response = self.sandbox.handle(Request(method, f"/_sandbox/{path}", body=body))
        assert response is not None
        answer: dict[str, Any] = json.loads(response.body)
        if response.status != 200:
            raise ValueError(answer["error"]["message"])
        return answer

    # Time, and Stripe's own trouble

    def advance(self, days: float = 0, hours: float = 0) -> None:
        """Let time pass, for the sandbox and for the rules: renewals, retries, trials' and grace periods' ends."""
        self.control("advance", seconds=int(days * SECONDS_A_DAY + hours * 3600))

    @contextmanager
    def down(self, status: int = 503) -> Iterator[None]:
        """Let Stripe answer every call with `status` and apply none; afterwards billing remembers nothing of the
        outage.
        """
        self.control("faults", api={"fail_next": 1_000_000, "status": status})
        try:
            yield
        finally:
            self.control("faults")
            forget_stripe()

    # Subscribers

    def subscribe(
        self,
        subscriber: Any,
        plan: str,
        interval: str = "month",
        card: str = "pm_card_visa",
        currency: str = "",
        **entered: Any,
    ) -> Subscribed:
        """Go to Checkout and pay there with that card; `subscriber` is one of BILLING_SUBSCRIBER_MODEL, and `interval`
        is spelled as in BILLING_PLANS: `month`, `3 month`. Without a card ("") a trial begins that asks for none.

        `entered` is what the buyer fills in, such as `address` and `tax_id`; where BILLING_TAX needs an address, one in
        Berlin by default.
        """
        cadence = Cadence.parse(interval)
        attempt = checkout.start(subscriber, plan, cadence.interval, currency, cadence.count)
        if conf.tax.get("automatic") or conf.tax.get("tax_ids"):
            entered = {"address": BERLIN, **entered}
        self.control(f"checkout/{attempt.session_id}/complete", **({"payment_method": card} if card else {}), **entered)
        session = self.api("GET", f"checkout/sessions/{attempt.session_id}")
        return Subscribed(subscriber, session["customer"], session["subscription"] or "")

    def change_card(self, subscribed: Subscribed, card: str) -> None:
        """Change the card that is charged from now on: `pm_card_chargeCustomerFail` declines,
        `pm_card_authenticationRequired` waits for 3D Secure each time; docs/sandbox.md lists them all.
        """
        method = self.api("POST", f"payment_methods/{card}/attach", customer=subscribed.customer)["id"]
        self.api("POST", f"subscriptions/{subscribed.subscription}", default_payment_method=method)

    def open_invoice(self, subscribed: Subscribed) -> str:
        """Return the id of the newest invoice that waits to be paid."""
        found = self.api("GET", "invoices", subscription=subscribed.subscription, status="open")["data"]
        return str(found[0]["id"])

    def pay(self, subscribed: Subscribed, card: str = "pm_card_visa") -> None:
        """Pay the open invoice on its hosted page."""
        self.control(f"invoices/{self.open_invoice(subscribed)}/pay", payment_method=card)

    def charge_of(self, subscribed: Subscribed) -> dict[str, Any]:
        """Return the newest charge that went through."""
        charges = self.api("GET", "charges", customer=subscribed.customer)["data"]
        found: dict[str, Any] = next(charge for charge in charges if charge["paid"])
        return found

    def refund(self, subscribed: Subscribed, amount: int | None = None) -> str:
        """Refund the newest charge, or so many minor units of it; return the refund's id."""
        part = {} if amount is None else {"amount": amount}
        return str(self.api("POST", "refunds", charge=self.charge_of(subscribed)["id"], **part)["id"])

    def dispute(self, subscribed: Subscribed, reason: str = "fraudulent", *, inquiry: bool = False) -> str:
        """Let the cardholder dispute the newest charge; return the dispute's id."""
        charge = self.charge_of(subscribed)["id"]
        return str(self.control("disputes", charge=charge, reason=reason, inquiry=inquiry)["id"])

    def close_dispute(self, dispute: str, status: str) -> None:
        """Close a dispute as `won` or `lost`, or an inquiry as `warning_closed`."""
        self.control(f"disputes/{dispute}", status=status)

    # Deliveries

    def events(self, *types: str) -> list[Event]:
        """Return the events that nobody has delivered yet, oldest first; only those of these types, if types are
        named.
        """
        waiting = self.sandbox.events(but=self.delivered | self.put_up_for_sale)
        return [event for event in waiting if not types or event["type"] in types]

    def deliver(
        self, events_: Sequence[Event] | None = None, *, scramble: bool = False, seed: int = 1, work: bool = True
    ) -> None:
        """Post events to the door with real signatures, in the order given (Stripe's by default), and work them off.

        `scramble`: each of them twice, in an order drawn by `seed`. Raises AssertionError where the door refuses one,
        and where one fails, for example in a receiver of yours: with what it raised.
        """
        chosen = self.events() if events_ is None else list(events_)
        if scramble:
            chosen = random.Random(seed).sample(chosen * 2, len(chosen) * 2)
        client = Client()
        for event in chosen:
            answer = events.deliver(event, client)
            if answer.status_code != 200:
                raise AssertionError(f"{event['type']} was answered {answer.status_code}: {answer.content.decode()}")
            self.delivered.add(event["id"])
        if work:
            events.work()
            events.assert_all_processed()

"""The demo's story acts on two things: the site, as a subscriber uses it, and the sandbox, as Stripe and cardholders
do."""

import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from django.conf import settings
from django.db.models import F

from accounts import tokens
from accounts.models import User
from billing.models import Lane, StripeEvent
from billing.sync import AnotherRuns, runs
from notifications.models import Mail

MOVES_WITHIN_SECONDS = 30
PASSWORD = "correct-horse-battery"  # noqa: S105  of the demo's made-up people


class StepError(Exception):
    """A step had the wrong outcome, or a call was refused."""


@dataclass
class Person:
    """A person has signed up through the API; this records what the story has seen of them so far."""

    email: str
    token: str
    customer: str = ""
    subscription: str = ""
    seen_mails: set[str] = field(default_factory=set)


class Stage:
    def __init__(self, site: str, sandbox: str) -> None:
        self.site, self.sandbox = site, sandbox
        self.seen_events: set[str] = set()
        self.has_logged_in = False

    # As a subscriber

    def sign_up(self, email: str) -> Person:
        """Register by API. The first person logs in by API too; a password is slow to check on purpose, so the others'
        tokens are issued here."""
        person = {"email": email, "password": PASSWORD}
        self.api("POST", "/accounts/register", person)
        if self.has_logged_in:
            return Person(email, tokens.issue(User.objects.get(email=email), tokens.NAME_BY_API))
        self.has_logged_in = True
        return Person(email, self.api("POST", "/accounts/token", person)["token"])

    def buy(self, person: Person, plan: str, card: str = "pm_card_visa", **wanted: Any) -> None:
        """Buy a plan through Checkout: start on the site, pay on Stripe's page. Without a card a trial begins."""
        asked = {"plan": plan, "interval": "month", **wanted}
        session = self.api("POST", "/subscriptions/checkout", asked, person)
        paid_with = {"payment_method": card} if card else {}
        self.control(f"checkout/{session['session_id']}/complete", **paid_with)
        paid = self.stripe("GET", f"checkout/sessions/{session['session_id']}")
        person.customer, person.subscription = paid["customer"], paid["subscription"]

    def use(self, person: Person, quantity: int) -> dict[str, Any]:
        return self.api("POST", "/usage/generations", {"quantity": quantity}, person)

    def state(self, person: Person) -> dict[str, Any]:
        return self.api("GET", "/subscriptions/current", None, person)

    # As Stripe

    def change_card(self, person: Person, card: str) -> None:
        method = self.stripe("POST", f"payment_methods/{card}/attach", customer=person.customer)["id"]
        self.stripe("POST", f"subscriptions/{person.subscription}", default_payment_method=method)

    def open_invoice(self, person: Person) -> str:
        found = self.stripe("GET", "invoices", subscription=person.subscription, status="open")["data"]
        return str(found[0]["id"])

    def last_charge(self, person: Person) -> dict[str, Any]:
        charges = self.stripe("GET", "charges", customer=person.customer, limit="10")["data"]
        charge: dict[str, Any] = next(item for item in charges if item["paid"])
        return charge

    def advance(self, days: float, hours: float = 0) -> None:
        self.control("advance", seconds=int(days * 86_400 + hours * 3_600))

    def advance_past_renewal(self, person: Person) -> None:
        """Move the clock two hours past the period's end. An invoice is a draft for one hour and is then charged."""
        self.advance_to_renewal(person, hours=2)

    def advance_to_renewal(self, person: Person, hours: int) -> None:
        """Move the clock to so many hours after the period's end, before it if they are negative."""
        item = self.stripe("GET", f"subscriptions/{person.subscription}")["items"]["data"][0]
        self.control("advance", to=item["current_period_end"] + hours * 3_600)

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        return _call("POST", f"{self.sandbox}/_sandbox/{path}", json.dumps(body).encode(), "application/json")

    def stripe(self, method: str, path: str, **params: str) -> dict[str, Any]:
        query = urlencode(params)
        url = f"{self.sandbox}/v1/{path}" + (f"?{query}" if query and method == "GET" else "")
        body = query.encode() if method != "GET" else None
        return _call(method, url, body, "application/x-www-form-urlencoded", settings.STRIPE_SECRET_KEY)

    def api(self, method: str, path: str, body: Any, person: Person | None = None) -> dict[str, Any]:
        token = f"Token {person.token}" if person else ""
        data = None if body is None else json.dumps(body).encode()
        return _call(method, f"{self.site}/api/v1{path}", data, "application/json", authorization=token)

    # What came of it

    def wait_until_quiet(self) -> None:
        """Wait until Stripe has delivered all events, no lane has work and every mail is sent. On a slow machine it
        takes its time; the story is over only where nothing moves."""
        before, deadline = None, 0.0
        while before is None or time.monotonic() < deadline:
            left = self._left()
            if not any(left.values()):
                return
            if left != before:
                before, deadline = left, time.monotonic() + MOVES_WITHIN_SECONDS
            time.sleep(0.05)
        raise StepError(f"nothing moved for {MOVES_WITHIN_SECONDS} seconds, and this is left: {before}")

    def _left(self) -> dict[str, int]:
        return {
            "deliveries": self.control("settle", timeout=10)["pending"],
            "lanes": Lane.objects.filter(arrived__gt=F("drained")).count(),
            "events": StripeEvent.objects.filter(status=StripeEvent.Status.RECEIVED).count(),
            "mails": Mail.objects.exclude(status__in=Mail.SETTLED).count(),
        }

    def check(self, is_right: bool, otherwise: str) -> None:
        """Raise StepError with what is wrong, unless all is right."""
        if not is_right:
            raise StepError(otherwise)

    def sync(self) -> None:
        """Run the sync, once the worker's own is done."""
        deadline = time.monotonic() + MOVES_WITHIN_SECONDS
        while True:
            try:
                runs.run(runs.Wanted())
            except AnotherRuns:
                if time.monotonic() > deadline:
                    raise StepError("another sync did not end") from None
                time.sleep(0.2)
            else:
                return

    def new_events(self) -> list[StripeEvent]:
        """Return the events that arrived since the last call."""
        fresh = [event for event in StripeEvent.objects.defer("payload") if event.pk not in self.seen_events]
        self.seen_events.update(event.pk for event in fresh)
        return fresh

    def new_mails(self, person: Person) -> list[str]:
        """Return the kinds of mail sent to `person` since the last call."""
        fresh = Mail.objects.filter(recipient=person.email).exclude(pk__in=person.seen_mails).order_by("created_at")
        kinds = {str(mail.pk): mail for mail in fresh}
        person.seen_mails.update(kinds)
        return [mail.kind for mail in kinds.values() if mail.status == Mail.Status.SENT]


def _call(
    method: str, url: str, body: bytes | None, content_type: str, bearer: str = "", authorization: str = ""
) -> dict[str, Any]:
    headers = {"Content-Type": content_type, "Authorization": authorization or f"Bearer {bearer}"}
    if not bearer and not authorization:
        del headers["Authorization"]
    try:
        with urlopen(Request(url, data=body, headers=headers, method=method), timeout=60) as answer:
            data: dict[str, Any] = json.load(answer)
            return data
    except HTTPError as error:
        raise StepError(
            f"{method} {url} answered {error.code}: {error.read().decode(errors='replace')[:500]}"
        ) from None

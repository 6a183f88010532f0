"""The example objects of each event type come from a small history that is played on a sandbox of its own."""

import copy
import json
import time
from functools import cache
from typing import Any
from urllib.parse import urlencode

from stripe_sandbox import Sandbox
from stripe_sandbox.http.messages import Request

DAY = 86_400
# Stripe's own doing, which the sandbox does not do: they bring the object of another type's event.
SAME_AS = {
    "customer.discount.updated": "customer.discount.created",
    "invoice.finalization_failed": "invoice.created",
    "invoice.will_be_due": "invoice.sent",
    "payment_method.automatically_updated": "payment_method.updated",
    "price.deleted": "price.updated",
}


def example(event_type: str, **fields: Any) -> dict[str, Any]:
    """Return an object that an event of this type brings, with these fields of it replaced: `customer="cus_…"`.

    Raises LookupError for a type of event that the sandbox has no history of: give `event` an object then.
    """
    known = _history()
    if (found := known.get(SAME_AS.get(event_type, event_type))) is None:
        raise LookupError(f"No example is known for {event_type}: give the event its object. Known: {sorted(known)}.")
    return {**copy.deepcopy(found), **fields}


@cache
def _history() -> dict[str, dict[str, Any]]:
    """Return the object of the first event of each type."""
    history = History()
    history.sells()
    history.buys()
    history.leaves_checkout()
    history.pays_later()
    history.tries()
    history.fails_to_pay()
    history.pays_by_invoice()
    history.accepts_a_quote()
    history.asks_for_money_back()
    history.leaves()
    history.remember()
    return history.objects


class History:
    """A few customers of one shop live through half a year that ends today."""

    def __init__(self) -> None:
        self.sandbox = Sandbox(port=0, seed=1, now=int(time.time()) - 180 * DAY)
        self.objects: dict[str, dict[str, Any]] = {}
        product = self.api("POST", "products", name="Pro")["id"]
        self.price = self.api(
            "POST",
            "prices",
            product=product,
            currency="usd",
            unit_amount=2000,
            lookup_key="pro_month",
            **{"recurring[interval]": "month"},
        )["id"]

    # How it is told

    def api(self, method: str, path: str, **params: Any) -> dict[str, Any]:
        query = urlencode(params) if method == "GET" else ""
        return self._ask(Request(method, f"/v1/{path}", query, body=b"" if query else urlencode(params).encode()))

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        return self._ask(Request("POST", f"/_sandbox/{path}", body=json.dumps(body).encode()))

    def _ask(self, request: Request) -> dict[str, Any]:
        request.headers = {"authorization": f"Bearer {self.sandbox.key}"}
        response = self.sandbox.handle(request)
        assert response is not None
        answer: dict[str, Any] = json.loads(response.body)
        assert response.status == 200, f"{request.method} {request.path}: {answer}"
        return answer

    def advance(self, days: int) -> None:
        """Remember the events, which the sandbox keeps for 30 days, and let days pass."""
        self.remember()
        self.control("advance", seconds=days * DAY)

    def remember(self) -> None:
        for event in self.sandbox.events():
            self.objects.setdefault(event["type"], event["data"]["object"])

    def session(self, **params: Any) -> dict[str, Any]:
        customer = self.api("POST", "customers", email="ada@example.com", name="Ada")["id"]
        line = {"line_items[0][price]": self.price, "line_items[0][quantity]": 1}
        where = {"mode": "subscription", "success_url": "https://example.com/return"}
        return self.api("POST", "checkout/sessions", customer=customer, **line, **where, **params)

    def subscription(self, card: str = "pm_card_visa", **params: Any) -> dict[str, Any]:
        session = self.session(**params)
        done = self.control(f"checkout/{session['id']}/complete", payment_method=card)["session"]
        return self.api("GET", f"subscriptions/{done['subscription']}")

    def charge(self, subscription: dict[str, Any]) -> str:
        return str(self.api("GET", "charges", customer=subscription["customer"])["data"][0]["id"])

    def change_card(self, subscription: dict[str, Any], card: str) -> None:
        method = self.api("POST", f"payment_methods/{card}/attach", customer=subscription["customer"])["id"]
        self.api("POST", f"subscriptions/{subscription['id']}", default_payment_method=method)

    # What happens

    def sells(self) -> None:
        """Describe a product and a price anew, and give up another product."""
        product = self.api("GET", f"prices/{self.price}")["product"]
        self.api("POST", f"products/{product}", description="For professionals")
        self.api("POST", f"prices/{self.price}", nickname="Monthly")
        self.api("DELETE", f"products/{self.api('POST', 'products', name='Mug')['id']}")

    def buys(self) -> None:
        made = self.subscription()
        self.api("POST", f"customers/{made['customer']}", name="Ada Lovelace")
        tax_id = self.api("POST", f"customers/{made['customer']}/tax_ids", type="eu_vat", value="DE123456789")["id"]
        card = made["default_payment_method"]
        self.api("POST", f"payment_methods/{card}", **{"card[exp_month]": 12, "card[exp_year]": 2040})
        self.advance(days=1)
        self.advance(days=31)
        self.api("DELETE", f"customers/{made['customer']}/tax_ids/{tax_id}")

    def leaves_checkout(self) -> None:
        self.api("POST", f"checkout/sessions/{self.session()['id']}/expire")

    def pays_later(self) -> None:
        for outcome in ("paid", "declined"):
            session = self.session()["id"]
            self.control(f"checkout/{session}/complete", outcome="processing")
            self.control(f"checkout/{session}/complete", outcome=outcome)

    def tries(self) -> None:
        """End a trial without a card, which pauses the subscription until it has one."""
        self.subscription(card="pm_card_visa", **{"subscription_data[trial_period_days]": 7})
        customer = self.api("POST", "customers", email="eve@example.com")["id"]
        paused = self.api(
            "POST",
            "subscriptions",
            **{"customer": customer, "items[0][price]": self.price, "trial_period_days": 7},
            **{"trial_settings[end_behavior][missing_payment_method]": "pause"},
        )
        self.advance(days=8)
        self.change_card(paused, "pm_card_visa")
        self.api("POST", f"subscriptions/{paused['id']}/resume", billing_cycle_anchor="now")

    def fails_to_pay(self) -> None:
        ends = {"pm_card_chargeCustomerFail": "void", "pm_card_authenticationRequired": "mark_uncollectible"}
        made = {card: self.subscription() for card in ends}
        for card, subscription in made.items():
            self.change_card(subscription, card)
        self.advance(days=32)
        for card, end in ends.items():
            open_ones = self.api("GET", "invoices", subscription=made[card]["id"], status="open")["data"]
            self.api("POST", f"invoices/{open_ones[0]['id']}/{end}")

    def pays_by_invoice(self) -> None:
        """Send an invoice to a customer with a discount, who lets it become overdue."""
        coupon = self.api("POST", "coupons", percent_off=10, duration="forever")["id"]
        customer = self.api("POST", "customers", email="bob@example.com")["id"]
        self.control(f"customers/{customer}/discount", coupon=coupon)
        for _ in range(2):
            item = self.api("POST", "invoiceitems", customer=customer, amount=500, currency="usd")["id"]
        self.api("DELETE", f"invoiceitems/{item}")
        terms = {"collection_method": "send_invoice", "days_until_due": 7, "pending_invoice_items_behavior": "include"}
        invoice = self.api("POST", "invoices", customer=customer, **terms)["id"]
        self.api("POST", f"invoices/{invoice}/send")
        self.api("DELETE", f"customers/{customer}/discount")
        self.advance(days=8)

    def accepts_a_quote(self) -> None:
        customer = self.api("POST", "customers", email="cid@example.com")["id"]
        line = {"line_items[0][price]": self.price, "line_items[0][quantity]": 1}
        terms = {"collection_method": "send_invoice", "invoice_settings[days_until_due]": 30}
        quote = self.api("POST", "quotes", customer=customer, **line, **terms)["id"]
        self.api("POST", f"quotes/{quote}/finalize")
        self.api("POST", f"quotes/{quote}/accept")

    def asks_for_money_back(self) -> None:
        refund = self.api("POST", "refunds", charge=self.charge(self.subscription()))["id"]
        self.control(f"refunds/{refund}/fail")
        charge = self.charge(self.subscription())
        dispute = self.control("disputes", charge=charge)["id"]
        for status in ("under_review", "won"):
            self.control(f"disputes/{dispute}", status=status)
        self.control("fraud_warnings", charge=charge)

    def leaves(self) -> None:
        made = self.subscription()
        self.api("POST", f"subscriptions/{made['id']}", cancel_at_period_end="true")
        self.api("DELETE", f"subscriptions/{made['id']}")
        self.api("DELETE", f"customers/{made['customer']}")

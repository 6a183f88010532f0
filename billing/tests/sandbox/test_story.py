"""Long random histories: every object and event keeps the SDK's shape, and the books balance."""

import random
from typing import Any
from urllib.parse import urlencode

import pytest

from billing.sandbox import Sandbox
from billing.sandbox.events import shown
from billing.sandbox.invoicing import subscription_id

from .conftest import ask
from .test_api import raw

CARDS = ["visa", "visa", "visa", "chargeCustomerFail", "authenticationRequired", "createDispute", "refundFail"]
STEPS = 60


class Story:
    """One person's doings by the control plane and the raw API, whatever comes of them."""

    def __init__(self, sandbox: Sandbox, prices: list[str], seed: int) -> None:
        self.sandbox, self.prices = sandbox, prices
        self.chance = random.Random(seed)

    def control(self, path: str, **body: Any) -> dict[str, Any]:
        status, answer = ask(f"{self.sandbox.url}/_sandbox/{path}", body)
        assert status < 500, answer
        return answer

    def post(self, path: str, **params: Any) -> dict[str, Any]:
        """Refusals are part of a story; failures are not."""
        status, answer = self.call("post", path, params)
        assert status < 500, answer
        return answer

    def call(self, method: str, path: str, params: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        status, answer, _ = raw(self.sandbox, method.upper(), f"/v1/{path}", urlencode(params))
        return status, answer

    def any_of(self, kind: str) -> str | None:
        rows = list(self.sandbox.state.table(kind).rows)
        return self.chance.choice(rows) if rows else None

    def buy(self) -> None:
        person = self.post("customers", email="a@example.com")["id"]
        more = {"subscription_data[trial_period_days]": "7"} if self.chance.random() < 0.3 else {}
        params = {"line_items[0][price]": self.chance.choice(self.prices), "line_items[0][quantity]": "1"}
        common = {"mode": "subscription", "customer": person, "success_url": "http://127.0.0.1/"}
        session = self.post("checkout/sessions", **common, **params, **more)
        card = f"pm_card_{self.chance.choice(CARDS)}"
        self.control(
            f"checkout/{session['id']}/complete", payment_method=card, outcome=self.chance.choice(["paid", None])
        )

    def pass_time(self) -> None:
        self.control("advance", seconds=self.chance.choice([3600, 86400, 8 * 86400, 32 * 86400]))

    def change_plan(self) -> None:
        sub = self.any_of("subscription")
        if sub:
            item = self.sandbox.state.get("subscription", sub)["items"]["data"][0]["id"]
            behaviour = self.chance.choice(["always_invoice", "create_prorations", "none"])
            paying = self.chance.choice(["allow_incomplete", "error_if_incomplete", "pending_if_incomplete"])
            params = {"items[0][id]": item, "items[0][price]": self.chance.choice(self.prices)}
            self.post(f"subscriptions/{sub}", proration_behavior=behaviour, payment_behavior=paying, **params)

    def change_card(self) -> None:
        sub = self.any_of("subscription")
        if sub:
            customer = self.sandbox.state.get("subscription", sub)["customer"]
            method = self.post(f"payment_methods/pm_card_{self.chance.choice(CARDS)}/attach", customer=customer)
            if "id" in method:
                self.post(f"subscriptions/{sub}", default_payment_method=method["id"])

    def cancel(self) -> None:
        sub = self.any_of("subscription")
        if sub and self.chance.random() < 0.3:
            self.call("DELETE", f"subscriptions/{sub}", {"prorate": "true"})
        elif sub:
            self.post(f"subscriptions/{sub}", cancel_at_period_end=self.chance.choice(["true", "false"]))

    def pay(self) -> None:
        invoice = self.any_of("invoice")
        if invoice and self.chance.random() < 0.5:
            self.post(f"invoices/{invoice}/pay")
        elif invoice:
            self.control(f"invoices/{invoice}/pay", outcome="authenticated")

    def refund(self) -> None:
        charge = self.any_of("charge")
        if charge:
            self.post("refunds", charge=charge, amount=str(self.chance.choice([100, 500, 2000])))

    def dispute(self) -> None:
        charge = self.any_of("charge")
        if charge:
            self.control("disputes", charge=charge, inquiry=self.chance.random() < 0.3)
        dispute = self.any_of("dispute")
        if dispute:
            self.control(f"disputes/{dispute}", status=self.chance.choice(["won", "lost", "warning_closed"]))

    def leave(self) -> None:
        customer = self.any_of("customer")
        if customer and self.chance.random() < 0.2:
            self.call("DELETE", f"customers/{customer}", {})

    def tell(self) -> None:
        doings = [self.buy, self.buy, self.pass_time, self.pass_time, self.change_plan, self.change_card, self.cancel]
        doings += [self.pay, self.refund, self.dispute, self.leave]
        for _ in range(STEPS):
            self.chance.choice(doings)()


@pytest.mark.parametrize("seed", range(6))
def test_a_random_history_keeps_every_shape_and_balances(sandbox: Sandbox, client: Any, price: Any, seed: int) -> None:
    yearly: Any = {"product": price.product, "currency": "usd", "unit_amount": 20000, "recurring": {"interval": "year"}}
    team: Any = {**yearly, "unit_amount": 4900, "recurring": {"interval": "month"}}
    prices = [price.id, client.v1.prices.create(yearly).id, client.v1.prices.create(team).id]
    Story(sandbox, prices, seed).tell()
    state = sandbox.state
    for invoice in state.table("invoice").rows.values():
        assert invoice["subtotal"] == sum(line["amount"] for line in invoice["lines"]["data"])
        off = sum(part["amount"] for line in invoice["lines"]["data"] for part in line["discount_amounts"])
        assert off == sum(entry["amount"] for entry in invoice["total_discount_amounts"])
        assert invoice["total"] == invoice["subtotal"] - off
        assert invoice["amount_due"] == invoice["amount_paid"] + invoice["amount_remaining"]
        assert subscription_id(invoice) in state.table("subscription").rows
        if invoice["status"] == "paid" and invoice["amount_paid"]:
            payments = state.table("invoice_payment").where("invoice", invoice["id"])
            assert [payment["status"] for payment in payments] == ["paid"]
    for charge in state.table("charge").rows.values():
        made = [row for row in state.table("refund").where("charge", charge["id"]) if row["status"] == "succeeded"]
        assert charge["amount_refunded"] == sum(row["amount"] for row in made)
    _no_way_out_of_an_end(sandbox)


def _no_way_out_of_an_end(sandbox: Sandbox) -> None:
    over: set[str] = set()
    for row in sandbox.state.table("event").rows.values():
        sub = shown(row)["data"]["object"]
        if sub.get("object") == "subscription":
            assert sub["id"] not in over or sub["status"] in ("canceled", "incomplete_expired")
            over |= {sub["id"]} if sub["status"] in ("canceled", "incomplete_expired") else set()

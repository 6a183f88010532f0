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

    def schedule(self) -> None:
        sub = self.any_of("subscription")
        made = self.post("subscription_schedules", from_subscription=sub) if sub else {}
        if "id" not in made:
            return
        now = made["phases"][0]
        dates = {"phases[0][start_date]": now["start_date"], "phases[0][end_date]": now["end_date"]}
        prices = {
            "phases[0][items][0][price]": now["items"][0]["price"],
            "phases[1][items][0][price]": self.chance.choice(self.prices),
        }
        end = self.chance.choice(["release", "cancel"])
        self.post(f"subscription_schedules/{made['id']}", end_behavior=end, **dates, **prices)
        if self.chance.random() < 0.3:
            self.post(f"subscription_schedules/{made['id']}/{self.chance.choice(['release', 'cancel'])}")

    def discount(self) -> None:
        sub = self.any_of("subscription")
        kind = self.chance.choice([{"percent_off": 33.3}, {"amount_off": 700, "currency": "usd"}])
        coupon = self.post("coupons", duration=self.chance.choice(["once", "forever"]), **kind)["id"]
        if sub:
            self.post(f"subscriptions/{sub}", **{"discounts[0][coupon]": coupon})

    def invoice_by_hand(self) -> None:
        customer = self.any_of("customer")
        made = self.post("invoices", customer=customer, currency="usd") if customer else {}
        if "id" in made:
            amount = self.chance.choice([-300, 0, 99, 12345])
            self.post("invoiceitems", customer=customer, invoice=made["id"], amount=amount, currency="usd")
            verb = self.chance.choice(["finalize", "pay", "void", "mark_uncollectible"])
            self.post(f"invoices/{made['id']}/finalize")
            self.post(f"invoices/{made['id']}/{verb}")

    def pause(self) -> None:
        sub = self.any_of("subscription")
        behaviour = self.chance.choice(["keep_as_draft", "void", "mark_uncollectible"])
        if sub and self.chance.random() < 0.5:
            self.post(f"subscriptions/{sub}", **{"pause_collection[behavior]": behaviour})
        elif sub:
            self.post(f"subscriptions/{sub}", pause_collection="")

    def tell(self) -> None:
        doings = [self.buy, self.buy, self.pass_time, self.pass_time, self.change_plan, self.change_card, self.cancel]
        doings += [self.pay, self.refund, self.dispute, self.leave]
        doings += [self.schedule, self.discount, self.invoice_by_hand, self.pause]
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
        sub = subscription_id(invoice)
        assert sub is None or sub in state.table("subscription").rows
        for entry in invoice["total_discount_amounts"]:
            assert entry["discount"] in state.table("discount").rows
        if invoice["status"] == "paid" and invoice["amount_paid"]:
            payments = state.table("invoice_payment").where("invoice", invoice["id"])
            assert [payment["status"] for payment in payments] == ["paid"]
    for charge in state.table("charge").rows.values():
        made = [row for row in state.table("refund").where("charge", charge["id"]) if row["status"] == "succeeded"]
        assert charge["amount_refunded"] == sum(row["amount"] for row in made)
    for schedule in state.table("subscription_schedule").rows.values():
        is_open = schedule["status"] in ("active", "not_started")
        held = state.find("subscription", schedule["subscription"])
        assert not is_open or held["schedule"] == schedule["id"]
    _no_way_out_of_an_end(sandbox)


ENDS = {
    "subscription": ("canceled", "incomplete_expired"),
    "invoice": ("paid", "void"),
    "subscription_schedule": ("released", "completed", "canceled"),
}


def _no_way_out_of_an_end(sandbox: Sandbox) -> None:
    over: dict[str, str] = {}
    for row in sandbox.state.table("event").rows.values():
        shown_object = shown(row)["data"]["object"]
        ends = ENDS.get(shown_object["object"], ())
        if ends and "id" in shown_object:
            status = over.get(shown_object["id"], shown_object["status"])
            assert shown_object["status"] == status
            if status in ends:
                over[shown_object["id"]] = status

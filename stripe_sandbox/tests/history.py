"""A history tells a sandbox in this process what people, banks and time do; someone else chooses what, and of which."""

from collections.abc import Callable
from typing import Any

from stripe_sandbox import Sandbox

from .asking import Choose
from .taxed import Taxed
from .using import Using

DAY = 86_400

CARDS = (
    "visa visa visa mastercard chargeCustomerFail chargeDeclined authenticationRequired authenticationRequiredOnSetup "
    "createDispute createDisputeInquiry fraudWarning refundFail"
).split()

# The currency that each can be debited in.
ACCOUNTS = {
    "usd": "usBankAccount_success usBankAccount_insufficientFunds usBankAccount_accountClosed usBankAccount_dispute "
    "usBankAccount_processing",
    "eur": "sepaDebit_success_de sepaDebit_successDelayed_at sepaDebit_failed_fr sepaDebit_disputed_ie",
    "gbp": "bacsDebit_success bacsDebit_debitNotAuthorizedDelayed bacsDebit_mandateRefused bacsDebit_dispute",
}
PRORATIONS = ["always_invoice", "create_prorations", "none"]
PAYING = ["allow_incomplete", "error_if_incomplete", "pending_if_incomplete", "default_incomplete"]
OUTCOMES = [None, "paid", "declined", "authenticated", "authentication_failed", "processing"]
STEPS = [60, 3_600, DAY, 3 * DAY, 8 * DAY, 32 * DAY, 400 * DAY]


class History(Using, Taxed):
    """A history happens to one sandbox."""

    def __init__(self, choose: Choose, sandbox: Sandbox) -> None:
        super().__init__(choose, sandbox)
        self.prices: dict[str, list[str]] = {}
        self._catalogue()

    # What is on sale

    def _catalogue(self) -> None:
        self.control("portal")
        feature = self.post("entitlements/features", lookup_key="reports", name="Reports")["id"]
        for currency, amount in (("usd", 2000), ("jpy", 1500), ("kwd", 4990), ("eur", 1900), ("gbp", 1700)):
            product = self.post("products", name=f"Pro {currency}")["id"]
            self.post(f"products/{product}/features", entitlement_feature=feature)
            plans = [(amount, "month"), (amount * 3 + 1, "month"), (amount * 10, "year"), (0, "month")]
            behaviors = ("exclusive", "inclusive", "unspecified", "exclusive")
            made = [
                self.post(
                    "prices",
                    {"product": product, "currency": currency, "unit_amount": each, "recurring[interval]": every,
                     "tax_behavior": behavior},
                )
                for (each, every), behavior in zip(plans, behaviors, strict=True)
            ]  # fmt: skip
            self.prices[currency] = [price["id"] for price in made]
            if currency == "usd":
                self.meters(product)

    def price(self, currency: str) -> str:
        return str(self.one_of(*self.prices[currency]))

    # What people do

    def sign_up(self) -> None:
        self.person()

    def person(self) -> str:
        params: dict[str, Any] = {"email": "ada@example.com", **self.place()}
        if self.one_of(True, False, False):
            clock = self.pick("test_helpers.test_clock") or self.post(
                "test_helpers/test_clocks", frozen_time=self.state.now()
            )
            params["test_clock"] = clock["id"]
        if self.one_of(True, False, False):
            params["balance"] = self.one_of(-700, 300)
        made = self.post("customers", params)
        # A test clock takes three customers.
        return str(made["id"] if "id" in made else self.post("customers", email="bob@example.com")["id"])

    def buy(self) -> None:
        """Buy at Checkout; with a trial, a coupon, several seats."""
        currency = self.one_of(*self.prices)
        params: dict[str, Any] = {
            "mode": "subscription",
            "customer": self.person(),
            "success_url": "http://127.0.0.1/",
            "line_items[0][price]": self.price(currency),
            "line_items[0][quantity]": self.one_of(1, 3),
        }
        if self.one_of(True, False, False):
            params["subscription_data[trial_period_days]"] = 7
        if self.one_of(True, False, False, False):
            params["discounts[0][coupon]"] = self.coupon(currency)
        session = self.post("checkout/sessions", {**params, **self.taxes(params, "line_items[0]", True)})
        if "id" in session:
            self.control(
                f"checkout/{session['id']}/complete",
                payment_method=self.means(currency),
                outcome=self.choose(OUTCOMES),
                **self.entered(session),
            )

    def subscribe(self) -> None:
        """Subscribe by the API, with a card that is attached first."""
        currency, person = self.one_of(*self.prices), self.person()
        card = self.post(f"payment_methods/{self.means(currency)}/attach", customer=person)
        params: dict[str, Any] = {
            "customer": person,
            "items[0][price]": self.price(currency),
            "payment_behavior": self.choose(PAYING),
        }
        if "id" in card:
            params["default_payment_method"] = card["id"]
        if self.one_of(True, False, False):
            params["trial_period_days"] = 3
        if self.one_of(True, False, False, False):
            params["cancel_at"] = self.state.now() + self.one_of(DAY, 40 * DAY)
        if self.one_of(True, False, False):
            params["items[1][price]"] = self.price(currency)
        if self.one_of(True, False, False, False):
            params["billing_cycle_anchor"] = self.state.now() + self.one_of(5 * DAY, 50 * DAY)
            params["proration_behavior"] = self.choose(PRORATIONS)
        self.post("subscriptions", {**params, **self.taxes(params, "items[0]")})

    def subscribe_and_use(self) -> None:
        person = self.person()
        card = self.post(f"payment_methods/{self.means('usd')}/attach", customer=person)
        if "id" in card:
            self.post(f"customers/{person}", {"invoice_settings[default_payment_method]": card["id"]})
        self.subscribe_to_usage(self.prices["usd"][0], person)
        self.use()

    def means(self, currency: str) -> str:
        """A test card, or a test account that can be debited in the currency."""
        accounts = ACCOUNTS.get(currency, "").split()
        debits = accounts and self.one_of(True, False)
        return f"pm_{self.choose(accounts)}" if debits else f"pm_card_{self.choose(CARDS)}"

    def coupon(self, currency: str) -> str:
        off = self.one_of({"percent_off": 33.3}, {"percent_off": 100}, {"amount_off": 700, "currency": currency})
        duration = self.one_of(
            {"duration": "once"}, {"duration": "forever"}, {"duration": "repeating", "duration_in_months": 2}
        )
        return str(self.post("coupons", {**off, **duration})["id"])

    def pass_time(self) -> None:
        """Pass time by pieces: the sandbox forgets events after 30 days, and all of them are to be looked at."""
        left = self.choose(STEPS)
        while left:
            piece = min(left, 20 * DAY)
            self.control("advance", seconds=piece)
            left -= piece

    def pass_frozen_time(self) -> None:
        clock = self.pick("test_helpers.test_clock")
        if clock:
            to = clock["frozen_time"] + self.one_of(3_600, 8 * DAY, 32 * DAY)
            self.post(f"test_helpers/test_clocks/{clock['id']}/advance", frozen_time=to)
            self.control("advance", seconds=60)

    def change_plan(self) -> None:
        sub = self.pick("subscription")
        if sub:
            params = {
                "items[0][id]": sub["items"]["data"][0]["id"],
                "items[0][price]": self.price(sub["currency"]),
                "items[0][quantity]": self.one_of(1, 2, 5),
                "proration_behavior": self.choose(PRORATIONS),
                "payment_behavior": self.choose(PAYING),
            }
            self.post(f"subscriptions/{sub['id']}", params)

    def change_card(self) -> None:
        sub = self.pick("subscription")
        named = sub and self.means(sub["currency"])
        method = sub and self.post(f"payment_methods/{named}/attach", customer=sub["customer"])
        if method and "id" in method:
            self.post(f"subscriptions/{sub['id']}", default_payment_method=method["id"])

    def lose_card(self) -> None:
        method = self.pick("payment_method")
        if method:
            self.post(f"payment_methods/{method['id']}/detach")

    def cancel(self) -> None:
        sub = self.pick("subscription")
        if not sub:
            return
        path, soon = f"subscriptions/{sub['id']}", self.state.now() + self.one_of(DAY, 20 * DAY)
        now = {"prorate": self.one_of("true", "false"), "invoice_now": self.one_of("true", "false")}
        doings = [
            lambda: self.api("DELETE", path, **now),
            lambda: self.post(path, cancel_at_period_end="true"),
            lambda: self.post(path, cancel_at_period_end="false"),
            lambda: self.post(path, cancel_at=soon, proration_behavior=self.choose(PRORATIONS)),
            lambda: self.post(path, cancel_at=""),
        ]
        self.one_of(*doings)()

    def pause(self) -> None:
        sub = self.pick("subscription")
        if sub:
            behaviour = self.one_of("keep_as_draft", "void", "mark_uncollectible", "")
            name = "pause_collection[behavior]" if behaviour else "pause_collection"
            self.post(f"subscriptions/{sub['id']}", {name: behaviour})

    def resume(self) -> None:
        sub = self.pick("subscription")
        if sub:
            self.post(f"subscriptions/{sub['id']}/resume", billing_cycle_anchor=self.one_of("now", "unchanged"))

    def schedule(self) -> None:
        sub = self.pick("subscription")
        made = self.post("subscription_schedules", from_subscription=sub["id"]) if sub else {}
        if "id" not in made:
            return
        now = made["phases"][0]
        dates = {"phases[0][start_date]": now["start_date"], "phases[0][end_date]": now["end_date"]}
        prices = {
            "phases[0][items][0][price]": now["items"][0]["price"],
            "phases[1][items][0][price]": self.price(sub["currency"]),
        }
        self.post(
            f"subscription_schedules/{made['id']}",
            {"end_behavior": self.one_of("release", "cancel"), **dates, **prices},
        )

    def end_schedule(self) -> None:
        schedule = self.pick("subscription_schedule")
        if schedule:
            self.post(f"subscription_schedules/{schedule['id']}/{self.one_of('release', 'cancel')}")

    def discount(self) -> None:
        sub = self.pick("subscription")
        if sub:
            self.post(f"subscriptions/{sub['id']}", {"discounts[0][coupon]": self.coupon(sub["currency"])})

    def invoice_by_hand(self) -> None:
        customer = self.pick("customer")
        currency = self.one_of("usd", "jpy")
        made = self.post("invoices", customer=customer["id"], currency=currency) if customer else {}
        if "id" in made:
            amount = self.one_of(-300, 0, 99, 12345)
            self.post("invoiceitems", customer=customer["id"], invoice=made["id"], amount=amount, currency=currency)
            self.post(f"invoices/{made['id']}/finalize")

    def settle_invoice(self) -> None:
        invoice = self.pick("invoice")
        if invoice:
            verb = self.one_of("pay", "pay", "void", "mark_uncollectible", "finalize")
            self.post(f"invoices/{invoice['id']}/{verb}")

    def pay_on_the_page(self) -> None:
        invoice = self.pick("invoice")
        if invoice:
            self.control(
                f"invoices/{invoice['id']}/pay",
                outcome=self.one_of("paid", "declined", "authenticated", "authentication_failed"),
            )

    def leave(self) -> None:
        customer = self.pick("customer")
        if customer:
            self.api("DELETE", f"customers/{customer['id']}")


COMMON = [
    History.buy, History.subscribe, History.pass_time, History.change_plan, History.subscribe_and_use, History.use,
]  # fmt: skip
RARE = [
    History.sign_up, History.pass_frozen_time, History.change_card, History.lose_card, History.cancel, History.pause,
    History.resume, History.schedule, History.end_schedule, History.discount, History.invoice_by_hand,
    History.settle_invoice, History.pay_on_the_page, History.bank_answers, History.set_debit_days, History.credit,
    History.void_credit, History.pay_in_part, History.refund,
    History.fail_refund, History.dispute,
    History.move_dispute, History.leave, History.take_usage_back, History.change_metered_price, History.grant,
    History.end_credits, History.buy_once, History.sell_by_link, History.visit_link,
    History.take_or_let_go,
    History.move_house, History.change_taxes, History.set_table, History.give_tax_id, History.answer_tax_id,
    History.credit_line, History.invoice_taxed,
]  # fmt: skip
DOINGS: list[Callable[[History], None]] = [*COMMON * 3, *RARE]

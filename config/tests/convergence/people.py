"""Subscribers live a life: each thing that happens in one is done at Stripe, by them, their bank or staff."""

import time
from dataclasses import dataclass, field

from django.contrib.auth import get_user_model

from billing.lifecycle import checkout
from billing.stripe_client import StripeRefused, StripeUnavailable

from .lives import Life
from .world import World

DAY = 86_400
OVER = ("canceled", "incomplete_expired")
REFUSALS = (
    checkout.AccessWithheld,
    checkout.AlreadySubscribed,
    checkout.CheckoutReplaced,
    checkout.PriceNotOffered,  # while it is known that the old price is archived, and not yet that there is a new one
    *StripeRefused,
)


@dataclass
class Subscriber:
    """Someone who lives a life: `turn` makes the next things happen, if they can.

    `spared`: subscription → since when, by the wall clock, more was paid for its period than given back.
    """

    world: World
    number: int
    life: Life
    user: object = None
    customer: str = ""
    customers: set = field(default_factory=set)
    spared: dict = field(default_factory=dict)

    def __post_init__(self):
        self.stripe = self.world.stripe

    def turn(self, number):
        if number == 0:
            email = f"life{self.number}@example.com"
            self.user = get_user_model().objects.create_user(email)
            self.buy(self.life.card)
        for what in self.life.turns[number]:
            getattr(self, what)()

    # What there is at Stripe

    def live(self, line="main"):
        """Their oldest live subscription of a line ("": of another product), or None."""
        found = self.stripe.get("subscriptions", customer=self.customer, status="all", limit=100).get("data", [])
        alive = (item for item in reversed(found) if item["status"] not in OVER)
        return next((item for item in alive if self.world.line_of(item) == line), None)

    def charge(self):
        found = self.stripe.get("charges", customer=self.customer, limit=20).get("data", [])
        return next((item["id"] for item in found if item["paid"]), None)

    def disputes(self):
        charge = self.charge()
        return self.stripe.get("disputes", charge=charge).get("data", []) if charge else []

    def open_invoice(self):
        found = self.stripe.get("invoices", customer=self.customer, status="open").get("data", [])
        return found[0]["id"] if found else None

    # They buy and change

    def buy(self, card="visa", plan="", interval=""):
        """Buy at our own Checkout, unless they are subscribed, or deleted at Stripe and we do not know it yet."""
        try:
            attempt = self._checkout(plan or self.life.plan, interval or self.life.interval)
        except REFUSALS:
            return
        self.customer = attempt.customer_id
        self.customers.add(self.customer)
        for way in WAYS_TO_PAY[card]:
            self.stripe.control(f"checkout/{attempt.session_id}/complete", **way)

    def vault(self):
        """A plan of another line."""
        self.buy(plan="vault", interval="month")

    def _checkout(self, plan, interval):
        while True:
            try:
                return checkout.start(self.user, plan, interval)
            except StripeUnavailable:
                time.sleep(0.05)

    def _change(self, line="main", **params):
        live = self.live(line)
        return self.stripe.post(f"subscriptions/{live['id']}", **params) if live else {}

    def _switch(self, price, proration):
        live = self.live()
        if live:
            item = live["items"]["data"][0]["id"]
            self._change(**{"items[0][id]": item, "items[0][price]": price}, proration_behavior=proration)

    def upgrade(self):
        self._switch(self.world.prices[f"team_{self.life.interval}"], "always_invoice")

    def downgrade(self):
        self._switch(self.world.prices[f"pro_{self.life.interval}"], "none")

    def yearly(self):
        self._switch(self.world.prices[f"{self.life.plan}_year"], "create_prorations")

    def odd_price(self):
        """Staff sell a price that is in no plan."""
        self._switch(self.world.odd, "none")

    def seats(self):
        live = self.live()
        if live:
            item = live["items"]["data"][0]
            self._change(**{"items[0][id]": item["id"], "items[0][quantity]": item["quantity"] + 2})

    def cancel(self, line="main"):
        if live := self.live(line):
            self.stripe.delete(f"subscriptions/{live['id']}")

    def vault_ends(self):
        self.cancel("storage")

    def cancel_at_end(self):
        self._change(cancel_at_period_end="true")

    def cancel_on_a_day(self):
        self._change(cancel_at=self.stripe.now() + 5 * DAY)

    def resume(self):
        self._change(cancel_at_period_end="false")
        live = self.live()
        if live and live["cancel_at"]:
            self._change(cancel_at="")

    def delete(self):
        self.stripe.delete(f"customers/{self.customer}")

    def rename(self):
        self.stripe.post(f"customers/{self.customer}", email=f"renamed{self.number}@example.com")

    # Money

    def _pay_by(self, method, line="main"):
        made = self.stripe.post(f"payment_methods/pm_{method}/attach", customer=self.customer)
        if "id" in made:
            self._change(line, default_payment_method=made["id"], collection_method="charge_automatically")

    def bad_card(self):
        self._pay_by("card_chargeCustomerFail")

    def vault_bad_card(self):
        self._pay_by("card_chargeCustomerFail", "storage")

    def magazine_fails(self):
        self._pay_by("card_chargeCustomerFail", "")

    def sca_card(self):
        self._pay_by("card_authenticationRequired")

    def good_card(self):
        self._pay_by("card_visa")

    def debit(self):
        self._pay_by("usBankAccount_success")

    def bad_debit(self):
        self._pay_by("usBankAccount_insufficientFunds")

    def _bank_says(self, **outcome):
        found = self.stripe.get("payment_intents", customer=self.customer, limit=20).get("data", [])
        for intent in [item["id"] for item in found if item["status"] == "processing"][:1]:
            self.stripe.control(f"payments/{intent}", **outcome)

    def bank_pays(self):
        self._bank_says(outcome="succeeded")

    def bank_refuses(self):
        self._bank_says(outcome="failed", code="insufficient_funds")

    def by_invoice(self):
        self._change(collection_method="send_invoice", days_until_due=4)

    def pay(self):
        if invoice := self.open_invoice():
            self.stripe.control(f"invoices/{invoice}/pay", outcome="paid", payment_method="pm_card_visa")

    def authenticate(self):
        if invoice := self.open_invoice():
            self.stripe.control(f"invoices/{invoice}/pay", outcome="authenticated")

    def void(self):
        if invoice := self.open_invoice():
            self.stripe.post(f"invoices/{invoice}/void")

    def refund(self, **params):
        charge = self.charge()
        return self.stripe.post("refunds", charge=charge, **params) if charge else {}

    def refund_part(self):
        self.refund(amount=300)

    def goodwill(self):
        """A payment is given back, and at once more is paid for the same period."""
        before, given = self.live(), self.refund()
        if before and "id" in given:
            self.upgrade()
            after = self.live()
            is_more = after and after["latest_invoice"] != before["latest_invoice"]
            if is_more and self.stripe.get(f"invoices/{after['latest_invoice']}")["amount_paid"]:
                self.spared[after["id"]] = time.time()

    def refund_fails(self):
        charge = self.charge()
        found = self.stripe.get("refunds", charge=charge)["data"] if charge else []
        if found:
            self.stripe.control(f"refunds/{found[0]['id']}/fail")

    def dispute(self, **params):
        if charge := self.charge():
            self.stripe.control("disputes", charge=charge, **params)

    def inquiry(self):
        self.dispute(inquiry=True)

    def _move(self, status):
        for dispute in self.disputes()[:1]:
            self.stripe.control(f"disputes/{dispute['id']}", status=status)

    def escalate(self):
        self._move("needs_response")

    def review(self):
        self._move("under_review")

    def win(self):
        self._move("won")

    def lose(self):
        self._move("lost")

    def close_inquiry(self):
        self._move("warning_closed")

    def warn(self):
        if charge := self.charge():
            self.stripe.control("fraud_warnings", charge=charge)

    # Staff, in the Dashboard

    def _sell(self, price, **params):
        self.stripe.post("subscriptions", customer=self.customer, **{"items[0][price]": price}, **params)

    def _sell_to_known_card(self, price):
        live = self.live()
        if live and (card := live["default_payment_method"]):
            self._sell(price, default_payment_method=card)

    def staff_sale(self):
        """The other plan of the same line, beside the one they have."""
        other = "pro" if self.life.plan == "team" else "team"
        self._sell_to_known_card(self.world.prices[f"{other}_month"])

    def staff_invoice(self):
        """A plan that is paid by an invoice, for one who may have none."""
        self._sell(self.world.prices["pro_month"], collection_method="send_invoice", days_until_due=4)

    def magazine(self):
        """Another product of the same account."""
        self._sell_to_known_card(self.world.magazine)

    def new_price(self):
        self.world.replace_price(f"{self.life.plan}_{self.life.interval}")


VISA = {"payment_method": "pm_card_visa"}
WAYS_TO_PAY = {
    "visa": [VISA],
    "declined, then visa": [{"payment_method": "pm_card_chargeDeclined"}, VISA],
    "3ds": [{"payment_method": "pm_card_authenticationRequired", "outcome": "authenticated"}],
    "3ds failed, then visa": [
        {"payment_method": "pm_card_authenticationRequired", "outcome": "authentication_failed"},
        VISA,
    ],
    "disputed": [{"payment_method": "pm_card_createDispute"}],
    "declined later": [{"payment_method": "pm_card_chargeCustomerFail", "outcome": "paid"}],
    "debit": [{"payment_method": "pm_usBankAccount_success"}],
    "debit refused": [{"payment_method": "pm_usBankAccount_insufficientFunds"}],
}

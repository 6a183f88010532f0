"""A history of further shapes: quotes, schedules from nothing, discounts of all kinds, what is added, moved, taken
back."""

from collections.abc import Callable
from typing import Any

from .history import COMMON, DAY, PRORATIONS, History

Doing = Callable[[Any], None]
SOON = [60, DAY, 10 * DAY, 45 * DAY]


class Varied(History):
    """People, staff and time do what is rarer."""

    def payer(self) -> str:
        """Return a customer with a card."""
        person = self.person()
        card = self.post(f"payment_methods/{self.means('usd')}/attach", customer=person)
        if "id" in card:
            self.post(f"customers/{person}", {"invoice_settings[default_payment_method]": card["id"]})
        return person

    def subscription(self) -> Any:
        """Return a subscription that is not over, if there is one."""
        rows = [row for row in self.state.table("subscription").rows.values() if row["ended_at"] is None]
        return self.choose(rows) if rows else None

    # Quotes

    def quote(self) -> None:
        """Draw up a quote, with a discount, a trial or a beginning to come, and perhaps accept it."""
        params: dict[str, Any] = {
            "customer": self.payer(),
            "line_items[0][price]": self.price("usd"),
            "line_items[0][quantity]": self.one_of(1, 3),
        }
        params |= self.one_of(
            {},
            {"discounts[0][coupon]": self.coupon("usd")},
            {"subscription_data[trial_period_days]": 7},
            {"subscription_data[effective_date]": self.state.now() + 10 * DAY},
            {"collection_method": "send_invoice", "invoice_settings[days_until_due]": 14},
        )
        made = self.post("quotes", params)
        if "id" in made:
            self.post(f"quotes/{made['id']}/finalize")
            self.post(f"quotes/{made['id']}/{self.one_of('accept', 'accept', 'cancel')}")

    def accept_quote(self) -> None:
        quote = self.pick("quote")
        if quote:
            self.post(f"quotes/{quote['id']}/{self.one_of('accept', 'cancel', 'finalize')}")

    # Discounts

    def discount_person(self) -> None:
        customer = self.pick("customer")
        if customer:
            self.control(f"customers/{customer['id']}/discount", coupon=self.coupon("usd"))

    def end_discount(self) -> None:
        sub, customer = self.subscription(), self.pick("customer")
        if sub:
            self.api("DELETE", f"subscriptions/{sub['id']}/discount")
        if customer and self.one_of(True, False):
            self.api("DELETE", f"customers/{customer['id']}/discount")

    def redeem(self) -> None:
        """Redeem a promotion code that has conditions."""
        terms: dict[str, Any] = self.one_of(
            {},
            {"restrictions[first_time_transaction]": "true"},
            {"restrictions[minimum_amount]": 1500, "restrictions[minimum_amount_currency]": "usd"},
            {"max_redemptions": 1},
        )
        promotion = {"promotion[type]": "coupon", "promotion[coupon]": self.coupon("usd")}
        code = self.post("promotion_codes", {**promotion, **terms})
        sub = self.subscription()
        if sub and "id" in code:
            self.post(f"subscriptions/{sub['id']}", {"discounts[0][promotion_code]": code["id"]})

    def discount_item(self) -> None:
        sub = self.subscription()
        if sub:
            item = {"items[0][id]": sub["items"]["data"][0]["id"], "items[0][quantity]": self.one_of(1, 4)}
            item["items[0][discounts][0][coupon]"] = self.coupon(sub["currency"])
            self.post(f"subscriptions/{sub['id']}", {**item, "proration_behavior": self.choose(PRORATIONS)})

    # Subscriptions

    def subscribe_oddly(self) -> None:
        """Subscribe in the past, with an anchor of its own, with something bought once, by invoice, or without card."""
        params: dict[str, Any] = {"customer": self.payer(), "items[0][price]": self.price("usd")}
        params |= self.one_of(
            {"backdate_start_date": self.state.now() - 40 * DAY},
            {"billing_cycle_anchor_config[day_of_month]": 5},
            {"add_invoice_items[0][price_data][currency]": "usd", "add_invoice_items[0][price_data][unit_amount]": 777,
             "add_invoice_items[0][price_data][product]": self.product()},
            {"collection_method": "send_invoice", "days_until_due": 7},
            {"trial_period_days": 5, "trial_settings[end_behavior][missing_payment_method]": "cancel"},
            {"trial_period_days": 5, "trial_settings[end_behavior][missing_payment_method]": "pause"},
            {"items[0][discounts][0][coupon]": self.coupon("usd")},
        )  # fmt: skip
        self.post("subscriptions", {**params, "proration_behavior": self.choose(PRORATIONS)})

    def product(self) -> str:
        return str(self.state.get("price", self.prices["usd"][0])["product"])

    def add_item(self) -> None:
        sub = self.subscription()
        if sub:
            params = {"subscription": sub["id"], "price": self.price(sub["currency"]), "quantity": self.one_of(1, 2)}
            self.post("subscription_items", {**params, "proration_behavior": self.choose(PRORATIONS)})

    def drop_item(self) -> None:
        sub = self.subscription()
        if sub:
            item = self.choose(sub["items"]["data"])
            self.api("DELETE", f"subscription_items/{item['id']}", proration_behavior=self.choose(PRORATIONS))

    def move_trial(self) -> None:
        sub = self.subscription()
        if sub:
            end = self.one_of("now", self.state.now() + 5 * DAY, self.state.now() + 50 * DAY)
            self.post(f"subscriptions/{sub['id']}", trial_end=end, proration_behavior=self.choose(PRORATIONS))

    def schedule_anew(self) -> None:
        """Schedule from nothing: two phases, the first at a discount or on trial, beginning now or later."""
        params: dict[str, Any] = {"customer": self.payer(), "end_behavior": self.one_of("release", "cancel")}
        params["start_date"] = self.one_of("now", self.state.now() + 3 * DAY)
        for number in range(2):
            params[f"phases[{number}][items][0][price]"] = self.price("usd")
            params[f"phases[{number}][items][0][quantity]"] = self.one_of(1, 2)
            params[f"phases[{number}][duration][interval]"] = "month"
            params[f"phases[{number}][duration][interval_count]"] = self.one_of(1, 2)
        params |= self.one_of({}, {"phases[0][discounts][0][coupon]": self.coupon("usd")}, {"phases[0][trial]": "true"})
        params["phases[1][proration_behavior]"] = self.choose(PRORATIONS)
        self.post("subscription_schedules", params)

    def set_last_retry(self) -> None:
        self.control("settings", after_last_retry=self.one_of("cancel", "unpaid", "past_due"))

    # Invoices and balances

    def add_pending(self) -> None:
        customer = self.pick("customer")
        if customer:
            amount = self.one_of(-500, 250, 4000)
            self.post("invoiceitems", customer=customer["id"], amount=amount, currency=customer["currency"] or "usd")

    def gather(self) -> None:
        """Draw up an invoice of all that waits for a customer."""
        customer = self.pick("customer")
        given = {"pending_invoice_items_behavior": "include", "currency": (customer or {}).get("currency") or "usd"}
        made = self.post("invoices", customer=customer["id"], **given) if customer else {}
        if "id" in made:
            self.post(f"invoices/{made['id']}/{self.one_of('finalize', 'pay')}")

    def edit_lines(self) -> None:
        invoice = self.pick("invoice")
        if invoice and invoice["lines"]["data"]:
            line = self.choose(invoice["lines"]["data"])["id"]
            verb, params = self.one_of(
                ("add_lines", {"lines[0][amount]": 321, "lines[0][description]": "More"}),
                ("update_lines", {"lines[0][id]": line, "lines[0][amount]": 654}),
                ("remove_lines", {"lines[0][id]": line, "lines[0][behavior]": self.one_of("delete", "unassign")}),
            )
            self.post(f"invoices/{invoice['id']}/{verb}", params)

    def move_balance(self) -> None:
        customer = self.pick("customer")
        if customer:
            currency = customer["currency"] or "usd"
            amount = self.one_of(-5000, -300, 800)
            self.post(f"customers/{customer['id']}/balance_transactions", amount=amount, currency=currency)

    # Checkout, payments, the portal

    def buy_with_extras(self) -> None:
        """Subscribe at Checkout, with something bought once, an optional item, a trial without card, or tiers."""
        params: dict[str, Any] = {
            "mode": "subscription",
            "success_url": "http://127.0.0.1/",
            "line_items[0][price]": self.price("usd"),
            "line_items[0][quantity]": 1,
        }
        once = {"[price_data][currency]": "usd", "[price_data][unit_amount]": 5000, "[quantity]": 2,
                "[price_data][product_data][name]": "Setup"}  # fmt: skip
        params |= self.one_of(
            {f"line_items[1]{name}": value for name, value in once.items()},
            {"optional_items[0][price]": self.prices["usd"][1], "optional_items[0][quantity]": 1,
             "optional_items[0][adjustable_quantity][enabled]": "true"},
            {"payment_method_collection": "if_required", "subscription_data[trial_period_days]": 7,
             "subscription_data[trial_settings][end_behavior][missing_payment_method]": "cancel"},
            {"allow_promotion_codes": "true", "after_expiration[recovery][enabled]": "true"},
        )  # fmt: skip
        session = self.post("checkout/sessions", params)
        if "id" in session and self.one_of(True, True, False):
            entries: dict[str, Any] = {"email": "eve@example.com"}
            if session.get("optional_items") and self.one_of(True, False):
                entries["quantities"] = {self.prices["usd"][1]: 2}
            card = {"payment_method": self.means("usd")} if self.one_of(True, True, False) else {}
            self.control(f"checkout/{session['id']}/complete", **entries, **card)

    def expire_and_recover(self) -> None:
        session = self.pick("checkout.session")
        if session:
            self.post(f"checkout/sessions/{session['id']}/expire")
            url = ((session["after_expiration"] or {}).get("recovery") or {}).get("url")
            if url:
                self.ask_page(url.partition(self.sandbox.url)[2])

    def save_card(self) -> None:
        """Save a card at a Checkout that sells nothing, or by a setup intent."""
        person = self.person()
        if self.one_of(True, False):
            given = {"mode": "setup", "customer": person, "success_url": "http://127.0.0.1/", "currency": "usd"}
            session = self.post("checkout/sessions", given)
            if "id" in session:
                self.control(f"checkout/{session['id']}/complete", payment_method=self.means("usd"))
            return
        given = {"customer": person, "payment_method": self.means("usd"), "confirm": "true"}
        self.post("setup_intents", {**given, "return_url": "http://127.0.0.1/"})

    def pay_directly(self) -> None:
        currency = self.one_of("usd", "eur")
        params = {"amount": self.one_of(99, 5000), "currency": currency, "payment_method": self.means(currency),
                  "capture_method": self.one_of("automatic", "manual"), "confirm": self.one_of("true", "false"),
                  "return_url": "http://127.0.0.1/"}  # fmt: skip
        if params["confirm"] == "false":
            del params["return_url"]
        intent = self.post("payment_intents", params)
        if "id" in intent:
            verb = self.one_of("confirm", "cancel", "capture")
            self.post(f"payment_intents/{intent['id']}/{verb}")

    def act_in_portal(self) -> None:
        """Cancel, resume or change the card in the portal, as its configuration allows."""
        sub = self.subscription()
        session = self.post("billing_portal/sessions", customer=sub["customer"]) if sub else {}
        if "url" in session:
            form = {"action": self.one_of("cancel", "resume", "card"), "subscription": sub["id"]}
            self.send_page(session["url"].partition(self.sandbox.url)[2], {**form, "number": "4242424242424242"})


FURTHER: list[Doing] = [
    Varied.quote, Varied.accept_quote, Varied.discount_person, Varied.end_discount, Varied.redeem,
    Varied.discount_item, Varied.subscribe_oddly, Varied.add_item, Varied.drop_item, Varied.move_trial,
    Varied.schedule_anew, Varied.set_last_retry, Varied.add_pending, Varied.gather,
    Varied.edit_lines, Varied.move_balance, Varied.buy_with_extras, Varied.expire_and_recover, Varied.save_card,
    Varied.pay_directly, Varied.act_in_portal,
]  # fmt: skip
AMONG: list[Doing] = [
    *COMMON, History.pass_time, History.pass_time, History.cancel, History.change_plan, History.settle_invoice,
    History.pay_on_the_page, History.void_credit, History.credit, History.refund, History.set_table,
    History.change_taxes, History.change_card, History.end_schedule, History.grant, History.use,
]  # fmt: skip
DOINGS: list[Doing] = [*FURTHER, *FURTHER, *AMONG]

"""People buy once, at a Checkout that counts, ships and holds amounts, and by payment links; a part of a history."""

from typing import Any

from .afterwards import Afterwards

DAY = 86_400


class Shopping(Afterwards):
    """The part of a history that is bought once."""

    def _line(self, currency: str, name: str) -> dict[str, Any]:
        line = f"line_items[{name}]"
        price = {
            f"{line}[price_data][currency]": currency,
            f"{line}[price_data][unit_amount]": self.one_of(0, 500, 1999),
            f"{line}[price_data][product_data][name]": "Book",
        }
        bounds = {f"{line}[adjustable_quantity][enabled]": "true", f"{line}[adjustable_quantity][maximum]": 4}
        return {**price, f"{line}[quantity]": self.one_of(1, 2), **self.one_of({}, bounds)}

    def buy_once(self) -> None:
        """Open a Checkout for one payment: held, invoiced, shipped, discounted or plain."""
        currency = self.one_of("usd", "eur", "jpy")
        params: dict[str, Any] = {"mode": "payment", "success_url": "http://127.0.0.1/"}
        for number in range(self.one_of(1, 2)):
            params |= self._line(currency, str(number))
        ships = {
            "shipping_options[0][shipping_rate_data][display_name]": "Ground",
            "shipping_options[0][shipping_rate_data][type]": "fixed_amount",
            "shipping_options[0][shipping_rate_data][fixed_amount][amount]": 450,
            "shipping_options[0][shipping_rate_data][fixed_amount][currency]": currency,
        }
        params |= self.one_of(
            {},
            ships,
            {"payment_intent_data[capture_method]": "manual"},
            {"invoice_creation[enabled]": "true"},
            {"payment_intent_data[setup_future_usage]": "off_session", "customer_creation": "always"},
        )
        if self.one_of(True, False, False):
            coupon = self.post("coupons", {"percent_off": self.one_of(33.3, 100), "duration": "once"})
            params["discounts[0][coupon]"] = coupon["id"]
        session = self.post("checkout/sessions", params)
        if "id" in session:
            self.complete(session["id"])

    def complete(self, session: str) -> None:
        """Fill in, count, and pay, or come back another day."""
        rows = [row["id"] for row in self.state.note(session)["items"]]
        entries: dict[str, Any] = {"email": "eve@example.com"}
        if self.one_of(True, False):
            entries["quantities"] = {self.choose(rows): self.one_of(0, 1, 3, 9)}
        card = self.one_of("visa", "visa", "chargeDeclined", "createDispute")
        self.control(f"checkout/{session}/complete", payment_method=f"pm_card_{card}", **entries)

    def sell_by_link(self) -> None:
        params = self._line("usd", "0") | {"restrictions[completed_sessions][limit]": self.one_of(1, 3)}
        self.post("payment_links", params)

    def visit_link(self) -> None:
        link = self.pick("payment_link")
        if link:
            self.ask_page(f"/b/{link['id']}")
            session = next(self.state.table("checkout.session").newest_first(), None)
            if session and session["payment_link"] == link["id"] and session["status"] == "open":
                self.complete(session["id"])

    def take_or_let_go(self) -> None:
        rows = self.state.table("payment_intent").rows.values()
        held = [row for row in rows if row["status"] == "requires_capture"]
        if held:
            intent = self.choose(held)
            part = {"amount_to_capture": self.one_of(1, intent["amount"])}
            verb, params = self.one_of(("capture", part), ("cancel", {}))
            self.post(f"payment_intents/{intent['id']}/{verb}", params)

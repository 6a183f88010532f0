"""A history taxes people by where they live, tax rates, tax ids and the table."""

from typing import Any

from .afterwards import Afterwards

PLACES: list[dict[str, str]] = [
    {},
    {"country": "DE", "postal_code": "10115"},
    {"country": "FR", "postal_code": "75001"},
    {"country": "US", "state": "NY", "postal_code": "10001"},
    {"country": "US", "state": "NY"},
    {"country": "BR"},
]
RATES = [
    {"display_name": "VAT", "percentage": 19, "inclusive": "false"},
    {"display_name": "VAT", "percentage": 7.7, "inclusive": "true"},
    {"display_name": "City", "percentage": 0.125, "inclusive": "false"},
]


class Taxed(Afterwards):
    """People are taxed: automatically, by hand, or not at all."""

    def place(self) -> dict[str, Any]:
        """Return the address of a customer, and whether they are exempt."""
        given = {f"address[{name}]": value for name, value in self.choose(PLACES).items()}
        return {**given, "tax_exempt": self.one_of("none", "none", "none", "exempt", "reverse")}

    def taxes(self, params: dict[str, Any], line: str, at_checkout: bool = False) -> dict[str, Any]:
        """Return how something that is bought is taxed."""
        automatic = {"automatic_tax[enabled]": "true"}
        if at_checkout:
            automatic |= {"customer_update[address]": "auto", "customer_update[name]": "auto"}
            automatic |= {"tax_id_collection[enabled]": "true"}
        whole = "subscription_data[default_tax_rates]" if at_checkout else "default_tax_rates"
        by_hand = {f"{whole}[0]": self.rate(), f"{line}[tax_rates][0]": self.rate()}
        return self.one_of({}, {}, automatic, automatic, by_hand, {f"{whole}[0]": self.rate()})

    def rate(self) -> str:
        made = [row for row in self.state.table("tax_rate").rows.values() if row["active"]]
        return str(self.choose(made)["id"] if len(made) > 3 else self.post("tax_rates", self.choose(RATES))["id"])

    def entered(self, session: dict[str, Any]) -> dict[str, Any]:
        """Return what the buyer enters on the page of a Checkout that asks."""
        if not session["automatic_tax"]["enabled"]:
            return {}
        vat = {"type": "eu_vat", "value": self.one_of("FRAB123456789", "DE123456789")}
        return self.one_of(
            {},
            *({"billing_address": {**PLACES[n], "line1": "Street 1"}} for n in (1, 4)),
            {"billing_address": {**PLACES[2], "line1": "Street 1"}, "name": "Ada", "tax_id": vat},
        )

    def move_house(self) -> None:
        customer = self.pick("customer")
        if customer:
            cleared = {"address": "", "tax_exempt": "none"}
            self.post(f"customers/{customer['id']}", self.one_of(self.place(), cleared))

    def change_taxes(self) -> None:
        sub = self.pick("subscription")
        if sub:
            choices: list[dict[str, Any]] = [
                {"automatic_tax[enabled]": "true"},
                {"automatic_tax[enabled]": "false"},
                {"default_tax_rates": ""},
                {"default_tax_rates[0]": self.rate(), "automatic_tax[enabled]": "false"},
            ]
            self.post(f"subscriptions/{sub['id']}", self.choose(choices))

    def set_table(self) -> None:
        choices: list[dict[str, Any]] = [
            {"rounding": "total"},
            {"rounding": "line"},
            {"without_location": "fail"},
            {"without_location": "finalize"},
            {"country": "DE"},
            {"reverse_charge": "given"},
            {"rates": [{"country": "DE", "percentage": 19}, {"country": "FR", "percentage": 5.5}]},
        ]
        self.control("tax", **self.choose(choices))

    def give_tax_id(self) -> None:
        customer = self.pick("customer")
        if customer:
            value = self.one_of("FRAB123456789", "DE123456789", "111111111", "DE222222222")
            self.post(f"customers/{customer['id']}/tax_ids", type="eu_vat", value=value)

    def answer_tax_id(self) -> None:
        row = self.pick("tax_id")
        if row:
            self.control(f"tax_ids/{row['id']}", status=self.one_of("verified", "unverified", "pending"))

    def credit_line(self) -> None:
        """Credit a line, or a part of it, with its tax."""
        invoice = self.pick("invoice")
        if not invoice or not invoice["lines"]["data"]:
            return
        line = self.choose(invoice["lines"]["data"])
        given: dict[str, Any] = {"invoice": invoice["id"], "lines[0][type]": "invoice_line_item"}
        given |= {"lines[0][invoice_line_item]": line["id"]}
        given["lines[0][amount]"] = self.one_of(line["amount"], line["amount"] // 3, 1)
        shown = self.api("GET", "credit_notes/preview", **given, out_of_band_amount=0)
        part = {} if invoice["status"] != "paid" else {"out_of_band_amount": shown.get("total", 1)}
        self.post("credit_notes", {**given, **part})

    def invoice_taxed(self) -> None:
        """Draw up an invoice by hand, with tax, and finalize it."""
        customer = self.pick("customer")
        by_hand, automatic = {"default_tax_rates[0]": self.rate()}, {"automatic_tax[enabled]": "true"}
        made = (
            self.post("invoices", {"customer": customer["id"], "currency": "eur", **self.one_of(by_hand, automatic)})
            if customer
            else {}
        )
        if "id" in made:
            item = {"customer": made["customer"], "invoice": made["id"], "currency": "eur"}
            item["tax_behavior"] = self.one_of("exclusive", "inclusive")
            for amount in (self.one_of(33, 1234), self.one_of(7, 999)):
                self.post("invoiceitems", item, amount=amount)
            self.post(f"invoices/{made['id']}/finalize")

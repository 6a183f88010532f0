"""People use what is metered: the part of a history that reports usage, grants credits and sets thresholds."""

from typing import Any

from .shopping import Shopping

DAY = 86_400
GRADUATED = {
    "billing_scheme": "tiered", "tiers_mode": "graduated", "tiers[0][up_to]": 100, "tiers[0][unit_amount]": 7,
    "tiers[0][flat_amount]": 300, "tiers[1][up_to]": "inf", "tiers[1][unit_amount_decimal]": "3.6",
}  # fmt: skip
VOLUME = {
    "billing_scheme": "tiered", "tiers_mode": "volume", "tiers[0][up_to]": 50, "tiers[0][unit_amount]": 20,
    "tiers[1][up_to]": "inf", "tiers[1][unit_amount]": 15,
}  # fmt: skip
PACKAGES = {"unit_amount": 250, "transform_quantity[divide_by]": 12, "transform_quantity[round]": "up"}
AMOUNTS: list[dict[str, Any]] = [{"unit_amount_decimal": "0.75"}, GRADUATED, VOLUME, PACKAGES]


class Using(Shopping):
    """All of it in dollars; each meter has prices of every kind."""

    metered: list[str]
    sent: int = 0

    def meters(self, product: str) -> None:
        self.metered = []
        for formula, window in (("sum", ""), ("count", ""), ("last", ""), ("sum", "hour")):
            name = f"{formula}{window}"
            given = {"display_name": name, "event_name": name, "default_aggregation[formula]": formula}
            meter = self.post("billing/meters", {**given, **({"event_time_window": window} if window else {})})
            recurring = {
                "recurring[interval]": "month",
                "recurring[usage_type]": "metered",
                "recurring[meter]": meter["id"],
            }
            for amounts in AMOUNTS:
                price = self.post("prices", {"product": product, "currency": "usd", **recurring, **amounts})
                self.metered.append(price["id"])

    def subscribe_to_usage(self, licence: str, person: str) -> None:
        first, second = self.choose(self.metered), self.choose(self.metered)
        params: dict[str, Any] = {"customer": person, "items[0][price]": first}
        if second != first and self.one_of(True, False):
            params["items[1][price]"] = second
        if self.one_of(True, False):
            params["items[2][price]"] = licence
        if self.one_of(True, False, False):
            params["billing_thresholds[amount_gte]"] = self.one_of(500, 3000)
            params["billing_thresholds[reset_billing_cycle_anchor]"] = self.one_of("true", "false")
        if self.one_of(True, False, False, False):
            params["items[0][billing_thresholds][usage_gte]"] = self.one_of(50, 400)
        if self.one_of(True, False, False, False):
            params["trial_period_days"] = 3
        if self.one_of(True, False, False, False):
            params["collection_method"], params["days_until_due"] = "send_invoice", 14
        self.post("subscriptions", params)

    def use(self) -> None:
        """Several events for the customer of a metered item; some of them late, some early, some of no use."""
        item = self.metered_item()
        if item is None:
            return
        sub, row = item
        meter = self.state.get("billing.meter", row["price"]["recurring"]["meter"])
        for _ in range(self.one_of(1, 3)):
            self.sent += 1
            params: dict[str, Any] = {
                "event_name": meter["event_name"],
                "identifier": f"e{self.one_of(self.sent, self.sent, self.sent, max(self.sent - 1, 1))}",
                "payload[stripe_customer_id]": self.one_of(sub["customer"], sub["customer"], "cus_nobody"),
                "payload[value]": self.one_of("1", "40", "130.5", "-20", "many"),
            }
            if self.one_of(True, False):
                params["timestamp"] = self.state.now() + self.one_of(-60, -1800, -2 * DAY, -20 * DAY, 100)
            self.post("billing/meter_events", params)

    def metered_item(self) -> tuple[Any, Any] | None:
        found = [
            (sub, row)
            for sub in self.state.table("subscription").rows.values()
            for row in sub["items"]["data"]
            if row["price"]["recurring"]["usage_type"] == "metered"
        ]
        return self.choose(found) if found else None

    def take_usage_back(self) -> None:
        for meter in self.state.table("billing.meter").rows.values():
            cancel = {"event_name": meter["event_name"], "type": "cancel", "cancel[identifier]": f"e{self.sent}"}
            self.post("billing/meter_event_adjustments", cancel)

    def change_metered_price(self) -> None:
        item = self.metered_item()
        if item is not None:
            sub, row = item
            how = self.one_of({"items[0][price]": self.choose(self.metered)}, {"items[0][deleted]": "true"},
                              {"billing_cycle_anchor": "now"})  # fmt: skip
            named = {"items[0][id]": row["id"]} if "billing_cycle_anchor" not in how else {}
            prorations = self.one_of("always_invoice", "create_prorations", "none")
            self.post(f"subscriptions/{sub['id']}", {**named, **how, "proration_behavior": prorations})

    def grant(self) -> None:
        customer = self.pick("customer")
        if customer:
            params: dict[str, Any] = {
                "customer": customer["id"],
                "amount[type]": "monetary",
                "amount[monetary][currency]": "usd",
                "amount[monetary][value]": self.one_of(200, 5000),
                "priority": self.one_of(10, 50),
                "category": self.one_of("paid", "promotional"),
            }
            if self.one_of(True, False):
                params["applicability_config[scope][price_type]"] = "metered"
            else:
                params["applicability_config[scope][prices][0][id]"] = self.choose(self.metered)
            if self.one_of(True, False, False):
                params["effective_at"] = self.state.now() + self.one_of(DAY, 20 * DAY)
            if self.one_of(True, False, False):
                params["expires_at"] = self.state.now() + self.one_of(30 * DAY, 90 * DAY)
            self.post("billing/credit_grants", params)

    def end_credits(self) -> None:
        granted = self.pick("billing.credit_grant")
        if granted:
            self.post(f"billing/credit_grants/{granted['id']}/{self.one_of('expire', 'void')}")

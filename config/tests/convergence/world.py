"""What the Stripe account sells: our plans in two lines, a price of ours that no plan knows, another's product."""

from dataclasses import dataclass, field

from .plans import LINES


@dataclass
class World:
    """`prices`: lookup key → the price that is sold. `plans`: product → slug. `known`: prices that belong to a plan."""

    stripe: object
    prices: dict
    plans: dict
    known: set
    odd: str
    magazine: str
    replaced: set = field(default_factory=set)

    @classmethod
    def begun(cls, stripe):
        """Just after our plans were published: others sell in the same account too."""
        rows = [row for row in stripe.all("prices") if row["lookup_key"].rpartition("_")[0] in LINES]
        prices = {row["lookup_key"]: row["id"] for row in rows}
        plans = {row["product"]: row["lookup_key"].rpartition("_")[0] for row in rows}
        pro = next(product for product, slug in plans.items() if slug == "pro")
        other = stripe.post("products", name="Magazine")["id"]
        odd, magazine = _sold(stripe, pro, 9_900), _sold(stripe, other, 700)
        return cls(stripe, prices, plans, set(prices.values()), odd, magazine)

    def plan_of(self, sub):
        """The slug of the plan whose product a subscription is of; "" for another's."""
        return self.plans.get(sub["items"]["data"][0]["price"]["product"], "")

    def line_of(self, sub):
        """The line of a subscription; "" for another product's."""
        return LINES.get(self.plan_of(sub), "")

    def whose(self, sub):
        if not self.plan_of(sub):
            return "foreign"
        return "ours" if sub["items"]["data"][0]["price"]["id"] in self.known else "unknown"

    def replace_price(self, key):
        """A dearer price takes over the lookup key, and the old one is archived: once for each."""
        if key in self.replaced:
            return
        self.replaced.add(key)
        old = self.stripe.get(f"prices/{self.prices[key]}")
        amount, interval = old["unit_amount"] + 500, old["recurring"]["interval"]
        new = _sold(self.stripe, old["product"], amount, interval, lookup_key=key, transfer_lookup_key="true")
        self.stripe.post(f"prices/{old['id']}", active="false")
        self.prices[key] = new
        self.known.add(new)


def _sold(stripe, product, amount, interval="month", **params):
    params = {"product": product, "currency": "usd", "unit_amount": amount, **params}
    return stripe.post("prices", **params, **{"recurring[interval]": interval})["id"]

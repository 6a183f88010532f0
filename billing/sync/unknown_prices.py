"""Prices and plans that Stripe bills and we have no row of are fetched once a run, and taken over if they are ours."""

from typing import Any

from billing import catalogue, stripe_client
from billing.cadence import Cadence
from billing.models import AddOnPrice, Plan, Price, SyncRun
from billing.stripe_client import StripeRefused, fetch, readers

from . import report

PLAN_OF_PRODUCT = "billing_plan"


class Prices:
    """The prices of every page pass here; Stripe is asked about each unknown price at most once."""

    def __init__(self, run: SyncRun, *, is_dry: bool) -> None:
        self.run, self.is_dry = run, is_dry
        self.seen: set[str] = set()

    def take_over_unknown(self, subscriptions: list[dict[str, Any]]) -> None:
        ids = {item["price"]["id"] for found in subscriptions for item in found["items"]["data"]} - self.seen
        self.seen |= ids
        known = Price.objects.filter(pk__in=ids).values_list("pk", flat=True)
        of_add_ons = AddOnPrice.objects.filter(pk__in=ids).values_list("pk", flat=True)
        for price_id in sorted(ids - set(known) - set(of_add_ons)):
            if not self.is_dry:
                self._take_over(price_id)

    def _take_over(self, price_id: str) -> None:
        """Add a plan's price that we know by its lookup key, and the plan if it is gone here, which our mark on the
        product names."""
        try:
            price = stripe_client.get(f"/v1/prices/{price_id}", expand=fetch.PRICE_EXPAND)
        except StripeRefused:
            return
        slug = readers.metadata_of(price["product"] or {}).get(PLAN_OF_PRODUCT, "")
        recurring = price.get("recurring") or {}
        cadence = Cadence(str(recurring.get("interval")), recurring.get("interval_count", 1))
        if slug and price.get("lookup_key") == catalogue.lookup_key(slug, cadence):
            self._make_plan(slug, price["product"])
        if catalogue.record_price(price) or catalogue.add_ons.record_price(price):
            report.note(self.run, f"Price {price_id} had no row here, so it was added.")

    def _make_plan(self, slug: str, product: dict[str, Any]) -> None:
        texts = {"name": product["name"][:100], "description": (product.get("description") or "")[:300]}
        _, is_new = Plan.objects.get_or_create(slug=slug, defaults={**texts, "is_public": False})
        if is_new:
            report.note(self.run, f"Plan {slug} had no row here, so it was added: not public, and without limits.")

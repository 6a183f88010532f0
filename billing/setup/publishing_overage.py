"""This module publishes at Stripe what a use beyond a limit costs: a meter for each feature, and a price for each plan,
feature and cadence.

A meter that exists by its event name is used. A price that differs from BILLING_PLANS gives its lookup key to a new
one, and is archived: who pays it keeps paying it, until the subscription changes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing import stripe_client
from billing.cadence import Cadence
from billing.catalogue import PlanDefinition, definitions, overage
from billing.models import OveragePrice, Plan
from billing.stripe_client import id_of

from . import taxing
from .selling_at_stripe import archive, existing, make_price, make_product

MARK = "billing_overage"
METERS = "/v1/billing/meters"


class UnusableMeter(Exception):
    """A meter of this event name adds up otherwise than we report; the message says what to do."""


@dataclass(frozen=True)
class Wanted:
    """A metered price is wanted: `amounts` is currency → minor units for a use, as text."""

    plan: PlanDefinition
    feature: str
    cadence: Cadence
    amounts: dict[str, str]

    @property
    def key(self) -> str:
        return overage.lookup_key(self.plan.slug, self.feature, self.cadence)


def missing() -> list[str]:
    """Return the lookup keys of metered prices that `publish` would make or store here."""
    wanted = list(_wanted())
    found = existing([each.key for each in wanted])
    here = set(OveragePrice.objects.filter(is_current=True).values_list("pk", flat=True))
    return [each.key for each in wanted if (price := _as_stated(each, found)) is None or price["id"] not in here]


def publish() -> None:
    """Make meters and metered prices that are missing, and store the prices here. Raises `StripeUnavailable`,
    `StripeRefused`, `UnusableMeter`."""
    wanted = list(_wanted())
    publish_these(wanted)
    current = {(each.plan.slug, each.feature, each.cadence) for each in wanted}
    for row in OveragePrice.objects.filter(is_current=True).select_related("plan"):
        if (row.plan.slug, row.feature, row.cadence) not in current:
            OveragePrice.objects.filter(pk=row.pk).update(is_current=False)


def publish_these(wanted: list[Wanted]) -> None:
    """Make the meters and metered prices that are missing, and store the prices here. Raises as `publish` does."""
    found = existing([each.key for each in wanted])
    meters = _meters() if wanted else {}
    for each in wanted:
        price = _as_stated(each, found)
        if price is None:
            name = overage.event_name(each.feature)
            if name not in meters:
                meters[name] = _make_meter(each.feature, name)
            price = _make(each, found.get(each.key), meters[name])
        _record(each, price)


def _wanted() -> Iterator[Wanted]:
    slugs = set(Plan.objects.values_list("slug", flat=True))
    for plan in definitions.defined_plans():
        if plan.slug in slugs:
            for feature, amounts in overage.stated(plan).items():
                for cadence, sold in plan.cadences.items():
                    yield Wanted(plan, feature, cadence, {name: amounts[name] for name in sold if name in amounts})


def _as_stated(wanted: Wanted, found: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
    price = found.get(wanted.key)
    if price is None or not price["active"] or not taxing.may_stay(price):
        return None
    theirs = {name: Decimal(option["unit_amount_decimal"] or 0) for name, option in price["currency_options"].items()}
    return price if theirs == {name: Decimal(amount) for name, amount in wanted.amounts.items()} else None


def _meters() -> dict[str, str]:
    """Return event name → the id of the active meter. Raises `UnusableMeter`."""
    found: dict[str, str] = {}
    params: dict[str, Any] = {"status": "active", "limit": 100}
    while True:
        page = stripe_client.get(METERS, **params)
        for meter in page["data"]:
            found[meter["event_name"]] = meter["id"]
            if meter["event_name"].startswith(overage.event_name("")):
                _check(meter)
        if not page["has_more"]:
            return found
        params["starting_after"] = page["data"][-1]["id"]


def _check(meter: dict[str, Any]) -> None:
    keys = (meter["customer_mapping"]["event_payload_key"], meter["value_settings"]["event_payload_key"])
    if meter["default_aggregation"]["formula"] != "sum" or keys != ("stripe_customer_id", "value"):
        raise UnusableMeter(
            f"The meter {meter['id']} with the event name {meter['event_name']} does not sum up `value` by "
            "`stripe_customer_id`. Deactivate it in the Dashboard, then run this again."
        )


def _make_meter(feature: str, name: str) -> str:
    made = stripe_client.post(
        METERS,
        idempotency_key=f"publish:meter:{name}",
        display_name=feature.replace("_", " ").replace("-", " ").capitalize(),
        event_name=name,
        default_aggregation={"formula": "sum"},
    )
    return str(made["id"])


def _make(wanted: Wanted, before: dict[str, Any] | None, meter: str) -> dict[str, Any]:
    product = id_of(before["product"]) if before else _product(wanted)
    recurring = {"interval": wanted.cadence.interval, "interval_count": wanted.cadence.count}
    recurring |= {"usage_type": "metered", "meter": meter}
    plan, amounts = wanted.plan.slug, wanted.amounts
    made = make_price(wanted.key, plan, MARK, product, amounts, before, meter=meter, recurring=recurring)
    if before and before["active"]:
        archive(before, MARK)
    return made


def _product(wanted: Wanted) -> str:
    """Make a product, whose name stands on invoices: one for each plan and feature."""
    feature = wanted.feature.replace("_", " ").replace("-", " ")
    name = f"{wanted.plan.name}: {feature} beyond the limit"
    return make_product(f"overage:{wanted.plan.slug}:{wanted.feature}", wanted.plan.slug, MARK, name)


def _record(wanted: Wanted, price: dict[str, Any]) -> None:
    plan = Plan.objects.get(slug=wanted.plan.slug)
    cadence = {"interval": wanted.cadence.interval, "interval_count": wanted.cadence.count}
    others = OveragePrice.objects.filter(plan=plan, feature=wanted.feature, is_current=True, **cadence)
    others.exclude(pk=price["id"]).update(is_current=False)
    columns = {
        "plan": plan,
        "feature": wanted.feature,
        **cadence,
        "amounts": wanted.amounts,
        "meter": price["recurring"]["meter"],
        "event_name": overage.event_name(wanted.feature),
        "is_current": True,
    }
    OveragePrice.objects.update_or_create(pk=price["id"], defaults=columns)

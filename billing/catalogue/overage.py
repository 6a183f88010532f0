"""A plan's limit may say what a use beyond it costs; a metered price of each cadence of the plan bills it."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from billing.cadence import Cadence
from billing.conf import conf
from billing.models import OveragePrice, Price

from .definitions import PlanDefinition, defined_plans

MOST_DECIMALS = 12  # Stripe's, of unit_amount_decimal
MOST_AMOUNT = 10**9


def lookup_key(slug: str, feature: str, cadence: Cadence) -> str:
    """Return the lookup key at Stripe. It has no form that a plan's price could have."""
    return f"overage:{slug}:{feature}:{cadence.key}"


def event_name(feature: str) -> str:
    """Return the name of the meter's events. Every plan reports a feature to the same meter."""
    return f"{conf.app_label}_{feature}"


def amount_of(value: Any) -> str | None:
    """Return an amount of minor units as the database keeps it, "2.5"; None if it is no amount above 0 that Stripe
    takes."""
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        return None
    try:
        found = Decimal(value)
    except InvalidOperation:
        return None
    if not found.is_finite() or not 0 < found < MOST_AMOUNT:
        return None
    text = format(found.normalize(), "f")
    return text if len(text.partition(".")[2]) <= MOST_DECIMALS else None


def stated(plan: PlanDefinition) -> dict[str, dict[str, str]]:
    """Return feature → currency → minor units for a use, of what BILLING_PLANS states rightly."""
    return {
        feature: {currency: found for currency, value in amounts.items() if (found := amount_of(value))}
        for feature, amounts in plan.overage.items()
    }


def is_stated() -> bool:
    """Return whether any plan that is defined has a price beyond a limit."""
    return any(plan.overage for plan in defined_plans())


def prices_beside(price: Price) -> list[OveragePrice]:
    """Return the metered prices that a subscription to this price has beside it."""
    rows = OveragePrice.objects.filter(plan=price.plan_id, interval=price.interval, interval_count=price.interval_count)
    return list(rows.filter(is_current=True).order_by("feature"))


def known(ids: Iterable[str]) -> dict[str, OveragePrice]:
    """Return those of these prices at Stripe that bill overage of ours."""
    return OveragePrice.objects.select_related("plan").in_bulk(list(ids))


def rounded(cost: Decimal) -> int:
    """Return whole minor units, as Stripe rounds the sum of a line."""
    return int(cost.quantize(Decimal(1), ROUND_HALF_UP))

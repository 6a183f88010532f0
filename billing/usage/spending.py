"""What a subscriber has used beyond the limits this month, what it costs so far, and the cap on it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.catalogue import overage as catalogue
from billing.models import OveragePrice, SpendCap, Subscription, SubscriptionItem

from . import overage
from .allowances import Allowance, allowance
from .overage import Cap


@dataclass(frozen=True)
class FeatureSpending:
    """A feature that is paid by use: `unit` is minor units for one use, `amount` what `quantity` cost so far."""

    feature: str
    quantity: int
    unit: Decimal
    amount: int


@dataclass(frozen=True)
class Spending:
    """The running month's spending in minor units of `currency`, before tax and discounts; it is billed by the
    subscription's next invoice. `cap` is None where nothing limits it; `is_own` is whether the subscriber set it.
    """

    amount: int
    currency: str
    features: list[FeatureSpending]
    cap: Cap | None
    is_own: bool
    resets_at: datetime

    @property
    def is_reached(self) -> bool:
        return self.cap is not None and self.amount >= self.cap.amount


def spending_of(subscriber: Any, granted: Allowance | None = None) -> Spending | None:
    """Return how a subscriber's spending stands; None if nothing is paid by use."""
    granted = granted or allowance(subscriber)
    by_feature = _priced(granted)
    rows = {row.feature: row for row in overage.running(subscriber, granted)} if granted.overage else {}
    if not by_feature:
        return None
    currency = next(iter(by_feature.values()))[1].currency
    features = [
        FeatureSpending(feature, row.quantity if row else 0, unit, catalogue.rounded(row.cost) if row else 0)
        for feature, (unit, held) in sorted(by_feature.items())
        if held.currency == currency
        for row in [rows.get(feature)]
    ]
    own = SpendCap.objects.filter(subscriber=subscriber, currency=currency).exists()
    resets_at = min(granted.period_of(feature)[1] for feature in by_feature)
    amount = sum(each.amount for each in features)
    return Spending(amount, currency, features, overage.cap_of(subscriber, currency), own, resets_at)


def _priced(granted: Allowance) -> dict[str, tuple[Decimal, Subscription]]:
    """Return feature → what one use costs, and the subscription that bills it."""
    if not granted.overage:
        return {}
    held = {row.pk: row for row in granted.overage.values()}
    items = SubscriptionItem.objects.filter(subscription__in=held, is_metered=True)
    prices = OveragePrice.objects.in_bulk(list(items.values_list("stripe_price", flat=True)))
    found: dict[str, tuple[Decimal, Subscription]] = {}
    for item in items:
        price, row = prices.get(item.stripe_price), held[item.subscription_id]
        unit = price.unit_in(row.currency) if price else None
        if price and unit is not None and granted.overage.get(price.feature) == row:
            found[price.feature] = (unit, row)
    return found

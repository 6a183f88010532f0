"""Use beyond limit and credits is counted here where a metered price bills it, up to the spend cap.

1. `terms_of` says what bills a use: an item of the subscription that gives the plan, while it is active.
2. `count` is one conditional UPDATE of the month's counter: it adds only where the limit is used up, no credits are
   left, and the cap is kept.
3. `reporting` turns what the counters have into usage reports, and sends them to Stripe.

A cap is over all features. With several of them the counters are locked first, in the order of their ids.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.db.models import Exists, F, Sum

from billing import clock
from billing.conf import conf
from billing.models import Credit, OveragePrice, SpendCap, Subscription, SubscriptionItem, Usage, UsageReport

from .allowances import Allowance

ZERO = Decimal(0)
Policy = SpendCap.Policy


@dataclass(frozen=True)
class Cap:
    """A cap on what a month may cost beyond the limits; `amount` is minor units of `currency`."""

    amount: int
    currency: str
    policy: str

    @property
    def stops(self) -> bool:
        return self.policy == Policy.STOP


@dataclass(frozen=True)
class Terms:
    """Terms say what bills a use, and what one costs: `unit` is minor units of the subscription's currency."""

    subscriber: Any
    price: OveragePrice
    subscription: Subscription
    unit: Decimal
    cap: Cap | None


@dataclass(frozen=True)
class Running:
    """A running counter shows what was used beyond one limit this month and what that costs, minor units."""

    feature: str
    quantity: int
    cost: Decimal
    currency: str


def terms_of(subscriber: Any, granted: Allowance, feature: str) -> Terms | None:
    """Return what bills a use beyond the limit now; None if nothing does."""
    subscription = granted.overage.get(feature)
    if subscription is None or granted.withholds_credits:
        return None
    items = SubscriptionItem.objects.filter(subscription=subscription, is_metered=True)
    price = OveragePrice.objects.filter(pk__in=items.values("stripe_price"), feature=feature).first()
    unit = price.unit_in(subscription.currency) if price else None
    if price is None or unit is None:
        return None
    return Terms(subscriber, price, subscription, unit, cap_of(subscriber, subscription.currency))


def cap_of(subscriber: Any, currency: str) -> Cap | None:
    """Return the cap in a currency: the subscriber's own, or BILLING_SPEND_CAP."""
    own = SpendCap.objects.filter(subscriber=subscriber).first()
    if own is not None and own.currency == currency:
        return Cap(own.amount, currency, own.policy)
    amount = conf.spend_cap.get(currency)
    return None if amount is None else Cap(amount, currency, conf.spend_cap_policy)


def lock(subscriber: Any, granted: Allowance, terms: Terms) -> None:
    """Lock the counters that share a cap, where there are several: each may use what another leaves."""
    if terms.cap is None or not terms.cap.stops or len(granted.overage) == 1:
        return
    rows = [Usage(subscriber=subscriber, feature=name, period_start=granted.period_of(name)[0])
            for name in sorted(granted.overage)]  # fmt: skip
    Usage.objects.bulk_create(rows, ignore_conflicts=True)
    starts = {row.period_start for row in rows}
    shared = Usage.objects.filter(subscriber=subscriber, feature__in=granted.overage, period_start__in=starts)
    list(shared.order_by("pk").select_for_update().values_list("pk", flat=True))


def count(counter: Any, quantity: int, limit: int, granted: Allowance, terms: Terms, feature: str) -> bool:
    """Add a use beyond the limit in one statement; return False, with nothing counted, if any condition fails."""
    left = Credit.objects.spendable(terms.subscriber, clock.now()).filter(feature=feature)
    rows = counter.filter(~Exists(left.order_by()), used__gte=limit, overage_price=terms.price.pk)
    return bool(_within_cap(rows, quantity, granted, terms, feature).update(**_added(quantity, terms)))


def add(counter: Any, quantity: int, granted: Allowance, terms: Terms, feature: str) -> bool:
    """Add to a counter that the caller has locked; return False, with nothing counted, if the cap would be passed."""
    return bool(_within_cap(counter, quantity, granted, terms, feature).update(**_added(quantity, terms)))


def _added(quantity: int, terms: Terms) -> dict[str, Any]:
    return {
        "overage": F("overage") + quantity,
        "has_overage": True,
        "overage_at": _moment(terms.subscription),
        "overage_price": terms.price.pk,
        "overage_subscription": terms.subscription.stripe_id,
    }


def _moment(subscription: Subscription) -> datetime:
    """Return the time of a use. While a renewal or an end was not heard of yet, it is in the period that we know, which
    Stripe bills."""
    now, end = clock.now(), subscription.current_period_end
    return now if end is None or now < end else end - timedelta(seconds=1)


def _within_cap(rows: Any, quantity: int, granted: Allowance, terms: Terms, feature: str) -> Any:
    if terms.cap is None or not terms.cap.stops:
        return rows
    most = most_of(granted, terms, terms.cap, feature)
    return rows.filter(overage__lte=most - quantity) if most >= quantity else rows.none()


def most_of(granted: Allowance, terms: Terms, cap: Cap, feature: str) -> int:
    """Return the most that the counter of a feature may count this month without passing the cap."""
    others = [row for row in running(terms.subscriber, granted) if row.feature != feature]
    elsewhere = sum((row.cost for row in others if row.currency == cap.currency), ZERO)
    start = granted.period_of(feature)[0]
    reports = UsageReport.objects.filter(usage__subscriber=terms.subscriber, usage__feature=feature)
    earlier = reports.filter(usage__period_start=start).exclude(price=terms.price)
    before = [(row["quantity__sum"], _unit_of(row)) for row in _by_price(earlier)]
    elsewhere += sum((number * unit for number, unit in before), ZERO)
    left = max((cap.amount - elsewhere) / terms.unit, ZERO).to_integral_value(ROUND_FLOOR)
    return int(left) + sum(number for number, _ in before)


def running(subscriber: Any, granted: Allowance) -> list[Running]:
    """Return what was used beyond the limits in the running months, and what it costs; none for most subscribers."""
    counters = Usage.objects.filter(subscriber=subscriber, has_overage=True, overage__gt=0).order_by("feature")
    rows = [row for row in counters if row.period_start == granted.period_of(row.feature)[0]]
    if not rows:
        return []
    reported = list(_by_price(UsageReport.objects.filter(usage__in=rows)))
    prices = OveragePrice.objects.in_bulk([row.overage_price for row in rows])
    held = Subscription.objects.filter(stripe_id__in=[row.overage_subscription for row in rows])
    currencies = dict(held.values_list("stripe_id", "currency"))
    return [_running(row, reported, prices, currencies) for row in rows if row.overage_subscription in currencies]


def _running(
    row: Usage, reported: list[dict[str, Any]], prices: dict[str, OveragePrice], currencies: dict[str, str]
) -> Running:
    currency = currencies[row.overage_subscription]
    cost = sum((each["quantity__sum"] * _unit_of(each) for each in reported if each["usage"] == row.pk), ZERO)
    price = prices.get(row.overage_price)
    unit = (price.unit_in(currency) if price else None) or ZERO
    return Running(row.feature, row.overage, cost + (row.overage - row.reported) * unit, currency)


def _by_price(reports: Any) -> Any:
    """Return the sums of reports by counter, price and currency. What staff gave up is not billed."""
    rows = reports.exclude(state=UsageReport.State.DROPPED).values("usage", "currency", "price__amounts")
    return rows.order_by().annotate(Sum("quantity"))


def _unit_of(row: dict[str, Any]) -> Decimal:
    return Decimal(row["price__amounts"].get(row["currency"], 0))

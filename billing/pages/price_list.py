"""The price page's content: a card per public plan, in the interval and currency asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.urls import reverse

from billing import catalogue
from billing.catalogue import visitors
from billing.conf import conf
from billing.models import Plan, Price
from billing.money import format_amount
from billing.pages.wording import humanize

Interval = Price.Interval
SHOWN = (Interval.MONTH, Interval.YEAR)


@dataclass(frozen=True)
class Card:
    """`price` is None for a plan that is not for sale in this interval and currency: the free one, mostly. `seats` is 0
    where they are not counted."""

    plan: Plan
    interval: str
    price: Price | None
    currency: str
    is_free: bool
    saved_percent: int
    seats: int = 0

    @property
    def is_per_seat(self) -> bool:
        return bool(conf.seats) and self.price is not None

    @property
    def seats_total(self) -> str:
        """What all seats cost together, where they are counted and it is known for whom."""
        return format_amount(self._minor * self.seats, self.currency).removesuffix(".00") if self.seats else ""

    @property
    def amount(self) -> str:
        """Whole amounts without their decimals, which say nothing here."""
        return "" if self.price is None else format_amount(self._minor, self.currency).removesuffix(".00")

    @property
    def per_month(self) -> str:
        """A yearly price as a month's share."""
        return format_amount(self._minor // 12, self.currency) if self.interval == Interval.YEAR and self.price else ""

    @property
    def checkout_path(self) -> str:
        query = urlencode({"plan": self.plan.slug, "interval": self.interval, "currency": self.currency})
        return f"{reverse('billing:checkout')}?{query}"

    @property
    def limits(self) -> list[str]:
        return [_limit(row.feature, row.quantity) for row in self.plan.limits.all()]

    @property
    def _minor(self) -> int:
        return catalogue.amounts(self.price)[self.currency] if self.price else 0


@dataclass(frozen=True)
class PriceList:
    interval: str
    currency: str
    currencies: list[str]
    cards: list[Card]

    @classmethod
    def asked_for(cls, asked: Mapping[str, str], accept_language: str = "", seats: int = 0) -> "PriceList":
        """`interval` and `currency` from a query or form; what is not for sale falls back to what most likely suits.

        `seats`: for how many the totals are; 0 for none.
        """
        interval = asked.get("interval", "")
        interval = interval if interval in SHOWN else Interval.MONTH.value
        plans = list(catalogue.public_plans())
        currencies = catalogue.currencies_of(plans)
        currency = visitors.currency_of_visitor(asked.get("currency", ""), accept_language, currencies)
        return cls(interval, currency, currencies, [_card(plan, interval, currency, seats) for plan in plans])

    @property
    def best_saving(self) -> int:
        return max((card.saved_percent for card in self.cards), default=0)

    def card(self, slug: str) -> Card | None:
        return next((card for card in self.cards if card.plan.slug == slug), None)


def _card(plan: Plan, interval: str, currency: str, seats: int) -> Card:
    price = catalogue.price_for_sale(plan, interval)
    is_sold = price is not None and currency in catalogue.amounts(price)
    sold, is_free = price if is_sold else None, not plan.prices.all()
    return Card(plan, interval, sold, currency, is_free, _saving(plan, currency), seats if sold else 0)


def _saving(plan: Plan, currency: str) -> int:
    """By how many whole percent a year is cheaper than twelve months."""
    month, year = catalogue.price_for_sale(plan, Interval.MONTH), catalogue.price_for_sale(plan, Interval.YEAR)
    monthly = catalogue.amounts(month).get(currency) if month else None
    yearly = catalogue.amounts(year).get(currency) if year else None
    if not monthly or yearly is None:
        return 0
    return max(int(100 - Decimal(yearly) * 100 / (monthly * 12)), 0)


def _limit(feature: str, quantity: int | None) -> str:
    return f"Unlimited {humanize(feature)}" if quantity is None else f"{quantity:,} {humanize(feature)}"

"""The price page shows a card for each public plan, in the interval and currency asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse

from billing import catalogue
from billing.catalogue import visitors
from billing.conf import conf
from billing.models import Plan, Price
from billing.money import format_amount

from .wording import humanize

Interval = Price.Interval
SHOWN = (Interval.MONTH, Interval.YEAR)


class Saving(NamedTuple):
    """A year costs less than twelve months: by `percent`, and by `months` where that is a whole number."""

    percent: int
    months: int

    def __str__(self) -> str:
        if self.percent == 0:
            return ""
        if self.months == 0:
            return f"Save {self.percent}%"
        return f"Save {self.months} month{'s' if self.months > 1 else ''} ({self.percent}%)"


@dataclass(frozen=True)
class Card:
    """A card shows one plan on the price page. `price` is None for a plan that is not sold in this interval and
    currency, usually the free plan. `seats` is 0 where seats are not counted."""

    plan: Plan
    interval: str
    price: Price | None
    currency: str
    is_free: bool
    saving: Saving
    seats: int = 0

    @property
    def is_per_seat(self) -> bool:
        return bool(conf.seats) and self.price is not None

    @property
    def seats_total(self) -> str:
        """Return the price of all seats together, where seats are counted and the subscriber is known."""
        return format_amount(self._minor * self.seats, self.currency).removesuffix(".00") if self.seats else ""

    @property
    def amount(self) -> str:
        """Return the price, without decimals where the amount is whole."""
        return "" if self.price is None else format_amount(self._minor, self.currency).removesuffix(".00")

    @property
    def nothing(self) -> str:
        """Return the price of a free plan, such as "€0"; "Free" while no currency is sold."""
        return format_amount(0, self.currency).removesuffix(".00") if self.currency else "Free"

    @property
    def per_month(self) -> str:
        """Return one twelfth of a yearly price."""
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
        """Build the list for the `interval` and `currency` of a query or form; a wrong value falls back to the
        likeliest one.

        `seats`: the number of seats the totals are for; 0 for none.
        """
        interval = asked.get("interval", "")
        interval = interval if interval in SHOWN else Interval.MONTH.value
        plans = list(catalogue.public_plans())
        currencies = catalogue.currencies_of(plans)
        currency = visitors.currency_of_visitor(asked.get("currency", ""), accept_language, currencies)
        return cls(interval, currency, currencies, [_card(plan, interval, currency, seats) for plan in plans])

    @property
    def best_saving(self) -> str:
        """Return what the yearly price saves at most, such as "Save 2 months (16%)"; empty where it saves nothing."""
        return str(max((card.saving for card in self.cards), default=Saving(0, 0)))

    def of_line(self, line: str) -> "PriceList":
        """Return the list with the plans of one line only."""
        return replace(self, cards=[card for card in self.cards if card.plan.line == line])

    def card(self, slug: str) -> Card | None:
        return next((card for card in self.cards if card.plan.slug == slug), None)


def _card(plan: Plan, interval: str, currency: str, seats: int) -> Card:
    price = catalogue.price_for_sale(plan, interval)
    is_sold = price is not None and currency in catalogue.amounts(price)
    sold, is_free = price if is_sold else None, not plan.prices.all()
    return Card(plan, interval, sold, currency, is_free, _saving(plan, currency), seats if sold else 0)


def _saving(plan: Plan, currency: str) -> Saving:
    """Compare the yearly price with twelve monthly ones."""
    month, year = catalogue.price_for_sale(plan, Interval.MONTH), catalogue.price_for_sale(plan, Interval.YEAR)
    monthly = catalogue.amounts(month).get(currency) if month else None
    yearly = catalogue.amounts(year).get(currency) if year else None
    if not monthly or yearly is None:
        return Saving(0, 0)
    months, rest = divmod(monthly * 12 - yearly, monthly)
    return Saving(max(int(100 - Decimal(yearly) * 100 / (monthly * 12)), 0), 0 if rest else months)


def _limit(feature: str, quantity: int | None) -> str:
    return f"Unlimited {humanize(feature)}" if quantity is None else f"{quantity:,} {humanize(feature)}"

"""The price page shows a card for each public plan, by the cadence and in the currency asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple
from urllib.parse import urlencode

from billing import catalogue, site
from billing.cadence import Cadence
from billing.catalogue import amounts, labels, visitors
from billing.conf import conf
from billing.models import Plan, Price
from billing.money import format_amount

from .wording import humanize

MONTHLY, YEARLY = Cadence("month"), Cadence("year")


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
    """A card shows one plan on the price page. `price` is None for a plan that is not sold by this cadence and in this
    currency, usually the free plan. `seats` is 0 where seats are not counted."""

    plan: Plan
    cadence: Cadence
    price: Price | None
    currency: str
    is_free: bool
    saving: Saving
    not_sold: str = ""
    seats: int = 0
    code: str = ""  # a promotion code that is carried to Checkout
    code_amount: str = ""
    code_words: str = ""
    code_problem: str = ""

    @property
    def is_per_seat(self) -> bool:
        return bool(conf.seats) and self.price is not None and labels.model_of(self.price) == "flat"

    @property
    def costs_nothing(self) -> bool:
        """Return whether the price is sold for nothing: then no card is asked for."""
        return self.price is not None and amounts.is_free(self.price, self.currency)

    @property
    def seats_total(self) -> str:
        """Return the price of all seats together, where seats are counted and the subscriber is known."""
        total = amounts.cost(self.price, self.currency, self.seats) if self.price and self.seats else None
        return "" if total is None else format_amount(total, self.currency).removesuffix(".00")

    @property
    def amount(self) -> str:
        """Return the price, without decimals where the amount is whole; "" where Stripe did not tell it."""
        return labels.figure(self.price, self.currency).removesuffix(".00") if self.price else ""

    @property
    def unit(self) -> str:
        return labels.unit_words(self.price) if self.price else ""

    @property
    def tiers(self) -> list[tuple[str, str]]:
        return labels.tier_words(self.price, self.currency) if self.price else []

    @property
    def tiers_words(self) -> str:
        """Return how the tiers are meant: the one reached is for all units, or each is for its own."""
        is_volume = self.price is not None and labels.model_of(self.price) == "volume"
        return "Price for all units, by their number" if is_volume else "Price of each unit"

    @property
    def tax(self) -> str:
        """Return whether tax is in the price, where Stripe says so."""
        behavior = amounts.tax_behavior(self.price, self.currency) if self.price else ""
        return {"inclusive": "Tax included", "exclusive": "Plus tax"}.get(behavior, "")

    @property
    def nothing(self) -> str:
        """Return the price of a free plan, such as "€0"; "Free" while no currency is sold."""
        return format_amount(0, self.currency).removesuffix(".00") if self.currency else "Free"

    @property
    def per_month(self) -> str:
        """Return a month's part of a price that is charged for several months, rounded down."""
        if self.price is None or self.cadence.months <= 1 or not amounts.is_plain(self.price, self.currency):
            return ""
        total = amounts.cost(self.price, self.currency) or 0
        return format_amount(int(total / self.cadence.months), self.currency) if total else ""

    @property
    def checkout_path(self) -> str:
        return f"{site.path_of('checkout')}?{urlencode({'plan': self.plan.slug, **self.query})}"

    @property
    def query(self) -> dict[str, str]:
        carried = {"code": self.code} if self.code else {}
        return {**cadence_query(self.cadence), "currency": self.currency, **carried}

    @property
    def limits(self) -> list[str]:
        return [_limit(row.feature, row.quantity) for row in self.plan.limits.all()]


@dataclass(frozen=True)
class PriceList:
    cadence: Cadence
    cadences: list[Cadence]
    currency: str
    currencies: list[str]
    cards: list[Card]

    @classmethod
    def asked_for(cls, asked: Mapping[str, str], accept_language: str = "", seats: int = 0) -> "PriceList":
        """Build the list for the `interval`, `interval_count` and `currency` of a query or form; a wrong value falls
        back to the likeliest one.

        `seats`: the number of seats the totals are for; 0 for none.
        """
        plans = list(catalogue.public_plans())
        cadences = catalogue.cadences_of(plans)
        likeliest = MONTHLY if MONTHLY in cadences or not cadences else cadences[0]
        cadence = next((sold for sold in cadences if cadence_query(sold) == _asked(asked)), likeliest)
        currencies = catalogue.currencies_of(plans)
        currency = visitors.currency_of_visitor(asked.get("currency", ""), accept_language, currencies)
        cards = [_card(plan, cadence, currency, seats) for plan in plans]
        return cls(cadence, cadences, currency, currencies, cards)

    @property
    def intervals(self) -> list[tuple[str, str, bool]]:
        """Return a link for each cadence, as the switch shows them: query, words, whether it is the one shown."""
        return [(urlencode(cadence_query(each)), _title(each), each == self.cadence) for each in self.cadences]

    @property
    def query(self) -> str:
        return urlencode(cadence_query(self.cadence))

    @property
    def best_saving(self) -> str:
        """Return what the yearly price saves at most, such as "Save 2 months (16%)"; empty where it saves nothing."""
        return str(max((card.saving for card in self.cards), default=Saving(0, 0)))

    def of_line(self, line: str) -> "PriceList":
        """Return the list with the plans of one line only."""
        return replace(self, cards=[card for card in self.cards if card.plan.line == line])

    def card(self, slug: str) -> Card | None:
        return next((card for card in self.cards if card.plan.slug == slug), None)


def cadence_query(cadence: Cadence) -> dict[str, str]:
    """Return the parameters of an address that name a cadence."""
    return {"interval": cadence.interval} | ({"interval_count": str(cadence.count)} if cadence.count > 1 else {})


def _asked(asked: Mapping[str, str]) -> dict[str, str]:
    count = asked.get("interval_count", "")
    return {"interval": asked.get("interval", "")} | ({"interval_count": count} if count not in {"", "1"} else {})


def _title(cadence: Cadence) -> str:
    return cadence.adverb.capitalize()


def _card(plan: Plan, cadence: Cadence, currency: str, seats: int) -> Card:
    price = catalogue.price_for_sale(plan, cadence)
    is_sold = price is not None and currency in amounts.currencies(price)
    sold, is_free = price if is_sold else None, not plan.prices.all()
    return Card(
        plan=plan,
        cadence=cadence,
        price=sold,
        currency=currency,
        is_free=is_free,
        saving=_saving(plan, currency),
        not_sold="" if is_sold or is_free else _not_sold(price, cadence, currency),
        seats=seats if sold else 0,
    )


def _not_sold(price: Price | None, cadence: Cadence, currency: str) -> str:
    if price is None:
        return f"Not sold {cadence.adverb}"
    return f"Not sold in {currency.upper()}, but in {', '.join(code.upper() for code in amounts.currencies(price))}"


def _saving(plan: Plan, currency: str) -> Saving:
    """Compare the yearly price with twelve monthly ones."""
    monthly, yearly = (_plain(catalogue.price_for_sale(plan, cadence), currency) for cadence in (MONTHLY, YEARLY))
    if not monthly or yearly is None:
        return Saving(0, 0)
    months, rest = divmod(monthly * 12 - yearly, monthly)
    return Saving(max(int(100 - Decimal(yearly) * 100 / (monthly * 12)), 0), 0 if rest else months)


def _plain(price: Price | None, currency: str) -> int | None:
    return amounts.cost(price, currency) if price and amounts.is_plain(price, currency) else None


def _limit(feature: str, quantity: int | None) -> str:
    return f"Unlimited {humanize(feature)}" if quantity is None else f"{quantity:,} {humanize(feature)}"

"""The price page shows a card for each public plan, by the cadence and in the currency asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from billing import catalogue, site
from billing.cadence import Cadence
from billing.catalogue import amounts, labels, visitors
from billing.conf import conf
from billing.lifecycle import trials
from billing.localized import amount, number, short_amount
from billing.models import Plan, Price

from . import savings, tax_words
from .savings import Saving
from .status_words import humanize

MONTHLY = Cadence("month")


class Interval(NamedTuple):
    """An interval of the switch: the query of its link, its words, whether it is the one shown, what it saves at
    most."""

    query: str
    words: str
    is_shown: bool
    saving: str


@dataclass(frozen=True)
class Card:
    """A card shows one plan on the price page. `price` is None for a plan that is not sold by this cadence and in this
    currency, usually the free plan. `seats` is 0 where seats are not counted. `trial` is that of the reader: who had
    one is offered none."""

    plan: Plan
    cadence: Cadence
    price: Price | None
    currency: str
    is_free: bool
    saving: Saving
    not_sold: str = ""
    seats: int = 0
    trial: trials.Offer = trials.NONE
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
    def quantity(self) -> int:
        """Return the seats that amounts are compared by: those of the subscriber, else the fewest that are sold."""
        return max(self.seats, self.fewest_seats, 1)

    @property
    def fewest_seats(self) -> int:
        """Return how many seats the plan is sold for at least; 0 where seats are not counted, or one is enough."""
        return self.plan.min_seats if conf.seats and self.plan.min_seats > 1 else 0

    @property
    def fewest_total(self) -> str:
        """Return the price of the fewest seats, where more than one is the least."""
        fewest = self.fewest_seats
        total = amounts.cost(self.price, self.currency, fewest) if self.price and fewest else None
        return "" if total is None else short_amount(total, self.currency)

    @property
    def seats_total(self) -> str:
        """Return the price of all seats together, where seats are counted and the subscriber is known."""
        total = amounts.cost(self.price, self.currency, self.seats) if self.price and self.seats else None
        return "" if total is None else short_amount(total, self.currency)

    @property
    def amount(self) -> str:
        """Return the price, without decimals where the amount is whole; "" where Stripe did not tell it. Tiers begin
        with the fewest seats."""
        if self.price and amounts.is_tiered(self.price) and self.fewest_total:
            return _("from {amount}").format(amount=self.fewest_total)
        return labels.short_figure(self.price, self.currency) if self.price else ""

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
        if conf.seats:
            return _("Price for all seats, by their number") if is_volume else _("Price of each seat")
        return _("Price for all units, by their number") if is_volume else _("Price of each unit")

    @property
    def tax(self) -> str:
        """Return whether tax is in the price, where Stripe says so."""
        return tax_words.of_price(self.price, self.currency)

    @property
    def nothing(self) -> str:
        """Return the price of a free plan, such as "€0"; "Free" while no currency is sold."""
        return short_amount(0, self.currency) if self.currency else _("Free")

    @property
    def per_month(self) -> str:
        """Return a month's part of a price that is charged for several months, rounded down."""
        if self.price is None or self.cadence.months <= 1 or not amounts.is_plain(self.price, self.currency):
            return ""
        total = amounts.cost(self.price, self.currency) or 0
        return amount(int(total / self.cadence.months), self.currency) if total else ""

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
    def asked_for(
        cls,
        asked: Mapping[str, str],
        accept_language: str = "",
        seats: int = 0,
        offers: trials.Offers | None = None,
    ) -> "PriceList":
        """Build the list for the `interval`, `interval_count` and `currency` of a query or form; a wrong value falls
        back to the likeliest one.

        `seats`: the number of seats the totals are for; 0 for none. `offers`: the trials of the reader.
        """
        plans = list(catalogue.public_plans())
        cadences = catalogue.cadences_of(plans)
        likeliest = MONTHLY if MONTHLY in cadences or not cadences else cadences[0]
        cadence = next((sold for sold in cadences if cadence_query(sold) == _asked(asked)), likeliest)
        currencies = catalogue.currencies_of(plans)
        currency = visitors.currency_of_visitor(asked.get("currency", ""), accept_language, currencies)
        offers = offers or trials.Offers(None)
        cards = [_card(plan, cadence, currency, seats, offers) for plan in plans]
        return cls(cadence, cadences, currency, currencies, cards)

    @property
    def intervals(self) -> list[Interval]:
        """Return a link for each cadence, the shortest first, as the switch shows them."""
        return [
            Interval(urlencode(cadence_query(each)), each.title, each == self.cadence, self.best_saving(each))
            for each in self.cadences
        ]

    @property
    def query(self) -> str:
        return urlencode(cadence_query(self.cadence))

    def best_saving(self, cadence: Cadence) -> str:
        """Return what a cadence saves at most against the shortest one, such as "Save 2 months (16%)"; "" for none."""
        found = (savings.saving_of(card.plan, cadence, self.currency, card.quantity) for card in self.cards)
        return str(max(found, default=savings.NONE))

    @property
    def tax(self) -> str:
        """Return what holds of the tax of all prices shown."""
        return tax_words.of_prices({card.tax for card in self.cards if card.price and not card.costs_nothing})

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


def _card(plan: Plan, cadence: Cadence, currency: str, seats: int, offers: trials.Offers) -> Card:
    price = catalogue.price_for_sale(plan, cadence)
    is_sold = price is not None and currency in amounts.currencies(price)
    sold, is_free = price if is_sold else None, not plan.prices.all()
    quantity = max(seats, plan.min_seats) if conf.seats else 1
    return Card(
        plan=plan,
        cadence=cadence,
        price=sold,
        currency=currency,
        is_free=is_free,
        saving=savings.saving_of(plan, cadence, currency, quantity) if sold else savings.NONE,
        not_sold="" if is_sold or is_free else _not_sold(price, cadence, currency),
        seats=quantity if sold and seats else 0,
        trial=offers.of(plan) if sold and not amounts.is_free(sold, currency) else trials.NONE,
    )


def _not_sold(price: Price | None, cadence: Cadence, currency: str) -> str:
    if price is None:
        return _("Not sold {how_often}").format(how_often=cadence.adverb)
    sold = ", ".join(code.upper() for code in amounts.currencies(price))
    return _("Not sold in {currency}, but in {others}").format(currency=currency.upper(), others=sold)


def _limit(feature: str, quantity: int | None) -> str:
    if quantity is None:
        return _("Unlimited {feature}").format(feature=humanize(feature))
    return f"{number(quantity)} {humanize(feature)}"

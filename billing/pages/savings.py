"""A longer interval may save against the shortest one in which a plan is sold: the price page says how much."""

from fractions import Fraction
from typing import NamedTuple

from django.utils.translation import gettext, ngettext

from billing import catalogue
from billing.cadence import Cadence
from billing.catalogue import amounts
from billing.localized import percent
from billing.models import Plan, Price


class Saving(NamedTuple):
    """It costs less than the shortest interval for the same time: by `percent`, and by `months` where those are whole
    and the shortest interval is a month."""

    percent: int
    months: int

    def __str__(self) -> str:
        if self.percent == 0:
            return ""
        if self.months == 0:
            return gettext("Save {share}").format(share=percent(self.percent))
        words = ngettext("Save {count} month ({share})", "Save {count} months ({share})", self.months)
        return words.format(count=self.months, share=percent(self.percent))


NONE = Saving(0, 0)


def saving_of(plan: Plan, cadence: Cadence, currency: str, quantity: int) -> Saving:
    """Compare a plan's price by a cadence with that by its shortest one, for as many units, and the same time."""
    sold = {each: _cost(plan, each, currency, quantity) for each in catalogue.cadences_of([plan])}
    known = {each: cost for each, cost in sold.items() if cost}
    if cadence not in known or (shortest := next(iter(known))) == cadence:
        return NONE
    instead = known[shortest] * cadence.months / shortest.months
    saved = instead - known[cadence]
    percent = max(int(100 * saved / instead), 0)
    months = saved / known[shortest] if shortest == Cadence("month") else Fraction(0)
    return Saving(percent, int(months) if months > 0 and months.denominator == 1 else 0)


def _cost(plan: Plan, cadence: Cadence, currency: str, quantity: int) -> int | None:
    """Return what the units cost each time; None where that is not known ahead, as of usage."""
    price: Price | None = catalogue.price_for_sale(plan, cadence)
    return amounts.cost(price, currency, quantity) if price and currency in amounts.currencies(price) else None

"""A label shows a price truthfully, whatever its kind: by unit, in packages or tiers, by usage. Amounts have no sums of
seats: those are `amounts.cost`.
"""

from decimal import Decimal

from django.utils.translation import gettext

from billing.localized import amount, language, number
from billing.models import Price
from billing.money import DEFAULT_LOCALE, format_amount

from . import amounts


def model_of(price: Price) -> str:
    """Return `flat`, `package`, `graduated` or `volume`: how the quantity makes the amount."""
    if amounts.is_tiered(price):
        return str(price.terms["tiers_mode"])
    return "package" if amounts.package_of(price) > 1 else "flat"


def lowest(price: Price, currency: str) -> int | Decimal | None:
    """Return the amount to begin with: of one unit, of one package, or of the first tier; None if it is not known."""
    if steps := amounts.tiers(price, currency):
        return steps[0].unit + steps[0].flat if amounts.is_metered(price) else amounts.cost(price, currency)
    return amounts.unit(price, currency)


def figure(price: Price, currency: str, locale: str = DEFAULT_LOCALE) -> str:
    """Return `$20.00`, or `from $10.00` for tiers; "" if the amount is not known here."""
    return _figure(price, currency, locale)


def short_figure(price: Price, currency: str) -> str:
    """Return `$20`, or `from $10` for tiers, as readers of the active language write it; "" if it is not known here."""
    return _figure(price, currency, language(), is_short=True)


def _figure(price: Price, currency: str, locale: str, *, is_short: bool = False) -> str:
    minor = lowest(price, currency)
    if minor is None:
        return ""
    words = format_amount(minor, currency, locale, is_short=is_short)
    return gettext("from {amount}").format(amount=words) if amounts.is_tiered(price) else words


def unit_words(price: Price) -> str:
    """Return what one amount buys, such as `5 units`; "" where that is simply the plan."""
    size = amounts.package_of(price)
    if size > 1:
        return gettext("{count} units").format(count=number(size))
    return gettext("unit used") if amounts.is_metered(price) else ""


def tier_words(price: Price, currency: str) -> list[tuple[str, str]]:
    """Return for each tier the quantities that it is for, and what they cost."""
    found, first = [], 1
    for tier in amounts.tiers(price, currency):
        start = number(first)
        if tier.up_to is None:
            reach = gettext("{count} and more").format(count=start)
        else:
            reach = start if tier.up_to == first else f"{start}–{number(tier.up_to)}"
        each, whole = gettext("{amount} each"), gettext("{amount} in all")
        parts = [each.format(amount=amount(tier.unit, currency))] if tier.unit or not tier.flat else []
        parts += [whole.format(amount=amount(tier.flat, currency))] if tier.flat else []
        found.append((reach, " + ".join(parts)))
        first = (tier.up_to or 0) + 1
    return found

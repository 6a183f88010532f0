"""A label shows a price truthfully, whatever its kind: by unit, in packages or tiers, by usage. Amounts have no sums of
seats: those are `amounts.cost`.
"""

from decimal import Decimal

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
    amount = lowest(price, currency)
    if amount is None:
        return ""
    return f"{'from ' if amounts.is_tiered(price) else ''}{format_amount(amount, currency, locale)}"


def unit_words(price: Price) -> str:
    """Return what one amount buys, such as `5 units`; "" where that is simply the plan."""
    size = amounts.package_of(price)
    if size > 1:
        return f"{size:,} units"
    return "unit used" if amounts.is_metered(price) else ""


def tier_words(price: Price, currency: str, locale: str = DEFAULT_LOCALE) -> list[tuple[str, str]]:
    """Return for each tier the quantities that it is for, and what they cost."""
    found, first = [], 1
    for tier in amounts.tiers(price, currency):
        reach = f"{first:,} and more" if tier.up_to is None else f"{first:,}–{tier.up_to:,}"
        parts = [f"{format_amount(tier.unit, currency, locale)} each"] if tier.unit or not tier.flat else []
        parts += [f"{format_amount(tier.flat, currency, locale)} in all"] if tier.flat else []
        found.append((reach if tier.up_to != first else f"{first:,}", " + ".join(parts)))
        first = (tier.up_to or 0) + 1
    return found

"""This module reckons the cost of a price as Stripe does: by unit, package or tier. Amounts are minor units.

`Price.terms` holds what Stripe says beyond an amount by unit: `decimals`, amounts with a fraction of a minor unit by
currency; `package`, how many units one amount buys; `tiers_mode` and `tiers` by currency; `is_metered`;
`tax_behaviors` of other currencies.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from billing.models import Price

ZERO = Decimal(0)


@dataclass(frozen=True)
class Tier:
    """A tier reaches up to so many units, None for any number: each costs `unit`, and the tier costs `flat`."""

    up_to: int | None
    unit: Decimal
    flat: Decimal


def terms_of(stripe_price: dict[str, Any]) -> dict[str, Any] | None:
    """Return the terms of a price; None if it is by tiers that were not expanded, so that what we know stays."""
    options = _other_options(stripe_price)
    terms: dict[str, Any] = {}
    if stripe_price.get("billing_scheme") == "tiered":
        if stripe_price.get("tiers") is None:
            return None
        terms["tiers_mode"] = stripe_price.get("tiers_mode")
        in_all = {stripe_price["currency"]: stripe_price, **options}
        terms["tiers"] = {currency: _stated_tiers(found) for currency, found in in_all.items()}
    decimals = {c: found for c, option in {stripe_price["currency"]: stripe_price, **options}.items()
                if (found := _decimal_of(option))}  # fmt: skip
    behaviors = {currency: option["tax_behavior"] for currency, option in options.items() if option.get("tax_behavior")}
    package = stripe_price.get("transform_quantity")
    return terms | {
        name: value
        for name, value in {
            "decimals": decimals,
            "package": package,
            "is_metered": (stripe_price.get("recurring") or {}).get("usage_type") == "metered",
            "tax_behaviors": behaviors if set(behaviors.values()) - {stripe_price.get("tax_behavior")} else {},
        }.items()
        if value
    }


def currencies(price: Price) -> list[str]:
    """Return every currency that the price is sold in, its own first."""
    others = (price.currency_options, price.terms.get("decimals", {}), price.terms.get("tiers", {}))
    return list(dict.fromkeys([price.currency, *(currency for found in others for currency in found)]))


def unit(price: Price, currency: str) -> Decimal | None:
    """Return what a unit (or a package) costs; None for tiers, and in a currency that the price is not sold in."""
    decimal = price.terms.get("decimals", {}).get(currency)
    whole = price.unit_amount if currency == price.currency else price.currency_options.get(currency)
    stated = whole if decimal is None else decimal
    return None if stated is None else Decimal(stated)


def tiers(price: Price, currency: str) -> list[Tier]:
    """Return the tiers, the lowest first; none for a price without tiers."""
    found = price.terms.get("tiers", {}).get(currency) or []
    return [Tier(tier["up_to"], Decimal(tier["unit"]), Decimal(tier["flat"])) for tier in found]


def package_of(price: Price) -> int:
    """Return how many units one amount buys: 1, unless Stripe sells packages."""
    return int((price.terms.get("package") or {}).get("divide_by", 1))


def is_metered(price: Price) -> bool:
    """Return whether the price is billed by usage, after it was used: then it has no quantity."""
    return bool(price.terms.get("is_metered"))


def is_tiered(price: Price) -> bool:
    return "tiers" in price.terms


def is_plain(price: Price, currency: str) -> bool:
    """Return whether the price is a whole amount × quantity."""
    each = unit(price, currency)
    return each is not None and each == each.to_integral_value() and package_of(price) == 1 and not is_metered(price)


def amounts(price: Price) -> dict[str, int]:
    """Return the amounts of a unit by currency, the price's own first; none where it is not amount × quantity."""
    return {currency: _whole(price, currency) for currency in currencies(price) if is_plain(price, currency)}


def cost(price: Price, currency: str, quantity: int = 1) -> int | None:
    """Return what a quantity costs each time; None where that is not known ahead: by usage, or in that currency.

    Discounts and taxes are not counted.
    """
    if is_metered(price):
        return None
    if steps := tiers(price, currency):
        is_volume = price.terms["tiers_mode"] == "volume"
        return _by_volume(steps, quantity) if is_volume else _graduated(steps, quantity)
    each = unit(price, currency)
    return None if each is None else _rounded(each * _packages(price, quantity))


def is_free(price: Price, currency: str = "") -> bool:
    """Return whether the price never charges anything, in that currency or its own, whatever the quantity."""
    currency = currency or price.currency
    steps = tiers(price, currency)
    if steps:
        return not any(step.unit or step.flat for step in steps)
    return unit(price, currency) == 0


def tax_behavior(price: Price, currency: str) -> str:
    """Return `inclusive`, `exclusive` or `unspecified`, as Stripe says it of the price in that currency."""
    return str(price.terms.get("tax_behaviors", {}).get(currency) or price.tax_behavior or "unspecified")


def _other_options(stripe_price: dict[str, Any]) -> dict[str, Any]:
    options = stripe_price.get("currency_options") or {}
    return {currency: option for currency, option in options.items() if currency != stripe_price["currency"]}


def _decimal_of(option: dict[str, Any]) -> str:
    """Return the amount that is no whole number of minor units; "" where `unit_amount` says it all."""
    decimal = option.get("unit_amount_decimal")
    return str(decimal) if option.get("unit_amount") is None and decimal is not None else ""


def _stated_tiers(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tiers as `terms` keeps them; none where they were not expanded."""
    return [
        {"up_to": tier.get("up_to"), "unit": _either(tier, "unit_amount"), "flat": _either(tier, "flat_amount")}
        for tier in found.get("tiers") or []
    ]


def _either(tier: dict[str, Any], name: str) -> str:
    decimal = tier.get(f"{name}_decimal")
    return str(decimal if decimal is not None else tier.get(name) or 0)


def _whole(price: Price, currency: str) -> int:
    return int(unit(price, currency) or 0)


def _packages(price: Price, quantity: int) -> Decimal:
    package = price.terms.get("package")
    if not package:
        return Decimal(quantity)
    rounding = ROUND_CEILING if package["round"] == "up" else ROUND_FLOOR
    return (Decimal(quantity) / package["divide_by"]).to_integral_value(rounding)


def _by_volume(steps: list[Tier], quantity: int) -> int:
    """Every unit is of the tier that the quantity reaches."""
    step = next((step for step in steps if step.up_to is None or quantity <= step.up_to), steps[-1])
    return _rounded(step.unit * quantity) + _rounded(step.flat)


def _graduated(steps: list[Tier], quantity: int) -> int:
    """Each tier has the units up to its bound; the first one counts even without any."""
    total, below = 0, 0
    for place, step in enumerate(steps):
        top = quantity if step.up_to is None else min(quantity, step.up_to)
        if place and top <= below:
            break
        total += _rounded(step.unit * (top - below)) + _rounded(step.flat)
        below = top
    return total


def _rounded(exact: Decimal) -> int:
    """Return the nearest minor unit, half up."""
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))

"""These functions price an item: amounts by currency, in tiers or packages, proration by the second, words on the
invoice line."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from ..errors import invalid
from ..store import Object, State

ZERO_DECIMAL = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
THREE_DECIMAL = frozenset("bhd jod kwd omr tnd".split())


@dataclass(frozen=True)
class Charge:
    """Some units cost this, or (without a unit amount) a tier has this flat fee; `words` say at what price."""

    amount: int
    quantity: Decimal
    unit: Decimal | None
    words: str


def is_metered(price: Object) -> bool:
    """Return whether the price is billed by usage, after it was used."""
    return bool(price["recurring"] and price["recurring"]["usage_type"] == "metered")


def unit_amount(state: State, price: Object, currency: str) -> Decimal:
    """Return what a unit costs, in minor units; nothing where that depends on the tier."""
    return Decimal(_in_currency(state, price, currency)["unit_amount_decimal"] or 0)


def _in_currency(state: State, price: Object, currency: str) -> Object:
    if price["currency"] == currency:
        return price
    options: dict[str, Object] = state.note(price["id"]).get("currency_options") or {}
    if currency not in options:
        raise invalid(f"The price specified only supports `{price['currency']}`. You passed `{currency}`.", "currency")
    return options[currency]


def known(state: State, identifier: str) -> Object:
    """Return a price, also one that was deleted as a plan: who has it keeps it."""
    return state.find("price", identifier) or dict(state.note(identifier)["last"])


def item_amount(state: State, item: Object, currency: str) -> int:
    """Return what an item costs for a whole period, as far as that is known ahead: usage is not."""
    if is_metered(item["price"]):
        unit_amount(state, item["price"], currency)
        return 0
    return cost(state, item["price"], currency, quantity_of(item))


def quantity_of(item: Object) -> int:
    return 1 if item.get("quantity") is None else int(item["quantity"])


def cost(state: State, price: Object, currency: str, quantity: Decimal | int) -> int:
    return sum(charge.amount for charge in charges(state, price, currency, Decimal(quantity)))


def charges(state: State, price: Object, currency: str, quantity: Decimal) -> list[Charge]:
    """Return what a quantity costs, part by part: graduated tiers have a part each, and so has a flat fee."""
    if price["billing_scheme"] == "tiered":
        _in_currency(state, price, currency)
        tiers = state.note(price["id"])["tiers"][currency]
        spread = _whole if price["tiers_mode"] == "volume" else _graduated
        return [part for index, units in spread(tiers, quantity) for part in _of_tier(tiers, index, units, currency)]
    unit, package = unit_amount(state, price, currency), price["transform_quantity"]
    per = f" per {package['divide_by']} units" if package else ""
    amount = rounded(unit * _packages(package, quantity))
    return [Charge(amount, quantity, unit, f"at {shown(unit, currency)}{per}")]


def _packages(package: Object | None, quantity: Decimal) -> Decimal:
    if package is None:
        return quantity
    rounding = ROUND_CEILING if package["round"] == "up" else ROUND_FLOOR
    return (quantity / package["divide_by"]).to_integral_value(rounding)


def _whole(tiers: list[Object], quantity: Decimal) -> list[tuple[int, Decimal]]:
    """All units are of the tier that the quantity reaches."""
    reached = next(i for i, tier in enumerate(tiers) if tier["up_to"] is None or quantity <= tier["up_to"])
    return [(reached, quantity)]


def _graduated(tiers: list[Object], quantity: Decimal) -> list[tuple[int, Decimal]]:
    """Each tier has the units up to its bound; the first one counts even without any."""
    parts, below = [], Decimal(0)
    for index, tier in enumerate(tiers):
        top = quantity if tier["up_to"] is None else min(quantity, Decimal(tier["up_to"]))
        if index == 0 or top > below:
            parts.append((index, max(top - below, Decimal(0))))
        below = max(top, below)
    return parts


def _of_tier(tiers: list[Object], index: int, units: Decimal, currency: str) -> list[Charge]:
    tier, name = tiers[index], f"Tier {index + 1} at"
    unit = Decimal(tier["unit_amount_decimal"] or 0)
    parts = [Charge(rounded(unit * units), units, unit, f"{name} {shown(unit, currency)}")]
    if tier["flat_amount_decimal"] is not None:
        flat = Decimal(tier["flat_amount_decimal"])
        parts.append(Charge(rounded(flat), Decimal(0), None, f"{name} {shown(flat, currency)}"))
    return parts


def rounded(exact: Decimal) -> int:
    """Return the nearest minor unit, half up."""
    return int(exact.quantize(Decimal(1), ROUND_HALF_UP))


def share(amount: int, part: int, whole: int) -> int:
    """Return `amount` × part ÷ whole, to the nearest minor unit."""
    return rounded(Decimal(amount) * part / max(whole, 1))


def text(number: Decimal | int | str) -> str:
    """Return a number as the API writes decimals: plainly, without zeros at the end."""
    plain = f"{Decimal(number):f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def shown(amount: int | Decimal, currency: str) -> str:
    """Return an amount as the hosted pages and line descriptions write it; parts of a minor unit show as they are."""
    exponent = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    sign = "-" if amount < 0 else ""
    value = Decimal(amount).copy_abs().scaleb(-exponent)
    digits = max(exponent, len(text(value).partition(".")[2]))
    symbol = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}.get(currency)
    number = f"{value:,.{digits}f}"
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{number} {currency.upper()}"


def rhythm(recurring: dict[str, Any]) -> str:
    count = recurring["interval_count"]
    return recurring["interval"] if count == 1 else f"{count} {recurring['interval']}s"

"""The amounts of a new price are read here: by unit, with decimals, in tiers, in packages, and in other currencies."""

from decimal import Decimal, InvalidOperation
from typing import Any

from ..books.pricing import text
from ..errors import invalid, missing_parameter, not_covered
from ..store import Object, State

TIER = "flat_amount flat_amount_decimal unit_amount unit_amount_decimal up_to"
TIERS = " ".join(f"tiers.{name}" for name in TIER.split())
AMOUNTS = (
    f"currency unit_amount unit_amount_decimal currency_options tax_behavior billing_scheme {TIERS} tiers_mode "
    "transform_quantity.divide_by transform_quantity.round"
)
DECIMALS = 12


def write(state: State, price: Object, params: dict[str, Any]) -> None:
    """Write scheme and amounts into a new price; what is shown only when asked for goes into its note."""
    if "custom_unit_amount" in params:
        raise not_covered("custom_unit_amount")
    is_tiered = params.get("billing_scheme") == "tiered"
    _check(params, is_tiered)
    price["billing_scheme"] = "tiered" if is_tiered else "per_unit"
    price["tiers_mode"] = params["tiers_mode"] if is_tiered else None
    price["transform_quantity"] = params.get("transform_quantity")
    price.update(_unit(params, "unit_amount", "") if not is_tiered else _shown("unit_amount", None))
    note = state.note(price["id"])
    note["currency_options"] = {price["currency"]: _option(price, price)}
    if is_tiered:
        note["tiers"] = {price["currency"]: _tiers(params, "")}
    add_options(state, price, params.get("currency_options") or {})


def _check(params: dict[str, Any], is_tiered: bool) -> None:
    unit = next((name for name in ("unit_amount", "unit_amount_decimal") if name in params), None)
    if not is_tiered and ("tiers" in params or "tiers_mode" in params):
        raise invalid("`tiers` and `tiers_mode` go with `billing_scheme=tiered`.", "billing_scheme")
    if is_tiered and unit:
        raise invalid(f"`{unit}` cannot be set with `billing_scheme=tiered`: its tiers have the amounts.", unit)
    if is_tiered and "tiers_mode" not in params:
        raise missing_parameter("tiers_mode")
    if is_tiered and not params.get("recurring"):
        raise invalid("Tiers are for recurring prices only.", "billing_scheme")
    package = params.get("transform_quantity")
    if package and is_tiered:
        raise invalid("`transform_quantity` cannot be combined with `tiers`.", "transform_quantity")
    if package and package["divide_by"] < 1:
        raise invalid("Invalid positive integer", "transform_quantity[divide_by]", "parameter_invalid_integer")


def _unit(given: dict[str, Any], name: str, where: str) -> Object:
    """Return `name` and its decimal twin; exactly one of them is given."""
    amount = _amount(given, name, where)
    if amount is None and not where:
        raise invalid("Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set.")
    if amount is None:
        raise missing_parameter(_at(where, name))
    return _shown(name, amount)


def _shown(name: str, amount: Decimal | None) -> Object:
    is_whole = amount is not None and amount == amount.to_integral_value()
    return {name: int(amount or 0) if is_whole else None, f"{name}_decimal": None if amount is None else text(amount)}


def _at(where: str, name: str) -> str:
    return f"{where}[{name}]" if where else name


def _amount(given: dict[str, Any], name: str, where: str) -> Decimal | None:
    twin = f"{name}_decimal"
    if name in given and twin in given:
        raise invalid(f"You may only specify one of these parameters: {name}, {twin}.", _at(where, name))
    if name not in given and twin not in given:
        return None
    used = name if name in given else twin
    try:
        amount = Decimal(str(given[used]))
    except InvalidOperation:
        raise invalid(f"Invalid decimal: {given[used]}", _at(where, used)) from None
    exponent = amount.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -DECIMALS:
        raise invalid(
            f"Invalid decimal: {given[used]}; must contain at most {DECIMALS} decimal places.", _at(where, used)
        )
    if amount < 0:
        raise invalid("Invalid non-negative integer", _at(where, used), "parameter_invalid_integer")
    return amount


def _tiers(given: dict[str, Any], where: str) -> list[Object]:
    """Return the tiers, whose bounds rise to the last one, which has none."""
    tiers: list[Object] = []
    entries, path = given.get("tiers") or [], _at(where, "tiers")
    if not entries:
        raise missing_parameter(path)
    below = 0
    for index, entry in enumerate(entries):
        is_last, up_to = index == len(entries) - 1, entry["up_to"]
        if (up_to == "inf") != is_last:
            raise invalid("The last tier, and no other, must have `up_to=inf`.", f"{path}[{index}][up_to]")
        if up_to != "inf" and up_to <= below:
            raise invalid("Tiers must be in the order of their `up_to`.", f"{path}[{index}][up_to]")
        below = below if up_to == "inf" else up_to
        tiers.append(_tier(entry, f"{path}[{index}]"))
    return tiers


def _tier(entry: dict[str, Any], where: str) -> Object:
    flat, unit = (_amount(entry, name, where) for name in ("flat_amount", "unit_amount"))
    if flat is None and unit is None:
        raise invalid("A tier needs a `unit_amount` or a `flat_amount`.", where, "parameter_missing")
    up_to = None if entry["up_to"] == "inf" else entry["up_to"]
    return {**_shown("flat_amount", flat), **_shown("unit_amount", unit), "up_to": up_to}


def add_options(state: State, price: Object, given: dict[str, Any]) -> None:
    """Add the price's amounts in other currencies."""
    note = state.note(price["id"])
    for currency, entry in given.items():
        where = f"currency_options[{currency}]"
        if "custom_unit_amount" in entry:
            raise not_covered(f"{where}[custom_unit_amount]")
        is_tiered = price["billing_scheme"] == "tiered"
        amounts = _shown("unit_amount", None) if is_tiered else _unit(entry, "unit_amount", where)
        if is_tiered:
            note["tiers"][currency.lower()] = _tiers(entry, where)
        note["currency_options"][currency.lower()] = _option({"tax_behavior": "unspecified", **entry}, amounts)


def _option(terms: Object, amounts: Object) -> Object:
    return {
        "custom_unit_amount": None,
        "tax_behavior": terms["tax_behavior"],
        "unit_amount": amounts["unit_amount"],
        "unit_amount_decimal": amounts["unit_amount_decimal"],
    }

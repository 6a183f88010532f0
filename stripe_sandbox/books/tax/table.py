"""The table says which tax is collected in which place; a user of the sandbox sets it. It stands for registrations and
rates.

The rates that it begins with are examples, not advice.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ...errors import ApiError, invalid
from ...store import Object, State

EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
CHOICES = {
    "tax_behavior": ("inferred_by_currency", "inclusive", "exclusive"),
    "rounding": ("line", "total"),
    "reverse_charge": ("verified", "given"),
    "without_location": ("finalize", "fail"),
    "status": ("active", "pending"),
}
RATE = ("country", "state", "postal_code", "tax_code", "percentage", "tax_type", "display_name")
PLACE = ("country", "state", "postal_code")
NAMES = {"vat": "VAT", "gst": "GST", "hst": "HST", "pst": "PST", "qst": "QST", "jct": "JCT", "sales_tax": "Sales Tax"}
TYPES = {"US": "sales_tax", "JP": "jct", **dict.fromkeys(("AU", "CA", "IN", "NZ", "SG"), "gst")}
EXAMPLES: dict[str, float] = {
    "AT": 20, "BE": 21, "DE": 19, "DK": 25, "ES": 21, "FR": 20, "IE": 23, "IT": 22, "NL": 21, "PL": 23, "PT": 23,
    "SE": 25, "GB": 20, "CH": 8.1, "NO": 25, "AU": 10, "NZ": 15,
}  # fmt: skip
DEFAULT: dict[str, Any] = {
    "country": "US",
    "tax_behavior": "inferred_by_currency",
    "rounding": "line",
    "reverse_charge": "verified",
    "without_location": "finalize",
    "status": "active",
    "rates": [
        *({"country": country, "percentage": percentage} for country, percentage in EXAMPLES.items()),
        {"country": "US", "state": "NY", "postal_code": "10", "percentage": 8.875},
        {"country": "US", "state": "WA", "postal_code": "98", "percentage": 10.25},
    ],
    "ip_addresses": {
        "192.0.2.": {"country": "DE", "postal_code": "10115"},
        "198.51.100.": {"country": "US", "state": "NY", "postal_code": "10001"},
        "203.0.113.": {"country": "FR", "postal_code": "75001"},
    },
}


@dataclass(frozen=True)
class Location:
    """This place is known well enough to compute tax for it; `source` says how."""

    country: str
    state: str | None
    postal_code: str | None
    source: str


def of(state: State) -> dict[str, Any]:
    return state.settings.get("tax") or DEFAULT


def put(state: State, given: dict[str, Any]) -> dict[str, Any]:
    """Set the entries that are given; the others stay as they are."""
    _check(given)
    state.settings["tax"] = {**of(state), **given}
    return of(state)


def read(path: Path) -> dict[str, Any]:
    """Return the table in a file. Raises ValueError with the reason."""
    try:
        given = json.loads(path.read_text())
        if not isinstance(given, dict):
            raise ValueError(f"{path} holds no JSON object.")
        _check(given)
    except ApiError as error:
        raise ValueError(f"{path}: {error.message}") from error
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}.") from error
    return given


def _check(given: dict[str, Any]) -> None:
    for name in given.keys() - DEFAULT.keys():
        raise invalid(f"Received unknown parameter: {name}. Known: {', '.join(DEFAULT)}.", name, "parameter_unknown")
    for name, choices in CHOICES.items():
        if name in given and given[name] not in choices:
            raise invalid(f"{name} must be one of {', '.join(choices)}.", name)
    if "country" in given:
        _check_country(given["country"], "country")
    if not isinstance(given.get("rates", []), list) or not isinstance(given.get("ip_addresses", {}), dict):
        raise invalid("`rates` must be a list, and `ip_addresses` an object.", "rates")
    for index, entry in enumerate(given.get("rates", [])):
        _check_rate(entry, f"rates[{index}]")
    for prefix, place in given.get("ip_addresses", {}).items():
        _check_names(place, PLACE, f"ip_addresses[{prefix}]")


def _check_rate(entry: Any, where: str) -> None:
    _check_names(entry, RATE, where)
    try:
        percentage = Decimal(str(entry.get("percentage")))
    except InvalidOperation:
        percentage = Decimal(-1)
    if isinstance(entry.get("percentage"), bool) or not 0 <= percentage <= 100:
        raise invalid(f"{where}[percentage] must be a number from 0 to 100.", f"{where}[percentage]")


def _check_names(entry: Any, names: tuple[str, ...], where: str) -> None:
    if not isinstance(entry, dict) or entry.keys() - set(names):
        raise invalid(f"{where} must be an object of these: {', '.join(names)}.", where)
    _check_country(entry.get("country"), f"{where}[country]")


def _check_country(value: Any, where: str) -> None:
    if not isinstance(value, str) or not re.fullmatch("[A-Z]{2}", value):
        raise invalid(f"{where} must be two capital letters, as DE.", where)


def rates_at(state: State, place: Location, tax_code: str | None) -> list[Object]:
    """Return the entries for a place and a product's tax code: of all that fit, the closest; several that are equally
    close are collected together, like a state's tax and a city's."""
    fitting = [entry for entry in of(state)["rates"] if _fits(entry, place, tax_code)]
    closest = max(map(_closeness, fitting), default=None)
    return [entry for entry in fitting if _closeness(entry) == closest]


def _fits(entry: Object, place: Location, tax_code: str | None) -> bool:
    return bool(
        entry["country"] == place.country
        and entry.get("state") in (None, place.state)
        and (place.postal_code or "").startswith(entry.get("postal_code") or "")
        and entry.get("tax_code") in (None, tax_code)
    )


def _closeness(entry: Object) -> tuple[bool, int, bool]:
    return "tax_code" in entry, len(entry.get("postal_code") or ""), "state" in entry


def type_of(entry: Object) -> str:
    return str(entry.get("tax_type") or TYPES.get(entry["country"], "vat"))


def name_of(entry: Object) -> str:
    return str(entry.get("display_name") or NAMES.get(type_of(entry), "Tax"))


def behavior_for(state: State, currency: str) -> str:
    """Return the behaviour of a price that says nothing: `inferred_by_currency` is exclusive in usd and cad
    (https://docs.stripe.com/tax/products-prices-tax-codes-tax-behavior)."""
    chosen = str(of(state)["tax_behavior"])
    if chosen != "inferred_by_currency":
        return chosen
    return "exclusive" if currency in ("usd", "cad") else "inclusive"

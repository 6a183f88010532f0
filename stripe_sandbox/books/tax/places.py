"""A customer's tax location is the first known of: shipping address, billing address, card's address, IP address
(https://docs.stripe.com/tax/customer-locations)."""

import re
from dataclasses import dataclass, field
from typing import Any

from ...errors import ApiError, invalid
from ...store import Object, State
from . import table
from .table import Location

CODE = "customer_tax_location_invalid"
UNKNOWN = (
    "The customer's location isn't recognized. Set a valid customer address in order to automatically calculate tax."
)


@dataclass(frozen=True)
class Party:
    """A party is whoever is taxed: they are somewhere, may be exempt, and have tax ids."""

    location: Location | None
    exempt: str = "none"
    tax_ids: list[Object] = field(default_factory=list)


def party(state: State, customer: Object | None, details: dict[str, Any] | None = None) -> Party:
    """Return the customer as it is, or with the `customer_details` of a preview or a Checkout."""
    given, known = details or {}, customer or {}
    ids = state.table("tax_id").where("customer", known["id"]) if "id" in known else []
    if "tax_ids" in given:
        ids = [as_id(entry) for entry in given["tax_ids"] or []]
    exempt = given.get("tax_exempt") or known.get("tax_exempt") or "none"
    return Party(_location(state, known, given), str(exempt), list(ids))


def as_id(entry: dict[str, Any]) -> Object:
    """A tax id of a preview is taken for good: nobody has verified it."""
    return {**entry, "country": country_of(entry["type"], entry["value"]), "verification": {"status": "verified"}}


def country_of(kind: str, value: str) -> str | None:
    """Return the country of a tax id: the prefix of a European one, else that of its type."""
    if kind not in ("eu_vat", "eu_oss_vat"):
        return kind[:2].upper()
    prefix = {"EL": "GR", "XI": "GB"}.get(value[:2].upper(), value[:2].upper())
    return prefix if prefix.isalpha() and len(prefix) == 2 else None


def _location(state: State, known: Object, given: dict[str, Any]) -> Location | None:
    shipping = given.get("shipping", known.get("shipping")) or {}
    address = given.get("address", known.get("address")) or {}
    for source, place in (
        ("shipping_destination", shipping.get("address") or {}),
        ("billing_address", address),
        ("payment_method", _of_card(state, known)),
    ):
        if place.get("country"):
            return _precise(place, source)
    tax = given.get("tax") or {}
    ip = tax["ip_address"] if "ip_address" in tax else ip_of(state, known)
    return _of_ip(state, ip) if ip else None


def _of_card(state: State, customer: Object) -> Object:
    settings = customer.get("invoice_settings") or {}
    method = state.find("payment_method", settings.get("default_payment_method"))
    return (method["billing_details"]["address"] or {}) if method else {}


def ip_of(state: State, customer: Object) -> str | None:
    return state.notes.get(customer.get("id", ""), {}).get("ip_address")


def _of_ip(state: State, ip: str) -> Location | None:
    known = table.of(state)["ip_addresses"]
    prefix = max((each for each in known if ip.startswith(each)), key=len, default=None)
    return _precise(known[prefix], "ip_address") if prefix is not None else None


def _precise(place: Object, source: str) -> Location | None:
    """Return the place if it says enough: a ZIP code in the US, a province or postal code in Canada, elsewhere the
    country."""
    country, code, state = (place.get(name) or None for name in ("country", "postal_code", "state"))
    if country == "US" and not re.fullmatch(r"\d{5}(-\d{4})?", code or ""):
        return None
    if (country == "CA" and not (code or state)) or not re.fullmatch("[A-Z]{2}", country or ""):
        return None
    return Location(str(country), state, code, source)


def shown(state: State, customer: Object) -> Object:
    """Return `customer.tax`."""
    place = party(state, customer).location
    status = "unrecognized_location"
    if place is not None:
        status = "supported" if table.rates_at(state, place, None) else "not_collecting"
    where = {"country": place.country, "source": place.source, "state": place.state} if place else None
    return {"automatic_tax": status, "ip_address": ip_of(state, customer), "location": where, "provider": "stripe"}


def unrecognized() -> ApiError:
    return invalid(UNKNOWN, None, CODE)


def check(state: State, customer: Object) -> None:
    """Refuse automatic tax for a customer that is nowhere."""
    if party(state, customer).location is None:
        raise unrecognized()

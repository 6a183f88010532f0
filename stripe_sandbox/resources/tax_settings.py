"""The settings of Stripe Tax and the registrations of the account are shown here, as the table of taxes has them."""

from typing import Any

from ..books.tax import table
from ..errors import invalid
from ..http.contract import Params
from ..http.listing import of_list
from ..http.routing import api
from ..store import Object, State

HEAD_OFFICE = ("city", "country", "line1", "line2", "postal_code", "state")
STATUSES = ("active", "all", "expired", "scheduled")
SINCE = 1_500_000_000
WITH_SCHEME = table.EU | {"AE", "AU", "CH", "GB", "JP", "NO", "NZ", "SG"}


@api.add("GET", "/v1/tax/settings", "tax.SettingsRetrieveParams")
def retrieve(state: State, params: Params) -> Object:
    """Return the settings; without a head office they are pending, and no tax can be computed at Stripe."""
    chosen = table.of(state)
    is_active = chosen["status"] == "active"
    return {
        "object": "tax.settings",
        "defaults": {"provider": "stripe", "tax_behavior": _behavior(chosen), "tax_code": "txcd_10000000"},
        "head_office": {"address": {**dict.fromkeys(HEAD_OFFICE), "country": chosen["country"]}} if is_active else None,
        "livemode": False,
        "status": chosen["status"],
        "status_details": {"active": {}} if is_active else {"pending": {"missing_fields": ["head_office"]}},
    }


def _behavior(chosen: dict[str, Any]) -> str:
    return str(chosen["tax_behavior"])


@api.add("GET", "/v1/tax/registrations", "tax.RegistrationListParams", "status")
def list_registrations(state: State, params: Params) -> Object:
    """List a registration for each place that the table has a rate for; all of them are active."""
    status = params.get("status", "all")
    if status not in STATUSES:
        raise invalid(f"Invalid status: must be one of {', '.join(STATUSES)}", "status")
    places = {(entry["country"], entry.get("state")) for entry in table.of(state)["rates"]}
    ordered = sorted(places, key=str) if status in ("active", "all") else []
    return of_list([_registration(*place) for place in ordered], params, "/v1/tax/registrations")


def _registration(country: str, region: str | None) -> Object:
    return {
        "id": f"taxreg_{country}{region or ''}",
        "object": "tax.registration",
        "active_from": SINCE,
        "country": country,
        "country_options": {country.lower(): _options(country, region)},
        "created": SINCE,
        "expires_at": None,
        "livemode": False,
        "status": "active",
    }


def _options(country: str, region: str | None) -> Object:
    if country == "US":
        return {"state": region, "type": "state_sales_tax"}
    if country == "CA" and region:
        return {"province_standard": {"province": region}, "type": "province_standard"}
    scheme = {"standard": {"place_of_supply_scheme": "standard"}} if country in WITH_SCHEME else {}
    return {**scheme, "type": "standard"}

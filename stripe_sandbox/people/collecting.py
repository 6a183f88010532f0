"""A Checkout asks its buyer for more than a way to pay, as its session says: names, a phone number, addresses, consent,
fields of the site's own, and it shows texts of the site."""

import re
from typing import Any

from ..errors import invalid
from ..http.contract import Params
from ..store import Object

CONSENT = "consent_collection.promotions consent_collection.terms_of_service"
COVERED = (
    f"{CONSENT} custom_fields custom_text name_collection phone_number_collection billing_address_collection "
    "shipping_address_collection"
)
KINDS = ("dropdown", "numeric", "text")
TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
MOST_FIELDS, MOST_OPTIONS, LONGEST_LABEL, LONGEST_KEY, LONGEST_VALUE, LONGEST_TEXT = 3, 200, 50, 200, 255, 1200
ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
PLAIN = re.compile(r"[A-Za-z0-9_]+")


def asked(params: Params) -> Object:
    """Return the fields of a session, or of a payment link, that say what its page collects and shows."""
    return {
        "consent_collection": _consent_collection(params.get("consent_collection")),
        "custom_fields": custom_fields(params.get("custom_fields") or []),
        "custom_text": custom_text(params.get("custom_text") or {}),
        "phone_number_collection": params.get("phone_number_collection") or {"enabled": False},
        "shipping_address_collection": params.get("shipping_address_collection"),
        **({"name_collection": _names(params["name_collection"])} if params.get("name_collection") else {}),
    }


def _consent_collection(given: Params | None) -> Object | None:
    if given is None:
        return None
    return {"payment_method_reuse_agreement": None, "promotions": "none", "terms_of_service": "none", **given}


def _names(given: Params) -> Object:
    return {kind: {"optional": False, **given[kind]} for kind in ("business", "individual") if kind in given}


def custom_text(given: Params) -> Object:
    for name, text in given.items():
        if text and len(text["message"]) > LONGEST_TEXT:
            raise _too_long(f"custom_text[{name}][message]", LONGEST_TEXT)
    return {name: given.get(name) or None for name in TEXTS}


def custom_fields(given: list[Params]) -> list[Object]:
    if len(given) > MOST_FIELDS:
        raise invalid(f"You can only specify up to {MOST_FIELDS} custom fields.", "custom_fields")
    keys = [field["key"] for field in given]
    if len(set(keys)) < len(keys):
        raise invalid("Each custom field must have a key of its own.", "custom_fields")
    return [_custom_field(field, f"custom_fields[{index}]") for index, field in enumerate(given)]


def _custom_field(given: Params, path: str) -> Object:
    kind, label = given["type"], given["label"]["custom"]
    if not PLAIN.fullmatch(given["key"]) or len(given["key"]) > LONGEST_KEY:
        raise invalid("The key must be alphanumeric, and up to 200 characters long.", f"{path}[key]")
    if len(label) > LONGEST_LABEL:
        raise _too_long(f"{path}[label][custom]", LONGEST_LABEL)
    for other in KINDS:
        if other in given and other != kind:
            raise invalid(f"You can only specify `{other}` for a custom field of type `{other}`.", f"{path}[{other}]")
    known = {"key": given["key"], "label": given["label"], "optional": given.get("optional", False), "type": kind}
    return {**known, kind: _filled_by(kind, given.get(kind) or {}, path)}


def _filled_by(kind: str, given: Params, path: str) -> Object:
    preset: dict[str, Any] = {"default_value": given.get("default_value"), "value": None}
    if kind != "dropdown":
        return {**preset, **{name: given.get(name) for name in ("maximum_length", "minimum_length")}}
    options = given.get("options") or []
    if not 1 <= len(options) <= MOST_OPTIONS:
        raise invalid(f"A dropdown has between 1 and {MOST_OPTIONS} options.", f"{path}[dropdown][options]")
    return {**preset, "options": options}


def _too_long(param: str, most: int) -> Exception:
    return invalid(f"Invalid string: it must have at most {most} characters.", param, "parameter_invalid_string")


def wants_terms(session: Object) -> bool:
    return bool((session["consent_collection"] or {}).get("terms_of_service") == "required")


def wants_promotions(session: Object) -> bool:
    return bool((session["consent_collection"] or {}).get("promotions") == "auto")


def wants_billing_address(session: Object) -> bool:
    """Return whether the address must be filled in: where it is required, or no place is known to compute tax for."""
    is_nowhere = session["automatic_tax"]["status"] == "requires_location_inputs"
    return bool(session["billing_address_collection"] == "required" or is_nowhere)


def takes_tax_id(session: Object) -> bool:
    return bool((session.get("tax_id_collection") or {}).get("enabled"))


def takes_billing_address(session: Object) -> bool:
    return wants_billing_address(session) or bool(session["automatic_tax"]["enabled"]) or takes_tax_id(session)


def names(session: Object) -> dict[str, bool]:
    """Return the names that the page asks for, and whether each may be left empty."""
    given = session.get("name_collection") or {}
    return {f"{kind}_name": row["optional"] for kind, row in given.items() if row["enabled"]}


def offers_saving(session: Object) -> bool:
    return (session["saved_payment_method_options"] or {}).get("payment_method_save") == "enabled"


def asks(session: Object) -> set[str]:
    """Return the names of what the buyer may fill in."""
    fields = {
        "billing_address": takes_billing_address(session),
        "custom_fields": bool(session["custom_fields"]),
        "email": not session["customer"] and not session["customer_email"],
        "phone": session["phone_number_collection"]["enabled"],
        "promotions": wants_promotions(session),
        "save_payment_method": offers_saving(session),
        "shipping": session["shipping_address_collection"] is not None,
        "tax_id": takes_tax_id(session),
        "terms_of_service": wants_terms(session),
    }
    return {"name", *names(session), *(name for name, is_asked in fields.items() if is_asked)}

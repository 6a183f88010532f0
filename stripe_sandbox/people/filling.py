"""A Checkout checks the buyer's entries against what its session collects, and the completed session shows them."""

import re
from typing import Any

from ..errors import invalid
from ..http.values import EMAIL
from ..store import Object
from . import collecting
from .collecting import ADDRESS, LONGEST_VALUE

FIELDS = (
    "email", "phone", "name", "individual_name", "business_name", "custom_fields", "terms_of_service", "promotions",
    "billing_address", "shipping", "save_payment_method", "tax_id",
)  # fmt: skip
SHORTER = ("address",)
GROUPS = ("custom_fields", "billing_address", "shipping", "quantities", "tax_id")
Given = dict[str, Any]


def read(given: Given) -> Given:
    """Return the entries of a page or a program, with what stands for objects being objects. `address` is a shorter
    name of `billing_address`.
    """
    if "address" in given:
        given = {"billing_address": given["address"], **{name: given[name] for name in given if name != "address"}}
    for name in GROUPS:
        if name in given and not isinstance(given[name], dict):
            raise invalid(f"Invalid object: {name}", name, "parameter_invalid_object")
    return given


def checked(session: Object, given: Given) -> Object:
    """Return the fields of the session that the buyer's entries change; raise for the first entry that is missing or
    wrong."""
    unasked = [name for name in FIELDS if given.get(name) and name not in collecting.asks(session)]
    if unasked:
        raise invalid(f"This Checkout does not ask for {unasked[0].replace('_', ' ')}.", unasked[0])
    names = {name: _text(given, name, optional) for name, optional in collecting.names(session).items()}
    shipping = _shipping(session, given)
    is_billed = collecting.wants_billing_address(session) or bool(given.get("billing_address"))
    tax_id = given.get("tax_id") or {}
    details = {
        "address": _address(given.get("billing_address"), "billing_address", is_billed),
        "tax_ids": [tax_id] if tax_id.get("value") else [],
        "email": _email(session, given),
        "name": given.get("name") or names.get("individual_name") or (shipping or {}).get("name"),
        "phone": _phone(session, given),
        **names,
    }
    known = session["collected_information"]
    collected = {**names, **({"shipping_details": shipping} if shipping else {})}
    return {
        "customer_details": {name: value for name, value in details.items() if value},
        "collected_information": {**known, **collected},
        "consent": _consent(session, given),
        "custom_fields": _custom_fields(session, given.get("custom_fields") or {}),
    }


def _text(given: Given, name: str, optional: bool) -> str | None:
    value = str(given.get(name) or "").strip()
    if not value and not optional:
        raise _missing(name)
    return value or None


def _missing(name: str) -> Exception:
    return invalid(f"Fill in {name.replace('_', ' ')}: this Checkout asks for it.", name, "parameter_missing")


def _email(session: Object, given: Given) -> str | None:
    """Return the e-mail address that a guest enters."""
    email = str(given.get("email") or "").strip()
    if "email" not in collecting.asks(session) or "email" not in given:
        return None
    if not EMAIL.fullmatch(email):
        raise invalid("Enter an e-mail address.", "email", "email_invalid")
    return email


def _phone(session: Object, given: Given) -> str | None:
    if not session["phone_number_collection"]["enabled"]:
        return None
    number = re.sub(r"[ ().-]", "", _text(given, "phone", optional=False) or "")
    if not re.fullmatch(r"\+?\d{6,15}", number):
        raise invalid("Enter a phone number, with its country: +1 555 555 0100.", "phone")
    return number


def _address(given: Given | None, where: str, is_wanted: bool) -> Object | None:
    """Return an address that a country and a first line make one."""
    if not is_wanted:
        return None
    for name in ("country", "line1"):
        if not (given or {}).get(name):
            raise _missing(f"{where}[address][{name}]" if where == "shipping" else f"{where}[{name}]")
    return {name: (given or {}).get(name) or None for name in ADDRESS}


def _shipping(session: Object, given: Given) -> Object | None:
    if session["shipping_address_collection"] is None:
        return None
    entered = given.get("shipping") or {}
    name = str(entered.get("name") or "").strip()
    if not name:
        raise _missing("shipping[name]")
    address = _address(entered.get("address"), "shipping", is_wanted=True) or {}
    allowed = session["shipping_address_collection"]["allowed_countries"]
    if address["country"] not in allowed:
        raise invalid(f"This site ships to {', '.join(allowed)}.", "shipping[address][country]")
    return {"name": name, "address": address}


def _consent(session: Object, given: Given) -> Object | None:
    """Return what the buyer agrees to: the terms must be accepted if they are shown; promotions are a choice."""
    promotions, terms = collecting.wants_promotions(session), collecting.wants_terms(session)
    if terms and not given.get("terms_of_service"):
        raise invalid("Accept the terms of service: this Checkout asks for it.", "terms_of_service")
    if not promotions and not terms:
        return None
    chosen = "opt_in" if given.get("promotions") else "opt_out"
    return {"promotions": chosen if promotions else None, "terms_of_service": "accepted" if terms else None}


def _custom_fields(session: Object, given: Given) -> list[Object]:
    unknown = given.keys() - {field["key"] for field in session["custom_fields"]}
    if unknown:
        raise invalid(f"This Checkout has no custom field {', '.join(sorted(unknown))}.", "custom_fields")
    return [_filled(field, given) for field in session["custom_fields"]]


def _filled(field: Object, given: Given) -> Object:
    kind, key = field["type"], field["key"]
    rules = field[kind]
    value = str(given.get(key, rules["default_value"]) or "").strip()
    if not value and not field["optional"]:
        raise invalid(f"Fill in “{field['label']['custom']}”: this Checkout asks for it.", f"custom_fields[{key}]")
    wrong = _wrong(kind, rules, value) if value else ""
    if wrong:
        raise invalid(f"“{field['label']['custom']}” {wrong}.", f"custom_fields[{key}]")
    return {**field, kind: {**rules, "value": value or None}}


def _wrong(kind: str, rules: Object, value: str) -> str:
    """Return what is wrong with a value; "" if nothing is."""
    if kind == "dropdown":
        options = [option["value"] for option in rules["options"]]
        return "" if value in options else f"must be one of {', '.join(options)}"
    least, most = rules["minimum_length"] or 0, rules["maximum_length"] or LONGEST_VALUE
    if kind == "numeric" and not value.isdigit():
        return "takes digits only"
    if not least <= len(value) <= most:
        return f"must have between {least} and {most} characters"
    return ""

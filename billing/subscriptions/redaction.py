"""Redaction removes what is personal from copies of Stripe's objects after a deletion. Ids and money stay."""

import re
from typing import Any

# In any text, such as the metadata that a host project gives its customers. It looks at each character of a long text
# but a few times: "+" before the "@" would look at all that follow each of them.
AN_ADDRESS = re.compile(r"[^\s<>()\"',;:]@[^\s<>()\"',;:@]+\.[^\s<>()\"',;:]")
PERSONAL = frozenset(
    {
        "account_holder_name",
        "address",
        "billing_details",
        "business_name",
        "cardholder_name",
        "collected_information",
        "custom_fields",
        "customer_address",
        "customer_details",
        "customer_email",
        "customer_name",
        "customer_phone",
        "customer_shipping",
        "customer_tax_ids",
        "email",
        "evidence",
        "first_name",
        "individual_name",
        "last_name",
        "name",
        "payer_email",
        "payer_name",
        "phone",
        "phone_number",
        "receipt_email",
        "shipping",
        "shipping_details",
        "verified_address",
        "verified_email",
        "verified_name",
        "verified_phone",
    }
)
OF_A_CUSTOMER = PERSONAL | {"description", "tax_ids"}
OF = {"customer": OF_A_CUSTOMER, "tax_id": PERSONAL | {"value"}}


def redacted_copy(copy: Any, names: frozenset[str] = PERSONAL) -> Any:
    """Return the same JSON with null for personal fields and for every text with an address in it, at any depth."""
    if isinstance(copy, list):
        return [redacted_copy(item, names) for item in copy]
    if isinstance(copy, str):
        return None if AN_ADDRESS.search(copy) else copy
    if not isinstance(copy, dict):
        return copy
    inside = OF.get(str(copy.get("object")), names)
    return {name: None if name in inside else redacted_copy(value, names) for name, value in copy.items()}


def redacted_event(payload: dict[str, Any]) -> dict[str, Any]:
    """Return an event's JSON redacted, with the object's previous values; `redacted` is true from then on."""
    data = payload["data"]
    names = OF.get(str(data["object"].get("object")), PERSONAL)
    return {**payload, "data": redacted_copy(data, names), "redacted": True}


def error_class(said: str) -> str:
    """Return only the class of an error message: the rest may name the person, in a host's words."""
    kind, _, words = said.partition(":")
    return kind if words and kind.isidentifier() else ""

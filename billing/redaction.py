"""What is personal in Stripe's objects: taken out of copies once who they are about has left. Ids and money stay."""

from typing import Any

PERSONAL = frozenset(
    {
        "address",
        "billing_details",
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
        "name",
        "phone",
        "receipt_email",
        "shipping",
        "shipping_details",
    }
)
OF_A_CUSTOMER = PERSONAL | {"description", "tax_ids"}


def redacted(copy: Any, names: frozenset[str] = PERSONAL) -> Any:
    """The same JSON with null for all that is personal, at any depth."""
    if isinstance(copy, list):
        return [redacted(item, names) for item in copy]
    if not isinstance(copy, dict):
        return copy
    inside = OF_A_CUSTOMER if copy.get("object") == "customer" else names
    return {name: None if name in inside else redacted(value, names) for name, value in copy.items()}


def redacted_event(payload: dict[str, Any]) -> dict[str, Any]:
    """An event's JSON likewise, what its object was before included; `redacted` is true from then on."""
    data = payload["data"]
    is_customer = data["object"].get("object") == "customer"
    return {**payload, "data": redacted(data, OF_A_CUSTOMER if is_customer else PERSONAL), "redacted": True}

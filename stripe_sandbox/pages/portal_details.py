"""A customer keeps their name, addresses and tax ids in the portal, as far as its configuration lets them."""

from ..books.tax import ids
from ..errors import invalid
from ..events import recorded
from ..resources.customers import ADDRESS
from ..store import Object, State

PLAIN = {"name": ("Name", "text"), "email": ("Email", "email"), "phone": ("Phone", "tel")}
PLACE = {"line1": "Address", "city": "City", "state": "State or province", "postal_code": "Postal code",
         "country": "Country, two letters"}  # fmt: skip
TAX_ID = {"tax_id_type": "Kind of a new tax ID, such as eu_vat", "tax_id": "New tax ID"}


def fields(customer: Object, allowed: Object) -> list[Object]:
    """Return the fields of the portal's form."""
    updates = allowed["allowed_updates"] if allowed["enabled"] else []
    address = customer["address"] or {}
    shown = [(name, *PLAIN[name], customer[name]) for name in PLAIN if name in updates]
    if "address" in updates:
        shown += [(name, words, "text", address.get(name)) for name, words in PLACE.items()]
    if "tax_id" in updates:
        shown += [(name, words, "text", "") for name, words in TAX_ID.items()]
    return [{"name": name, "words": words, "kind": kind, "value": value or ""} for name, words, kind, value in shown]


def save(state: State, customer: Object, allowed: Object, given: dict[str, str]) -> None:
    """Save what may be changed. A wrong tax id changes nothing."""
    names = {field["name"] for field in fields(customer, allowed)} & given.keys()
    if not names:
        raise invalid("This portal does not let these details be changed.")
    texts = {name: given[name].strip() for name in names}
    tax_id = (texts.get("tax_id_type", ""), texts.get("tax_id", ""))
    if tax_id[1]:
        ids.check(*tax_id, "tax_id")
    with recorded(state, customer, "customer.updated"):
        customer.update({name: text or None for name, text in texts.items() if name in PLAIN})
        if names & PLACE.keys():
            customer["address"] = _address(customer, texts)
    if tax_id[1]:
        ids.create(state, *tax_id, customer)


def _address(customer: Object, texts: dict[str, str]) -> Object | None:
    known = {name: (customer["address"] or {}).get(name) for name in ADDRESS}
    after = known | {name: text or None for name, text in texts.items() if name in PLACE}
    return after if any(after.values()) else None

"""These parameters say how a preview is taxed, and where its customer is."""

from typing import Any

from ..books.tax import places
from ..http.contract import Params
from ..store import Object, State
from . import invoice_taxes

BUYER = " ".join(
    f"customer_details.{name}"
    for name in "address shipping tax.ip_address tax_exempt tax_ids.type tax_ids.value".split()
)
NOBODY = {
    "address": None, "currency": None, "email": None, "id": None, "name": None, "phone": None, "shipping": None,
    "invoice_settings": {"custom_fields": None, "default_payment_method": None, "footer": None},
}  # fmt: skip


def given(state: State, customer: Object, params: Params) -> dict[str, Any]:
    """Return the values of an invoice that previews for this customer, with the details that stand for its own."""
    named = {"automatic_tax": params["automatic_tax"]} if "automatic_tax" in params else {}
    details = params.get("subscription_details") or {}
    if "default_tax_rates" in details:
        named["default_tax_rates"] = details["default_tax_rates"]
    values = invoice_taxes.given(state, named)
    if "customer_details" in params:
        about = params["customer_details"]
        shown = {name: about[name] or None for name in ("address", "shipping") if name in about}
        values |= {"buyer": {**customer, **shown}, "party": places.party(state, customer, about)}
    return values

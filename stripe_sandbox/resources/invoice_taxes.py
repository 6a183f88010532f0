"""These parameters say how an invoice by hand is taxed."""

from typing import Any

from ..books.tax import ids, rates
from ..errors import invalid
from ..http.contract import Params
from ..store import Object, State

NAMES = "automatic_tax.enabled default_tax_rates account_tax_ids"


def given(state: State, params: Params) -> dict[str, Any]:
    """Return what the parameters say, as the values of an invoice."""
    values: dict[str, Any] = {}
    if "automatic_tax" in params:
        values["automatic_tax"] = params["automatic_tax"]["enabled"]
    if "default_tax_rates" in params:
        values["default_tax_rates"] = rates.chosen(state, params["default_tax_rates"], "default_tax_rates")
    if "account_tax_ids" in params:
        values["account_tax_ids"] = [_own(state, known) for known in params["account_tax_ids"] or []] or None
    return values


def _own(state: State, identifier: str) -> str:
    if state.get(ids.KIND, identifier, "account_tax_ids")["customer"]:
        raise invalid(f"The tax ID {identifier} is a customer's.", "account_tax_ids")
    return identifier


def refuse_both(holder: Object, values: dict[str, Any], rows: list[Object]) -> None:
    """Refuse automatic tax beside rates by hand, of the `holder` with these values or of its items."""
    automatic = values.get("automatic_tax", holder.get("automatic_tax", {}).get("enabled", False))
    by_hand = values.get("default_tax_rates", holder.get("default_tax_rates"))
    rates.refuse_both(automatic, bool(by_hand) or any(row["tax_rates"] for row in rows))


def write(state: State, invoice: Object, params: Params) -> None:
    """Change how a draft is taxed."""
    values = given(state, params)
    refuse_both(invoice, values, state.table("invoiceitem").where("invoice", invoice["id"]))
    automatic = values.pop("automatic_tax", None)
    invoice.update(values)
    if automatic is not None:
        off = dict.fromkeys(invoice["automatic_tax"])
        invoice["automatic_tax"] = {**off, "enabled": automatic}

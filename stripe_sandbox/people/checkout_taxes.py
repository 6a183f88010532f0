"""A Checkout is taxed where its buyer is: the page asks for the address, and for a tax id if it collects one."""

from typing import Any

from ..books import shipping_costs
from ..books.tax import ids, lines, places, rates, table
from ..books.tax.lines import Taxable, Terms
from ..books.tax.places import Party
from ..errors import ApiError, invalid
from ..resources.customers import ADDRESS
from ..store import Object, State

NO_ADDRESS = (
    "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address to the "
    "Customer or set `customer_update[address]` to 'auto' to save the billing address entered in Checkout to the "
    "Customer."
)
NO_NAME = (
    "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an existing "
    "customer, please set `customer_update[name]` to `auto`."
)
HAVE_TAX_IDS = table.EU | {"AU", "CA", "CH", "GB", "IN", "JP", "NO", "NZ", "SG", "ZA"}


def check(state: State, params: dict[str, Any], customer: Object | None) -> None:
    """Refuse what Stripe would refuse to tax."""
    update, automatic = params.get("customer_update") or {}, _is_on(params, "automatic_tax")
    for name in ("automatic_tax", "tax_id_collection"):
        if params["mode"] == "setup" and _is_on(params, name):
            raise invalid(f"You can not pass `{name}` in `setup` mode.", name)
    if update and customer is None:
        raise invalid("`customer_update` can only be used with `customer` or `customer_account`.")
    by_hand = any(entry.get("tax_rates") for entry in params.get("line_items") or [])
    by_hand = by_hand or bool((params.get("subscription_data") or {}).get("default_tax_rates"))
    rates.refuse_both(automatic, by_hand)
    if customer is None:
        return
    located = places.party(state, customer).location is not None or update.get("address") == "auto"
    if automatic and not located:
        raise invalid(NO_ADDRESS, None, places.CODE)
    if _is_on(params, "tax_id_collection") and update.get("name") != "auto":
        raise invalid(NO_NAME)


def _is_on(params: dict[str, Any], name: str) -> bool:
    return bool((params.get(name) or {}).get("enabled"))


def begin(state: State, session: Object, params: dict[str, Any], wanted: list[Object]) -> None:
    """Remember how the session is taxed."""
    note, data = state.note(session["id"]), params.get("subscription_data") or {}
    note["default_tax_rates"] = rates.chosen(
        state, data.get("default_tax_rates"), "subscription_data[default_tax_rates]"
    )
    for item, entry in zip(note["items"], wanted, strict=True):
        chosen = rates.chosen(state, entry.get("tax_rates"), "line_items[0][tax_rates]")
        lines.remember(state, item["id"], {"tax_rates": chosen})
    if _is_on(params, "automatic_tax"):
        session["automatic_tax"] = {"enabled": True, "liability": {"type": "self"}, "provider": "stripe"}
    if _is_on(params, "tax_id_collection"):
        session["tax_id_collection"] = {"required": "never", **params["tax_id_collection"]}


def count(state: State, session: Object) -> None:
    """Count the taxes of the session's items, of what discounts leave of them, and of its shipping."""
    note = state.note(session["id"])
    terms = terms_of(state, session)
    if terms.automatic:
        session["automatic_tax"]["status"] = lines.status(terms)
    parts, rate = [_part(state, item) for item in note["items"]], _shipping_rate(state, session)
    shipped = [shipping_costs.part(rate)] if rate and terms.automatic else []
    is_untaxed = lines.is_untaxed(state, terms, parts)
    taxes = [[] for _ in (*parts, *shipped)] if is_untaxed else lines.taxes(state, terms, [*parts, *shipped])
    for item, part, own in zip(note["items"], parts, taxes, strict=False):
        item.update(amount_tax=sum(tax["amount"] for tax in own), amount_total=part.amount + lines.exclusive(own))
        if own:
            state.note(item["id"])["taxes"] = [shipping_costs.shown(state, tax) for tax in own]
    if rate:
        session["shipping_cost"] = shipping_costs.cost(rate, taxes[-1] if shipped else [])
        note["shipping_taxes"] = [shipping_costs.shown(state, tax) for own in taxes[len(parts) :] for tax in own]
    every = lines.summed([tax for own in taxes for tax in own])
    note["taxes"] = [shipping_costs.shown(state, tax) for tax in every]


def _shipping_rate(state: State, session: Object) -> Object | None:
    chosen = session["shipping_cost"]
    return state.get("shipping_rate", chosen["shipping_rate"]) if chosen else None


def terms_of(state: State, session: Object) -> Terms:
    by_hand = state.note(session["id"]).get("default_tax_rates", [])
    return Terms(bool(session["automatic_tax"]["enabled"]), tuple(by_hand), _party(state, session))


def _party(state: State, session: Object) -> Party:
    entered = buyer(state, session)
    update = state.note(session["id"])["params"].get("customer_update") or {}
    details: dict[str, Any] = {}
    if entered.get("address") and (not session["customer"] or update.get("address") == "auto"):
        details["address"] = entered["address"]
    found = places.party(state, state.find("customer", session["customer"]), details)
    waiting = [{**places.as_id(row), "verification": {"status": "pending"}} for row in entered.get("tax_ids", [])]
    return Party(found.location, found.exempt, [*found.tax_ids, *waiting])


def buyer(state: State, session: Object) -> dict[str, Any]:
    """Return what the buyer has entered: an `address`, `tax_ids`."""
    return dict(state.note(session["id"]).get("buyer") or {})


def _part(state: State, item: Object) -> Taxable:
    price = item["price"]
    known, product = lines.remembered(state, item["id"]), state.find("product", price["product"])
    behavior = lines.behavior_of(state, price, item["currency"])
    code = product["tax_code"] if product else None
    left = item["amount_subtotal"] - item["amount_discount"]
    return Taxable(left, item["currency"], behavior, code, tuple(known.get("tax_rates") or ()))


def enter(state: State, session: Object, entries: dict[str, Any]) -> None:
    """Take the buyer's `billing_address` and `tax_id`; the session is counted anew afterwards."""
    note = state.note(session["id"])
    before, entered = note.get("buyer"), buyer(state, session)
    if entries.get("billing_address"):
        entered["address"] = {name: entries["billing_address"].get(name) or None for name in ADDRESS}
    tax_id = entries.get("tax_id") or {}
    if tax_id.get("value"):
        entered["tax_ids"] = [_tax_id(session, tax_id)]
    note["buyer"] = entered
    is_taxed = session["automatic_tax"]["enabled"] and bool(entries.get("billing_address"))
    if is_taxed and _party(state, session).location is None:
        note["buyer"] = before
        raise places.unrecognized()


def _tax_id(session: Object, given: dict[str, str]) -> Object:
    if not session.get("tax_id_collection"):
        raise invalid("This Checkout Session collects no tax IDs.", "tax_id")
    kind, value = given.get("type", ""), given.get("value", "")
    ids.check(kind, value, "tax_id")
    return {"type": kind, "value": value}


def check_complete(state: State, session: Object) -> None:
    """Refuse to go on without what the page asks for."""
    if session["mode"] == "setup":
        return
    place = _party(state, session).location
    if session["automatic_tax"]["enabled"] and place is None:
        raise _missing("This Checkout Session computes tax: the buyer has to enter an address.", "billing_address")
    required = (session.get("tax_id_collection") or {}).get("required") == "if_supported"
    if required and not buyer(state, session).get("tax_ids") and (place is None or place.country in HAVE_TAX_IDS):
        raise _missing("This Checkout Session requires a tax ID: the buyer has to enter a `tax_id`.", "tax_id")


def _missing(message: str, param: str) -> ApiError:
    return invalid(message, param, "parameter_missing")


def keep_ids(state: State, session: Object, customer: Object) -> None:
    """Give the customer the tax id that was entered."""
    known = {(row["type"], row["value"]) for row in state.table(ids.KIND).where("customer", customer["id"])}
    for row in buyer(state, session).get("tax_ids", []):
        if (row["type"], row["value"]) not in known:
            ids.create(state, row["type"], row["value"], customer)


def invoice_values(state: State, session: Object) -> dict[str, Any]:
    """Return how the invoice of a one-off payment is taxed."""
    return {"automatic_tax": session["automatic_tax"]["enabled"], "party": _party(state, session)}


def example(session: Object) -> dict[str, Any]:
    """Return an address for a buyer who is not asked: the overview's buttons pay in their name."""
    place = {"country": "US", "state": "NY", "postal_code": "10001"}
    return {"line1": "Street 1", **(place if session["currency"] == "usd" else {"country": "DE", "postal_code": "1"})}

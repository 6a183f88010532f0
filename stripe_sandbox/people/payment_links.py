"""A payment link is an address that many people open: each visit makes a Checkout session of its own."""

from typing import Any

from ..books import items, pricing
from ..errors import invalid, missing_parameter
from ..events import emit, recorded
from ..http.blanks import blank, embedded_list
from ..http.contract import Params
from ..http.listing import of_list, page
from ..http.metadata import merged
from ..http.routing import api
from ..http.values import URL
from ..store import Object, State
from . import checkout_rules, collecting, opening, quantities, sessions
from .sessions import INVOICE_DATA

LINE = (
    "line_items.price line_items.quantity line_items.adjustable_quantity line_items.price_data.currency "
    "line_items.price_data.product line_items.price_data.product_data line_items.price_data.unit_amount "
    "line_items.price_data.recurring line_items.price_data.tax_behavior"
)
INVOICE = (
    "invoice_creation.enabled invoice_creation.invoice_data.custom_fields invoice_creation.invoice_data.description "
    "invoice_creation.invoice_data.footer invoice_creation.invoice_data.metadata"
)
HELD = "payment_intent_data.description payment_intent_data.metadata payment_intent_data.setup_future_usage"
TRIAL = "subscription_data.metadata subscription_data.trial_period_days subscription_data.trial_settings"
CHANGED = (
    "after_completion allow_promotion_codes customer_creation inactive_message metadata optional_items "
    "payment_method_collection payment_method_types restrictions submit_type automatic_tax.enabled"
)
TAX_IDS = "tax_id_collection.enabled tax_id_collection.required"
COVERED = f"{collecting.COVERED} {CHANGED} {INVOICE} {HELD} {TRIAL} {TAX_IDS}"
ECHOED = ("allow_promotion_codes", "billing_address_collection", "customer_creation", "inactive_message",
          "payment_method_collection", "payment_method_types", "submit_type")  # fmt: skip


@api.add(
    "POST",
    "/v1/payment_links",
    "PaymentLinkCreateParams",
    f"{LINE} {COVERED} currency shipping_options payment_intent_data.capture_method subscription_data.description",
)
def create(state: State, params: Params) -> Object:
    wanted = opening.sold(state, {"line_items": _without_one(state, params.get("line_items") or [])})
    if not wanted:
        raise invalid("A payment link needs at least one line item.", "line_items")
    mode = "subscription" if any(state.get("price", row["price"])["recurring"] for row in wanted) else "payment"
    currency = sessions.currency_of(state, wanted, {**params, "mode": mode}, None)
    link = _document(state, state.new_id("plink"), currency)
    rows = [sessions.line(state, row, currency, mode) for row in wanted]
    state.note(link["id"]).update(mode=mode, items=rows, wanted=wanted, params={})
    _write(state, link, {name: value for name, value in params.items() if name != "line_items"})
    emit(state, "payment_link.created", state.put(link))
    return link


def _without_one(state: State, rows: list[Params]) -> list[Params]:
    """A link demands a quantity of each line; of one billed by usage it can only be one, and is not kept."""

    def wanted(row: Params) -> Params:
        price = state.find("price", row.get("price"))
        if price is None or not pricing.is_metered(price) or row["quantity"] != 1:
            return row
        return {name: value for name, value in row.items() if name != "quantity"}

    return [wanted(row) for row in rows]


def _document(state: State, identifier: str, currency: str) -> Object:
    return blank(
        "payment_link",
        identifier,
        active=True,
        currency=currency,
        livemode=False,
        metadata={},
        url=f"{state.base_url}/b/{identifier}",
    )


def _write(state: State, link: Object, params: Params) -> None:
    """Keep the parameters that sessions are made with, and show them."""
    note = state.note(link["id"])
    given = _laid_over(note["params"], {name: value for name, value in params.items() if name != "metadata"})
    checkout_rules.check_mode(note["mode"], given)
    shown = {name: given[name] for name in ECHOED if name in given}
    link.update(
        {
            **_of_mode(note["mode"], given),
            **_taxes(given),
            "after_completion": _after_completion(given.get("after_completion")),
            "allow_promotion_codes": False,
            "billing_address_collection": "auto",
            "customer_creation": "if_required",
            "inactive_message": None,
            "metadata": merged(link["metadata"], params),
            "optional_items": quantities.optional(state, given.get("optional_items") or []) or None,
            "payment_method_types": None,
            "restrictions": _restrictions(link["restrictions"], given.get("restrictions")),
            "shipping_options": _shipping_options(state, given),
            "submit_type": "auto",
            **_collected(given),
            **shown,
        }
    )
    note["params"] = given


def _laid_over(before: Params, given: Params) -> Params:
    """Return the parameters after a change; an object is changed name by name, and an empty value clears."""
    changed = {
        name: _laid_over(before.get(name) or {}, value) if isinstance(value, dict) else value
        for name, value in given.items()
    }
    return {name: value for name, value in {**before, **changed}.items() if value != ""}


def _of_mode(mode: str, given: Params) -> Object:
    if mode == "payment":
        made = {"invoice_creation": _invoice_creation(given), "payment_intent_data": _payment_intent_data(given)}
        return {**made, "payment_method_collection": "if_required"}
    return {"subscription_data": _subscription_data(given), "payment_method_collection": "always"}


def _taxes(given: Params) -> Object:
    is_on = bool((given.get("automatic_tax") or {}).get("enabled"))
    automatic = {"enabled": is_on, "liability": {"type": "self"} if is_on else None}
    ids = {"enabled": False, "required": "never", **(given.get("tax_id_collection") or {})}
    return {"automatic_tax": automatic, "tax_id_collection": ids}


def _collected(given: Params) -> Object:
    """Return what the pages of the link's sessions collect; values are the sessions' own."""
    shown = collecting.asked(given)
    for field in shown["custom_fields"]:
        del field[field["type"]]["value"]
    return shown


def _after_completion(given: Params | None) -> Object:
    after: dict[str, Any] = given or {"type": "hosted_confirmation"}
    if after["type"] == "hosted_confirmation":
        return {"hosted_confirmation": {"custom_message": None, **after.get("hosted_confirmation", {})},
                "type": "hosted_confirmation"}  # fmt: skip
    if "redirect" not in after:
        raise missing_parameter("after_completion[redirect][url]")
    if not URL.fullmatch(after["redirect"]["url"]):
        raise invalid("Not a valid URL", "after_completion[redirect][url]", "url_invalid")
    return {"redirect": after["redirect"], "type": "redirect"}


def _invoice_creation(given: Params) -> Object:
    creation = given.get("invoice_creation") or {"enabled": False}
    data: dict[str, Any] = {**dict.fromkeys(INVOICE_DATA), "metadata": {}, **creation.get("invoice_data", {})}
    return {"enabled": creation["enabled"], "invoice_data": data}


def _payment_intent_data(given: Params) -> Object | None:
    if not given.get("payment_intent_data"):
        return None
    names = ("capture_method", "description", "setup_future_usage", "statement_descriptor",
             "statement_descriptor_suffix", "transfer_group")  # fmt: skip
    return {**dict.fromkeys(names), "metadata": {}, **given["payment_intent_data"]}


def _subscription_data(given: Params) -> Object:
    data = given.get("subscription_data") or {}
    settled: dict[str, Any] = {"description": None, "invoice_settings": {"issuer": {"type": "self"}}, "metadata": {}}
    return {**settled, "trial_period_days": None, "trial_settings": None, **data}


def _shipping_options(state: State, given: Params) -> list[Object]:
    rates = [option["shipping_rate"] for option in given.get("shipping_options") or []]
    for rate in rates:
        state.get("shipping_rate", rate, "shipping_options[0][shipping_rate]")
    amounts = [state.get("shipping_rate", rate)["fixed_amount"]["amount"] for rate in rates]
    return [{"shipping_amount": amount, "shipping_rate": rate} for amount, rate in zip(amounts, rates, strict=True)]


def _restrictions(before: Object | None, given: Params | None) -> Object | None:
    if not given:
        return None
    count = before["completed_sessions"]["count"] if before else 0
    return {"completed_sessions": {"count": count, "limit": given["completed_sessions"]["limit"]}}


@api.add(
    "POST",
    "/v1/payment_links/{link}",
    "PaymentLinkUpdateParams",
    f"{COVERED} active line_items.id line_items.quantity line_items.adjustable_quantity",
)
def update(state: State, link: str, params: Params) -> Object:
    row = state.get("payment_link", link)
    with recorded(state, row, "payment_link.updated"):
        if "active" in params:
            row["active"] = params["active"]
        _adjust(state, row, params.get("line_items") or [])
        _write(state, row, {name: value for name, value in params.items() if name not in ("active", "line_items")})
    return row


def _adjust(state: State, link: Object, given: list[Params]) -> None:
    note = state.note(link["id"])
    for index, entry in enumerate(given):
        at = next((place for place, row in enumerate(note["items"]) if row["id"] == entry["id"]), None)
        if at is None:
            raise invalid(f"No such line item: '{entry['id']}'", f"line_items[{index}][id]", "resource_missing")
        row, wanted = note["items"][at], note["wanted"][at]
        if pricing.is_metered(row["price"]):
            items.refuse_quantity(entry, f"line_items[{index}][quantity]")
            continue
        quantity = entry.get("quantity", row["quantity"])
        bounds = row["adjustable_quantity"]
        if "adjustable_quantity" in entry:
            bounds = quantities.adjustable(entry["adjustable_quantity"], quantity, f"line_items[{index}]")
        row.update(quantity=quantity, adjustable_quantity=bounds)
        wanted.update(quantity=quantity, adjustable_quantity=bounds)


@api.add("GET", "/v1/payment_links/{link}", "PaymentLinkRetrieveParams")
def retrieve(state: State, link: str, params: Params) -> Object:
    return state.get("payment_link", link)


@api.add("GET", "/v1/payment_links", "PaymentLinkListParams", "active")
def list_all(state: State, params: Params) -> Object:
    return page(state, "payment_link", "/v1/payment_links", params, same="active")


@api.add("GET", "/v1/payment_links/{link}/line_items", "PaymentLinkListLineItemsParams")
def line_items(state: State, link: str, params: Params) -> Object:
    state.get("payment_link", link)
    url, rows = f"/v1/payment_links/{link}/line_items", state.note(link)["items"]
    return of_list(rows, params, url) if params else embedded_list(url, rows)

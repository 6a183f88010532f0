"""An invoice has lines for periods, prorations and trials; an item remembers what it was last billed with."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..http.blanks import blank
from ..store import Object, State
from . import pricing
from .tax import lines as taxing

Line = dict[str, Any]


def line(state: State, sub: Object, item: Object, amount: int, period: tuple[int, int], **values: Any) -> Line:
    """Return a line for a subscription item, by way of an invoice item when it is a proration; or for something sold
    once."""
    quantity = item.get("quantity") or 1
    invoice_item, proration = values.get("invoice_item"), values.get("proration", False)
    details = {"invoice_item": invoice_item, "proration": proration, "subscription": sub["id"]}
    details["proration_details"] = {"credited_items": values.get("credited")}
    kind = "invoice_item_details" if invoice_item and not proration else "subscription_item_details"
    parent: dict[str, Any] = {"type": kind, "invoice_item_details": None, "subscription_item_details": None}
    parent[kind] = details if kind == "invoice_item_details" else {**details, "subscription_item": item["id"]}
    pricing_shown, identifier = priced(state, item["price"], sub["currency"]), state.new_id("il")
    taxing.remember(state, identifier, {"tax_rates": item.get("tax_rates")})
    return blank(
        "line_item",
        identifier,
        amount=amount,
        currency=sub["currency"],
        description=values.get("description") or described(state, sub, item),
        discount_amounts=[],
        discountable=not proration,
        discounts=[] if proration else list(item.get("discounts", [])),
        livemode=False,
        metadata=dict(sub["metadata"]),
        parent=parent,
        period={"start": period[0], "end": period[1]},
        pretax_credit_amounts=[],
        pricing={**pricing_shown, "unit_amount_decimal": None} if proration else pricing_shown,
        quantity=quantity,
        quantity_decimal=str(quantity),
        subtotal=amount,
        subscription=sub["id"],
        taxes=[],
    )


def priced(state: State, price: Object, currency: str) -> Object:
    return {
        "price_details": {"price": price["id"], "product": price["product"]},
        "type": "price_details",
        "unit_amount_decimal": str(pricing.unit_amount(state, price, currency)),
    }


def described(state: State, sub: Object, item: Object) -> str:
    price = item["price"]
    product = state.find("product", price["product"])
    amount = pricing.shown(pricing.unit_amount(state, price, sub["currency"]), sub["currency"])
    name = product["name"] if product else price["product"]
    return f"{counted(item, product)} {name} (at {amount} / {pricing.rhythm(price['recurring'])})"


def counted(item: Object, product: Object | None) -> str:
    """Return a label such as `10 user ×`, in which the label of a unit stays in the singular."""
    label = product["unit_label"] if product else None
    return f"{item.get('quantity') or 1}{f' {label}' if label else ''} ×"


def trial_line(state: State, sub: Object, item: Object) -> Line:
    period = (sub["trial_start"], sub["trial_end"])
    product = state.find("product", item["price"]["product"])
    name = product["name"] if product else "subscription"
    made = line(state, sub, item, 0, period, description=f"Free trial for {counted(item, product)} {name}")
    made["pricing"]["unit_amount_decimal"] = "0"
    return made


def remember_billed(state: State, entry: Line) -> None:
    """Remember what an item was last billed with: its unused time is credited with that. A credit is no bill."""
    details = entry["parent"]["subscription_item_details"]
    if details is None or (details["proration"] and entry["amount"] < 0):
        return
    net = entry["amount"] - sum(each["amount"] for each in entry["discount_amounts"])
    period = [entry["period"]["start"], entry["period"]["end"]]
    line = entry["id"] if entry["invoice"] else None
    billed = {"amount": net, "period": period, "invoice": entry["invoice"], "line": line}
    state.note(details["subscription_item"])["billed"] = billed


@contextmanager
def nothing_billed_yet(state: State, rows: list[Object]) -> Iterator[dict[str, Any]]:
    """Let what the block bills count for nothing until its payment comes; it is given back, for `bill_at_last`."""
    before = {row["id"]: state.note(row["id"]).get("billed") for row in rows}
    billed: dict[str, Any] = {}
    yield billed
    for identifier, known in before.items():
        billed[identifier] = state.note(identifier).get("billed")
        state.note(identifier)["billed"] = known


def bill_at_last(state: State, billed: dict[str, Any]) -> None:
    for identifier, entry in billed.items():
        state.note(identifier)["billed"] = entry


def ordered(state: State, lines: list[Line]) -> list[Line]:
    """Return invoice items before the items of the subscription, the newest of each first (the SDK says so); those of
    one second in the order in which they were made (recorded)."""
    return sorted(lines, key=lambda entry: _rank(state, entry))


def _rank(state: State, entry: Line) -> tuple[int, int]:
    waiting = item_of(entry)
    if waiting is not None:
        item = state.find("invoiceitem", waiting)
        return 0, -(item["date"] if item else state.now())
    row = state.notes.get(entry["parent"]["subscription_item_details"]["subscription_item"], {})
    return 1, -row.get("created", 0)


def item_of(entry: Line) -> str | None:
    parent = entry["parent"]
    details = parent["invoice_item_details"] or parent["subscription_item_details"]
    return details["invoice_item"] if details else None

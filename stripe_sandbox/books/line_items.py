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
    quantity = pricing.quantity_of(item)
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
        description=values["description"],
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
        "unit_amount_decimal": pricing.text(pricing.unit_amount(state, price, currency)),
    }


def charged(
    state: State, sub: Object, item: Object, charge: pricing.Charge, amount: int, period: tuple[int, int]
) -> Line:
    """Return a line for one part of what an item costs."""
    counted = {**item, "quantity": charge.quantity}
    made = line(state, sub, item, amount, period, description=described(state, counted, charge))
    made.update(quantity=int(charge.quantity), quantity_decimal=pricing.text(charge.quantity))
    made["pricing"]["unit_amount_decimal"] = None if charge.unit is None else pricing.text(charge.unit)
    return made


def described(state: State, item: Object, charge: pricing.Charge) -> str:
    """`10 user × Pro (at $5.00 / month)`; a flat fee counts nothing."""
    price = item["price"]
    product = state.find("product", price["product"])
    units = "" if charge.unit is None else f"{counted(item, product)} "
    return f"{units}{named(state, price)} ({charge.words} / {pricing.rhythm(price['recurring'])})"


def named(state: State, price: Object) -> str:
    product = state.find("product", price["product"])
    return str(product["name"] if product else price["product"])


def counted(item: Object, product: Object | None) -> str:
    """Return a label such as `10 user ×`, in which the label of a unit stays in the singular."""
    label = product["unit_label"] if product else None
    return f"{pricing.text(item.get('quantity', 1))}{f' {label}' if label else ''} ×"


def trial_lines(state: State, sub: Object, rows: list[Object]) -> list[Line]:
    """Return the lines that a trial begins with; metered items have theirs when it ends."""
    period = (sub["trial_start"], sub["trial_end"])
    return [trial_line(state, sub, row, period) for row in rows if not pricing.is_metered(row["price"])]


def trial_line(state: State, sub: Object, item: Object, period: tuple[int, int]) -> Line:
    product = state.find("product", item["price"]["product"])
    name = product["name"] if product else "subscription"
    made = line(state, sub, item, 0, period, description=f"Free trial for {counted(item, product)} {name}")
    made["pricing"]["unit_amount_decimal"] = "0"
    return made


def remember_billed(state: State, entry: Line) -> None:
    """Remember what an item was last billed with: its unused time is credited with that. A credit is no bill, and the
    parts of a tiered price on one invoice are one."""
    details = entry["parent"]["subscription_item_details"]
    if details is None or (details["proration"] and entry["amount"] < 0):
        return
    net = entry["amount"] - sum(each["amount"] for each in entry["discount_amounts"])
    period, note = [entry["period"]["start"], entry["period"]["end"]], state.note(details["subscription_item"])
    lines = [entry["id"]] if entry["invoice"] else []
    known = note.get("billed")
    if known and lines and not details["proration"] and _span(known) == (entry["invoice"], period):
        net, lines = known["amount"] + net, known["lines"] + lines
    note["billed"] = {"amount": net, "period": period, "invoice": entry["invoice"], "lines": lines}


def _span(billed: Object) -> tuple[str | None, list[int]]:
    return billed["invoice"], billed["period"]


@contextmanager
def nothing_billed_yet(state: State, rows: list[Object]) -> Iterator[dict[str, Any]]:
    """Let the block's charges count as unbilled until their payment comes; yield them, for `bill_at_last`."""
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

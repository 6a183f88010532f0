"""A metered item is billed for the usage of its period, afterwards and once.

What is billed is a span: the usage dated from the start of the item's period until an end, that was reported since the
item has its price (https://docs.stripe.com/billing/subscriptions/billing-mode/compare).
"""

from dataclasses import dataclass
from decimal import Decimal

from ..store import Object, State
from . import line_items, metering, pricing
from .line_items import Line


@dataclass(frozen=True)
class Span:
    start: int
    end: int
    after: int = 0
    """The number of the last event that does not count any more."""


def restart(state: State, before: list[Object], after: list[Object], billed: list[str], at: int) -> None:
    """What is reported from now on is billed by the price that an item has now; `billed` names the items whose usage
    so far the change has billed."""
    known = {row["id"]: row["price"]["id"] for row in before}
    for row in after:
        is_new = known.get(row["id"]) != row["price"]["id"]
        if pricing.is_metered(row["price"]) and (is_new or row["id"] in billed):
            begin_anew(state, row, at)


def begin_anew(state: State, row: Object, at: int) -> None:
    state.note(row["id"]).update(metered_from=at, metered_after=state.made)


def span(state: State, row: Object, end: int | None = None) -> Span:
    """Return what is to be billed of an item until `end`, or (None) until now, this second included."""
    after = state.notes.get(row["id"], {}).get("metered_after", 0)
    return Span(int(row["current_period_start"]), state.now() + 1 if end is None else end, after)


def measured(state: State, customer: str, price: Object, what: Span) -> Decimal:
    """Return the usage of a span; one below zero counts as none."""
    meter = state.get("billing.meter", price["recurring"]["meter"])
    return max(metering.aggregated(state, meter, customer, what.start, what.end, what.after), Decimal(0))


def due(state: State, sub: Object, end: int | None = None) -> list[Line]:
    """Return the lines for the usage of all items until `end`, or until now; that of a trial is free."""
    is_free, rows = sub["status"] == "trialing", sub["items"]["data"]
    return [line for row in rows for line in lines(state, sub, row, end, is_free)]


def lines(state: State, sub: Object, row: Object, end: int | None = None, is_free: bool = False) -> list[Line]:
    if not pricing.is_metered(row["price"]):
        return []
    start = max(int(row["current_period_start"]), state.notes.get(row["id"], {}).get("metered_from", 0))
    shown = (start, state.now() if end is None else end)
    return for_span(state, sub, row, span(state, row, end), shown, is_free)


def for_span(
    state: State, sub: Object, row: Object, what: Span, shown: tuple[int, int], is_free: bool = False
) -> list[Line]:
    """Return the lines for a span: a line for each part of the price, and one that takes off what an invoice within
    the period has billed already."""
    quantity = measured(state, sub["customer"], row["price"], what)
    if is_free:
        made = [line_items.trial_line(state, sub, {**row, "quantity": quantity}, shown)]
        made[0]["quantity_decimal"] = pricing.text(quantity)
    else:
        made = [
            line_items.charged(state, sub, row, charge, charge.amount, shown)
            for charge in pricing.charges(state, row["price"], sub["currency"], quantity)
        ]
    before = billed_before(state, row["id"], what)
    if before["amount"]:
        made.append(_previously_billed(state, sub, row, before["amount"], shown))
    bill = _bill(state, sub, row, quantity, what, is_free, before["amount"])
    for line in made:
        state.note(line["id"])["usage"] = bill
    return made


def billed_before(state: State, item: str, what: Span) -> Object:
    """Return what invoices within the period have billed of this usage."""
    held: Object = state.notes.get(item, {}).get("threshold") or {}
    key = [what.start, what.after]
    return held if held.get("span") == key else {"span": key, "amount": 0, "quantity": "0"}


def _previously_billed(state: State, sub: Object, row: Object, amount: int, shown: tuple[int, int]) -> Line:
    words = f"{line_items.named(state, row['price'])} (amount previously billed)"
    made = line_items.line(state, sub, {**row, "quantity": 0}, -amount, shown, description=words)
    made.update(discountable=False, discounts=[])
    made["pricing"]["unit_amount_decimal"] = None
    return made


def _bill(state: State, sub: Object, row: Object, quantity: Decimal, what: Span, is_free: bool, before: int) -> Object:
    """Return the facts from which the lines can be drawn up again."""
    meter = row["price"]["recurring"]["meter"]
    return {
        "item": row["id"],
        "price": row["price"]["id"],
        "discounts": list(row.get("discounts", [])),
        "tax_rates": list(row.get("tax_rates", [])),
        "meter": meter,
        "customer": sub["customer"],
        "span": [what.start, what.end, what.after],
        "quantity": pricing.text(quantity),
        "upto": state.made,
        "changed": metering.changed(state, meter, sub["customer"]),
        "is_free": is_free,
        "before": before,
    }

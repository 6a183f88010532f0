"""The totals of a Checkout session are computed again whenever its lines, its discount or its shipping change."""

from ..books import pricing, reductions
from ..store import Object, State
from . import checkout_taxes


def recount(state: State, session: Object) -> None:
    rows = state.note(session["id"])["items"]
    for row in rows:
        row["amount_subtotal"] = _cost(state, session, row)
    taken = _discounts(state, session, rows)
    for row, part in zip(rows, taken, strict=True):
        row["amount_discount"] = part
    checkout_taxes.count(state, session)
    shipping = session["shipping_cost"] or {"amount_subtotal": 0, "amount_tax": 0, "amount_total": 0}
    subtotal, discount = sum(row["amount_subtotal"] for row in rows), sum(taken)
    tax, total = (sum(row[name] for row in (*rows, shipping)) for name in ("amount_tax", "amount_total"))
    sums = {"amount_discount": discount, "amount_shipping": shipping["amount_subtotal"], "amount_tax": tax}
    session["total_details"].update(sums)
    session.update(amount_subtotal=subtotal, amount_total=total)


def _cost(state: State, session: Object, row: Object) -> int:
    """Return the cost today, which is nothing for what recurs after a trial."""
    if state.note(session["id"])["trial"] and row["price"]["recurring"]:
        return 0
    return pricing.item_amount(state, row, session["currency"])


def _discounts(state: State, session: Object, rows: list[Object]) -> list[int]:
    """Return what the chosen discount takes off each line."""
    if not session["discounts"]:
        return [0 for _ in rows]
    coupon = state.get("coupon", session["discounts"][0]["coupon"])
    parts = [reductions.Part(row["amount_subtotal"], row["price"]["product"], row["currency"]) for row in rows]
    return reductions.off(state, coupon, parts)

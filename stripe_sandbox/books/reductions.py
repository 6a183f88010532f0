"""Discounts reduce amounts, in percent or by an amount, for the products that a coupon is for.

Assumed, where Stripe's documentation is silent: an amount off is spread over the lines in proportion to their amounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from ..errors import invalid
from ..store import Object, State


@dataclass(frozen=True)
class Part:
    """A part is an amount in minor units, with the product that it is for, if any."""

    amount: int
    product: str | None
    currency: str


def row_of(state: State, discount: str | Object) -> Object:
    """Return a discount that is given by its id, or as it would be."""
    return state.get("discount", discount) if isinstance(discount, str) else discount


def coupon_of(state: State, discount: Object) -> Object:
    """Return the coupon of a discount; a deleted coupon stays valid for those who have it."""
    identifier = discount["source"]["coupon"]
    return state.find("coupon", identifier) or dict(state.note(identifier)["last"])


def amount_off(state: State, coupon: Object, currency: str) -> int:
    if coupon["currency"] == currency:
        return int(coupon["amount_off"])
    options = state.note(coupon["id"]).get("currency_options") or {}
    if currency not in options:
        raise invalid(f"The coupon `{coupon['id']}` is in `{coupon['currency']}`, not in `{currency}`.", "coupon")
    return int(options[currency]["amount_off"])


def off(state: State, coupon: Object, parts: list[Part]) -> list[int]:
    """Return what a coupon takes off each of the parts, in whole minor units; credits are not discounted."""
    only = (state.note(coupon["id"]).get("applies_to") or {}).get("products")
    open_amounts = [max(part.amount, 0) if only is None or part.product in only else 0 for part in parts]
    if coupon["percent_off"] is not None:
        rate = Decimal(str(coupon["percent_off"])) / 100
        return [int((amount * rate).quantize(Decimal(1), ROUND_HALF_UP)) for amount in open_amounts]
    if not parts:
        return []
    return _spread(min(amount_off(state, coupon, parts[0].currency), sum(open_amounts)), open_amounts)


def _spread(total: int, amounts: list[int]) -> list[int]:
    """Spread an amount in proportion, and exactly: the last part takes what rounding leaves."""
    rest, whole, parts = total, sum(amounts), []
    for amount in amounts:
        part = rest * amount // whole if whole else 0
        parts.append(part)
        rest, whole = rest - part, whole - amount
    return parts


def net(state: State, discounts: Sequence[str | Object], parts: list[Part]) -> list[Part]:
    """Return what is left of the parts, one discount after another; each is given by its id or as it would be."""
    for each in discounts:
        taken = off(state, coupon_of(state, row_of(state, each)), parts)
        parts = _less(parts, taken)
    return parts


def _less(parts: list[Part], taken: list[int]) -> list[Part]:
    return [Part(part.amount - less, part.product, part.currency) for part, less in zip(parts, taken, strict=True)]


def apply(state: State, lines: list[Object], discounts: list[Object]) -> list[Object]:
    """Return the lines with their `discount_amounts`: first a line's own discounts, then those of the whole, each
    applied to what is left. Credits that pay for a line stay on it."""
    own = [[row_of(state, known) for known in line["discounts"]] for line in lines]
    shown = [{**line, "discount_amounts": [], "pretax_credit_amounts": credits_of(line),
              "discounts": [row["id"] for row in rows]} for line, rows in zip(lines, own, strict=True)]  # fmt: skip
    open_lines = [line for line in shown if line["discountable"] and line["amount"] > 0]
    left = [_part(line) for line in open_lines]
    own = [rows for rows, line in zip(own, shown, strict=True) if line in open_lines]
    for index, (line, rows) in enumerate(zip(open_lines, own, strict=True)):
        for row in rows:
            left[index] = _take(state, row, [line], [left[index]])[0]
    for discount in discounts:
        left = _take(state, discount, open_lines, left)
    return shown


def _part(line: Object) -> Part:
    details = (line["pricing"] or {}).get("price_details")
    return Part(line["amount"], details["product"] if details else None, line["currency"])


def _take(state: State, discount: Object, lines: list[Object], left: list[Part]) -> list[Part]:
    taken = off(state, coupon_of(state, discount), left)
    for line, part in zip(lines, taken, strict=True):
        line["discount_amounts"].append({"amount": part, "discount": discount["id"]})
        line["pretax_credit_amounts"].append({"amount": part, "discount": discount["id"], "type": "discount"})
    return _less(left, taken)


def of_lines(lines: list[Object]) -> int:
    """Return what the discounts of single lines take off: `subtotal` is after these and before those of the whole
    invoice."""
    return sum(
        entry["amount"]
        for line in lines
        for entry in line["discount_amounts"]
        if entry["discount"] in line["discounts"]
    )


def totals(lines: list[Object]) -> list[Object]:
    """Return `total_discount_amounts` of an invoice with these lines."""
    sums: dict[str, int] = {}
    for line in lines:
        for entry in line["discount_amounts"]:
            sums[entry["discount"]] = sums.get(entry["discount"], 0) + entry["amount"]
    return [{"amount": amount, "discount": discount} for discount, amount in sums.items()]


def credits_of(line: Object) -> list[Object]:
    """Return what billing credits pay of a line (https://docs.stripe.com/billing/subscriptions/usage-based/billing-credits)."""
    return [dict(part) for part in line["pretax_credit_amounts"] if part["type"] == "credit_balance_transaction"]

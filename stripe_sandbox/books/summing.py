"""An invoice's lines are summed here: discounts first, then billing credits, then taxes, then what is due."""

from ..store import Object, State
from . import reductions, shipping_costs
from .tax import lines as taxing
from .tax.lines import Tax, Terms

TAX_OFF = dict.fromkeys(("disabled_reason", "liability", "provider", "status"))


def counted(
    state: State, lines: list[Object], discounts: list[Object], terms: Terms, rate: Object | None = None
) -> tuple[list[Object], Object]:
    """Return the lines with their discounts and taxes, and the invoice's fields that sum them and the shipping."""
    lines = reductions.apply(state, lines, discounts)
    excluded, on_shipping = _tax(state, lines, terms, rate)
    shipping = shipping_costs.cost(rate, on_shipping) if rate else None
    taken, paid = reductions.totals(lines), [part for line in lines for part in reductions.credits_of(line)]
    subtotal = sum(entry["amount"] for entry in lines) - reductions.of_lines(lines)
    taxes = [tax for entry in lines for tax in entry["taxes"]] + on_shipping
    total = sum(entry["amount"] for entry in lines) - sum(entry["amount"] for entry in (*taken, *paid))
    total += taxing.exclusive(taxes) + (shipping["amount_subtotal"] if shipping else 0)
    return lines, {
        "amount_shipping": shipping["amount_subtotal"] if shipping else 0,
        "shipping_cost": shipping,
        "amount_due": max(total, 0),
        "amount_remaining": max(total, 0),
        "subtotal": subtotal,
        "subtotal_excluding_tax": excluded if taxes else subtotal,
        "total": total,
        "total_discount_amounts": taken,
        "total_excluding_tax": total - sum(tax["amount"] for tax in taxes),
        "total_pretax_credit_amounts": [*({**entry, "type": "discount"} for entry in taken), *paid],
        "total_taxes": taxing.summed(taxes),
    }


def _tax(state: State, lines: list[Object], terms: Terms, rate: Object | None) -> tuple[int, list[Tax]]:
    """Write each line's taxes; return the subtotal without the inclusive ones, and the taxes of the shipping."""
    parts = [taxing.of_line(state, entry) for entry in lines]
    if taxing.is_untaxed(state, terms, parts):
        for entry in lines:
            entry["taxes"] = []
        return 0, []
    shipped = [shipping_costs.part(rate)] if rate and terms.automatic else []
    found = taxing.taxes(state, terms, [*parts, *shipped])
    for entry, taxes in zip(lines, found, strict=False):
        entry["taxes"] = taxes
    excluded = sum(_excluded(state, entry, part.amount) for entry, part in zip(lines, parts, strict=True))
    return excluded, found[-1] if shipped else []


def _excluded(state: State, line: Object, left: int) -> int:
    subtotal = line["amount"] - reductions.of_lines([line])
    if subtotal == left:
        return subtotal - taxing.inclusive(line["taxes"])
    return taxing.without_tax(state, subtotal, line["taxes"])


def automatic_tax(terms: Terms) -> Object:
    """Return an invoice's `automatic_tax` under these terms."""
    if not terms.automatic:
        return {"enabled": False, **TAX_OFF}
    shown = {"liability": {"type": "self"}, "provider": "stripe", "status": taxing.status(terms)}
    return {"enabled": True, "disabled_reason": None, **shown}

"""An invoice's lines are summed here: discounts first, then billing credits, then taxes, then what is due."""

from ..store import Object, State
from . import reductions
from .tax import lines as taxing
from .tax.lines import Terms

TAX_OFF = dict.fromkeys(("disabled_reason", "liability", "provider", "status"))


def counted(state: State, lines: list[Object], discounts: list[Object], terms: Terms) -> tuple[list[Object], Object]:
    """Return the lines with their discounts and taxes, and the invoice's fields that sum them."""
    lines = reductions.apply(state, lines, discounts)
    excluded = _tax(state, lines, terms)
    taken, paid = reductions.totals(lines), [part for line in lines for part in reductions.credits_of(line)]
    subtotal = sum(entry["amount"] for entry in lines) - reductions.of_lines(lines)
    taxes = [tax for entry in lines for tax in entry["taxes"]]
    total = sum(entry["amount"] for entry in lines) - sum(entry["amount"] for entry in (*taken, *paid))
    total += taxing.exclusive(taxes)
    return lines, {
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


def _tax(state: State, lines: list[Object], terms: Terms) -> int:
    """Write each line's taxes; return the subtotal without the inclusive ones."""
    parts = [taxing.of_line(state, entry) for entry in lines]
    if taxing.is_untaxed(state, terms, parts):
        for entry in lines:
            entry["taxes"] = []
        return 0
    for entry, taxes in zip(lines, taxing.taxes(state, terms, parts), strict=True):
        entry["taxes"] = taxes
    return sum(_excluded(state, entry, part.amount) for entry, part in zip(lines, parts, strict=True))


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

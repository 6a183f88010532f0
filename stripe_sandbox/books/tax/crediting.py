"""A credit note gives back its share of tax: of each line that it credits, or of the whole invoice.

Shares are counted together with those of earlier notes, so that notes over everything give back the tax to the last
minor unit.
"""

from collections.abc import Iterator
from typing import Any

from ...errors import invalid
from ...store import Object, State
from .. import pricing
from . import lines, rates
from .lines import Tax, Taxable, Terms


def of_line(state: State, invoice: Object, row: Object, amount: int) -> list[Tax]:
    """Return the taxes of a part of an invoice's line."""
    earlier = [line for line in _credited(state, invoice) if line["invoice_line_item"] == row["id"]]
    before = sum(line["amount"] for line in earlier)
    return _shares(row["taxes"], earlier, before, amount, row["amount"])


def of_whole(state: State, invoice: Object, amount: int) -> list[Tax]:
    """Return the taxes within an amount of an invoice's total."""
    earlier = [line for line in _credited(state, invoice) if line["invoice_line_item"] is None]
    before = sum(line["amount"] + lines.exclusive(line["taxes"]) for line in earlier)
    return _shares(invoice["total_taxes"], earlier, before, amount, invoice["total"])


def _credited(state: State, invoice: Object) -> Iterator[Object]:
    for note in state.table("credit_note").where("invoice", invoice["id"]):
        if note["status"] == "issued":
            yield from note["lines"]["data"]


def _shares(taxes: list[Tax], earlier: list[Object], before: int, amount: int, whole: int) -> list[Tax]:
    given = lines.summed([tax for line in earlier for tax in line["taxes"]])
    return [_share(tax, given, before, amount, whole) for tax in taxes]


def _share(tax: Tax, given: list[Tax], before: int, amount: int, whole: int) -> Tax:
    known = [each for each in given if _key(each) == _key(tax)]
    part: dict[str, int] = {}
    for name in ("amount", "taxable_amount"):
        so_far = pricing.share(tax[name], min(before + amount, whole), whole)
        part[name] = so_far - sum(each[name] for each in known)
    return {**tax, **part}


def _key(tax: Tax) -> tuple[str, str, str]:
    return tax["tax_rate_details"]["tax_rate"], tax["tax_behavior"], tax["taxability_reason"]


def of_entry(state: State, invoice: Object, entry: dict[str, Any], amount: int) -> list[Tax] | None:
    """Return the taxes that an entry of `lines[]` names itself: as amounts, or by rates; None where it names none."""
    if entry.get("tax_amounts") and entry.get("tax_rates"):
        raise invalid("You may only specify one of these parameters: tax_amounts, tax_rates.", "lines[0][tax_amounts]")
    if entry.get("tax_amounts"):
        return [_given(state, each) for each in entry["tax_amounts"]]
    if not entry.get("tax_rates"):
        return None
    chosen = rates.chosen(state, entry["tax_rates"], "lines[0][tax_rates]")
    part = Taxable(amount, invoice["currency"], "", None, tuple(chosen))
    return lines.taxes(state, Terms(), [part])[0]


def _given(state: State, entry: dict[str, Any]) -> Tax:
    rate = state.get(rates.KIND, entry["tax_rate"], "lines[0][tax_amounts][0][tax_rate]")
    return {
        "amount": entry["amount"],
        "tax_behavior": "inclusive" if rate["inclusive"] else "exclusive",
        "tax_rate_details": {"tax_rate": rate["id"]},
        "taxability_reason": "not_available",
        "taxable_amount": entry["taxable_amount"],
        "type": "tax_rate_details",
    }


def rates_of(state: State, taxes: list[Tax]) -> list[Object]:
    """Return the rates by hand among those of taxes; automatic ones are not shown with a line."""
    made = set(state.note(rates.AUTOMATIC).values())
    named = [tax["tax_rate_details"]["tax_rate"] for tax in taxes]
    return [dict(state.get(rates.KIND, each)) for each in named if each not in made]

"""These invariants must hold of taxes after any history. See `invariants.py`."""

from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal

from stripe_sandbox.store import Object, State

NO_TAX = {"amount_tax": 0}
Key = tuple[str, str, str]


def _sums(taxes: list[Object]) -> Counter[Key]:
    """Return the tax of each rate, behaviour and reason; what is nothing is left out."""
    sums: Counter[Key] = Counter()
    for tax in taxes:
        sums[tax["tax_rate_details"]["tax_rate"], tax["tax_behavior"], tax["taxability_reason"]] += tax["amount"]
    return Counter({key: amount for key, amount in sums.items() if amount})


def _of_lines(row: Object) -> list[Object]:
    return [tax for line in row["lines"]["data"] for tax in line["taxes"]]


def invoices(state: State) -> Iterator[str]:
    """An invoice's taxes are those of its lines, and what is left without them is the rest."""
    for kind in ("invoice", "credit_note"):
        for row in state.table(kind).rows.values():
            shipped = (row["shipping_cost"] or NO_TAX)["amount_tax"]
            added, whole = sum(_sums(_of_lines(row)).values()) + shipped, sum(_sums(row["total_taxes"]).values())
            if added != whole or (not shipped and _sums(_of_lines(row)) != _sums(row["total_taxes"])):
                yield f"{row['id']}: its lines' taxes {_sums(_of_lines(row))} are not {_sums(row['total_taxes'])}"
            if row["total_excluding_tax"] != row["total"] - sum(tax["amount"] for tax in row["total_taxes"]):
                yield f"{row['id']}: {row['total_excluding_tax']} without tax of {row['total']}"


def lines(state: State) -> Iterator[str]:
    """A line's tax is its rate's share of what is taxed, to the minor unit; nobody else's."""
    for row in state.table("invoice").rows.values():
        for line in row["lines"]["data"]:
            for tax in line["taxes"]:
                rate = state.find("tax_rate", tax["tax_rate_details"]["tax_rate"])
                if rate is None or rate["inclusive"] != (tax["tax_behavior"] == "inclusive"):
                    yield f"{line['id']}: its tax rate {rate} is not what its tax says"
                elif abs(tax["taxable_amount"] * Decimal(str(rate["percentage"])) / 100 - tax["amount"]) > 1:
                    yield f"{line['id']}: {tax['amount']} is not {rate['percentage']} % of {tax['taxable_amount']}"


def automatic(state: State) -> Iterator[str]:
    """An invoice that is finalized with automatic tax has a place, and a tax on each of its lines."""
    for row in state.table("invoice").rows.values():
        tax = row["automatic_tax"]
        is_whole = tax["status"] == "complete" and all(line["taxes"] for line in row["lines"]["data"])
        if tax["enabled"] and row["status"] != "draft" and not is_whole:
            yield f"{row['id']} ({row['status']}): it was finalized without its taxes"
        if not tax["enabled"] and tax["disabled_reason"] and row["total_taxes"]:
            yield f"{row['id']}: it is taxed, and its tax is switched off"


def credit_notes(state: State) -> Iterator[str]:
    """Credit notes give back no more tax than there was, and all of it where they give back everything."""
    for row in state.table("invoice").rows.values():
        notes = [n for n in state.table("credit_note").where("invoice", row["id"]) if n["status"] == "issued"]
        back, there = sum(_tax(note) for note in notes), _tax(row)
        if back > max(there, 0) + 1:
            yield f"{row['id']}: {back} of tax is credited, of {there}"
        if notes and sum(note["total"] for note in notes) == row["total"] and abs(back - there) > 1:
            yield f"{row['id']}: everything is credited, but of {there} of tax {back}"


def _tax(row: Object) -> int:
    return sum(tax["amount"] for tax in row["total_taxes"])


def sessions(state: State) -> Iterator[str]:
    """A Checkout's tax is that of its items, and of its first invoice."""
    for row in state.table("checkout.session").rows.values():
        if row["mode"] == "setup":
            continue
        details, items = row["total_details"], state.note(row["id"])["items"]
        if details["amount_tax"] != sum(item["amount_tax"] for item in (*items, row["shipping_cost"] or NO_TAX)):
            yield f"{row['id']}: {details['amount_tax']} of tax is not that of its items"
        invoice = state.find("invoice", row["invoice"])
        if invoice and _tax(invoice) != details["amount_tax"]:
            yield f"{row['id']}: {details['amount_tax']} of tax, but {_tax(invoice)} on its invoice"


def tax_ids(state: State) -> Iterator[str]:
    """A tax id has an owner, and one that has been answered for does not wait."""
    for row in state.table("tax_id").rows.values():
        if row["customer"] and not state.find("customer", row["customer"]):
            yield f"{row['id']}: its customer is gone"
        if (row["verification"] is None) != (row["owner"]["type"] == "self"):
            yield f"{row['id']}: {row['owner']['type']} is verified as {row['verification']}"


CHECKS: list[Callable[[State], Iterator[str]]] = [invoices, lines, automatic, credit_notes, sessions, tax_ids]

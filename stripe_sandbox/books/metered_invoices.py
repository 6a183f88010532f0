"""A draft with metered lines reads its usage again when it is finalized, and credits pay for it then."""

from ..store import Object, State
from . import credit_grants, extras, invoicing, line_items, metering, usage
from .line_items import Line, item_of


def complete(state: State, invoice: Object) -> None:
    """Called before an invoice is finalized. What a threshold has billed is fixed
    (https://docs.stripe.com/billing/subscriptions/usage-based/thresholds)."""
    if invoice["billing_reason"] != "subscription_threshold":
        _read_usage(state, invoice)
    if credit_grants.apply(state, invoice):
        invoicing.recount(state, invoice)


def foresee(state: State, invoice: Object) -> Object:
    """Show on a preview the part that credits would pay."""
    if credit_grants.apply(state, invoice, moves=False):
        invoicing.recount(state, invoice)
    return invoice


def _read_usage(state: State, invoice: Object) -> None:
    """Draw up anew the lines whose usage has changed since; each keeps its id."""
    lines: list[Line] = invoice["lines"]["data"]
    bills = [_bill_of(state, line) for line in lines]
    if not any(bill and _is_stale(state, bill) for bill in bills):
        return
    drawn: list[Line] = []
    for bill in _distinct(bills):
        old = [line for line, each in zip(lines, bills, strict=True) if each == bill]
        drawn += _redrawn(state, invoice, bill, old) if bill and _is_stale(state, bill) else old
    extras.recount(state, invoice, line_items.ordered(state, drawn))


def _bill_of(state: State, line: Line) -> Object | None:
    """Return how a line came about, if it bills usage; an invoice item's usage was read when it was made."""
    found: Object | None = state.notes.get(line["id"], {}).get("usage") if item_of(line) is None else None
    return found


def _distinct(bills: list[Object | None]) -> list[Object | None]:
    return [bill for index, bill in enumerate(bills) if bill not in bills[:index]]


def _is_stale(state: State, bill: Object) -> bool:
    return metering.changed(state, bill["meter"], bill["customer"]) != bill["changed"]


def _redrawn(state: State, invoice: Object, bill: Object, old: list[Line]) -> list[Line]:
    sub = state.get("subscription", old[0]["subscription"])
    row = {"id": bill["item"], "price": state.get("price", bill["price"])}
    row |= {name: bill[name] for name in ("discounts", "tax_rates")}
    shown = (old[0]["period"]["start"], old[0]["period"]["end"])
    made = usage.for_span(state, sub, row, usage.Span(*bill["span"]), shown, bill["is_free"])
    for line, before in zip(made, old, strict=False):
        state.notes[before["id"]] = state.notes.pop(line["id"])
        line["id"] = before["id"]
    return [{**line, "invoice": invoice["id"], "metadata": old[0]["metadata"]} for line in made]

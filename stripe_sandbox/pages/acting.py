"""The first page offers these buttons: they move the clock, or act as a customer or a bank would next."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from ..books import aftermath, invoicing, items, standing
from ..books.tax import ids
from ..people import means
from ..resources.charges import is_charged_back
from ..store import Object, State
from . import acts
from .rendering import amount, date

SHOWN = 8
CLOCK = (("hour", "An hour on"), ("day", "A day on"), ("month", "A month on"), ("next", "To the next event"))
Section = dict[str, Any]


def clock(state: State) -> Section:
    buttons = [{"action": f"/act/{name}", "words": words} for name, words in CLOCK]
    return {"title": "Move the clock", "buttons": buttons}


def sections(state: State) -> list[Section]:
    """Return the sections that hold anything."""
    found = [{"title": title, "acts": list(islice(rows(state), SHOWN))} for title, rows in SECTIONS]
    return [clock(state), *(section for section in found if section["acts"])]


def _open(state: State, kind: str, statuses: tuple[str, ...]) -> Iterable[Object]:
    return (row for row in state.table(kind).newest_first() if row["status"] in statuses)


def _row(row: Object, whose: str, what: str, *buttons: tuple[str, str]) -> Object:
    named = [{"action": f"/act/{name}/{row['id']}", "words": words, "about": f"{whose}, {what}"}
             for name, words in buttons]  # fmt: skip
    return {"href": f"/objects/{row['id']}", "id": row["id"], "whose": whose, "what": what, "buttons": named}


def _checkouts(state: State) -> Iterable[Object]:
    for row in _open(state, "checkout.session", ("open",)):
        what = amount(row["amount_total"], row["currency"]) if row["amount_total"] else "nothing to pay now"
        refusing = [("checkout-decline", "Decline")] if means.needs_card(row) else []
        yield _row(row, acts.buyer(state, row), what, ("checkout-pay", "Pay"), *refusing)


def _invoices(state: State) -> Iterable[Object]:
    for row in _open(state, "invoice", ("open",)):
        if invoicing.is_processing(state, row):
            continue
        what = f"{amount(row['amount_remaining'], row['currency'])}, {row['number']} of {date(row['created'])}"
        yield _row(row, acts.whose(state, row), what, ("invoice-pay", "Pay"), ("invoice-decline", "Decline"))


def _under_way(state: State) -> Iterable[Object]:
    for row in _open(state, "payment_intent", ("processing",)):
        what = f"{amount(row['amount'], row['currency'])} of {date(row['created'])}"
        yield _row(row, acts.whose(state, row), what, ("bank-pay", "Let it succeed"), ("bank-fail", "Let it fail"))


def _renewals(state: State) -> Iterable[Object]:
    for row in state.table("subscription").newest_first():
        if standing.is_over(row) or not acts.collection_method(state, row):
            continue
        is_declining = acts.is_declining(state, row)
        button = ("renewal-pay", "Give a good card") if is_declining else ("renewal-decline", "Let the card fail")
        what = f"{row['status'].replace('_', ' ')}, renews on {date(items.period_end(row))}"
        yield _row(row, acts.whose(state, row), f"{what}: {'declined' if is_declining else 'paid'}", button)


def _payments(state: State) -> Iterable[Object]:
    for row in state.table("charge").newest_first():
        refunding = [] if row["disputed"] and is_charged_back(state, row) else [("refund", "Refund")]
        disputing = [] if row["disputed"] else [("dispute", "Dispute")]
        if row["paid"] and row["captured"] and not row["refunded"] and (refunding or disputing):
            left = f"{amount(row['amount'] - row['amount_refunded'], row['currency'])} of {date(row['created'])}"
            yield _row(row, acts.whose(state, row), left, *refunding, *disputing)


def _disputes(state: State) -> Iterable[Object]:
    for row in _open(state, "dispute", aftermath.OPEN):
        charge = state.get("charge", row["charge"])
        what = amount(row["amount"], row["currency"])
        yield _row(row, acts.whose(state, charge), what, ("dispute-win", "Win"), ("dispute-lose", "Lose"))


def _tax_ids(state: State) -> Iterable[Object]:
    for row in state.table(ids.KIND).newest_first():
        if row["customer"] and row["verification"]["status"] == "pending":
            what, buttons = f"{row['type']} {row['value']}", (("tax-id-verify", "Verify"), ("tax-id-refuse", "Refuse"))
            yield _row(row, acts.whose(state, row), what, *buttons)


SECTIONS: tuple[tuple[str, Callable[[State], Iterable[Object]]], ...] = (
    ("Open checkouts", _checkouts),
    ("Open invoices", _invoices),
    ("Payments under way", _under_way),
    ("Renewals", _renewals),
    ("Tax IDs to verify", _tax_ids),
    ("Open disputes", _disputes),
    ("Payments", _payments),
)

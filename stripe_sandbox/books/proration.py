"""A change of items within a period credits what is unused and charges what is new, by the second."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..events import emit
from ..http.blanks import blank
from ..store import Object, State
from . import (
    discounting,
    extras,
    invoicing,
    items,
    line_items,
    periods,
    pricing,
    reductions,
    standing,
    subscribing,
    usage,
)
from .tax import lines as taxing


@dataclass
class Change:
    """A change is worked out but not made: it has the rows, the anchor and period after it, and its prorations."""

    rows: list[Object]
    anchor: int
    period: tuple[int, int]
    lines: list[Object]
    items: list[Object]
    has_new_interval: bool = False
    metered: list[str] = field(default_factory=list)
    """The items whose usage so far the change bills."""

    @property
    def amount(self) -> int:
        return sum(entry["amount"] for entry in self.lines)

    @property
    def is_due_now(self) -> bool:
        """Return whether the change is invoiced at once whatever was asked for: another interval, or whole periods
        (https://docs.stripe.com/billing/subscriptions/change-price#immediate-payment)."""
        return bool(self.lines) and (
            self.has_new_interval or any(line_items.item_of(entry) is None for entry in self.lines)
        )


def work_out(
    state: State,
    sub: Object,
    rows: list[Object],
    at: int,
    prorates: bool,
    reset: bool = False,
    given: discounting.Given | None = None,
) -> Change:
    """
    1. `reset` starts a new period at `at`. Without it the anchor stays, also for a new interval, whose period is the
       one of the anchor's rhythm: billing is flexible.
    2. Each item that goes or changes is credited for the seconds left of what it was billed for.
    3. Each item that comes or changes is charged for the seconds left of its period, or for the whole new period; net
       of the discounts `given` by the same update.

    During a trial an item that is added costs nothing, and has a line that says so.
    """
    before = {row["id"]: row for row in sub["items"]["data"]}
    bounds = (items.period_start(sub), items.period_end(sub))
    if sub["status"] == "trialing":
        added = line_items.trial_lines(state, sub, [row for row in rows if row["id"] not in before])
        return Change(rows, sub["billing_cycle_anchor"], bounds, added, [])
    anchor = at if reset else sub["billing_cycle_anchor"]
    is_new = has_new_interval(before.values(), rows)
    rows = [_moved(row, anchor, at) if reset else row for row in rows]
    change = Change(rows, anchor, (bounds[0], at), [], [], has_new_interval=reset or is_new)
    after = {row["id"]: row for row in rows}
    for row in (row for key, row in before.items() if reset or _differs(row, after.get(key))):
        is_kept = row["id"] in after and after[row["id"]]["price"]["id"] == row["price"]["id"]
        if prorates or is_kept:
            bill_usage(state, sub, change, row)
    if prorates:
        for row in (row for key, row in before.items() if reset or _differs(row, after.get(key))):
            _credit(state, sub, change, row, at)
    for row in (row for key, row in after.items() if reset or _differs(row, before.get(key))):
        if reset:
            change.lines += subscribing.regular_lines(state, sub, row)
        elif prorates:
            _debit(state, sub, change, row, (at, row["current_period_end"]), given)
    return change


def has_new_interval(before: Iterable[Object], after: Iterable[Object]) -> bool:
    """Return whether an item has another interval than it had, or all have others than there were. One that is added
    beside the others has a period of its own, and changes nobody's."""
    old = {row["id"]: _rhythm(row) for row in before}
    new = {row["id"]: _rhythm(row) for row in after}
    is_other = any(old.get(identifier, every) != every for identifier, every in new.items())
    return is_other or not set(old.values()) & set(new.values())


def _rhythm(row: Object) -> str:
    return pricing.rhythm(row["price"]["recurring"])


def _moved(row: Object, anchor: int, at: int) -> Object:
    end = periods.end_of(anchor, at, row["price"]["recurring"])
    return {**row, "current_period_start": at, "current_period_end": end}


def _differs(row: Object, other: Object | None) -> bool:
    return other is None or _terms(row) != _terms(other)


def _terms(row: Object) -> tuple[str, int | None]:
    return row["price"]["id"], row.get("quantity")


def bill_usage(state: State, sub: Object, change: Change, row: Object) -> None:
    """Bill what was used so far of an item that goes, changes, or begins a period anew
    (https://docs.stripe.com/billing/subscriptions/billing-mode/compare)."""
    change.metered.append(row["id"])
    for line in usage.lines(state, sub, row):
        if not line["amount"] and not line["quantity"]:
            continue
        item = _invoice_item(state, sub, row, line["amount"], (line["period"]["start"], line["period"]["end"]), "")
        copied = ("description", "discountable", "discounts", "quantity", "quantity_decimal", "pricing")
        item.update({name: line[name] for name in copied}, proration=False, proration_details=None)
        state.note(item["id"])["usage"] = state.notes.pop(line["id"])["usage"]
        taxing.remember(state, item["id"], {"tax_rates": item["tax_rates"]})
        change.items.append(item)
        change.lines.append(extras.line(state, item))


def _credit(state: State, sub: Object, change: Change, row: Object, at: int) -> None:
    """Return the unused part of what the item was billed for; nothing if it was billed for nothing."""
    if pricing.is_metered(row["price"]):
        return
    billed = state.note(row["id"]).get("billed") or _as_priced(state, sub, row)
    start, end = billed["period"]
    end = min(end, row["current_period_end"])
    if at >= end:
        return
    amount = -pricing.share(billed["amount"], end - at, billed["period"][1] - start)
    line = _prorate(state, sub, change, row, amount, (at, end), "Unused")
    if billed.get("lines"):
        credited = {"invoice": billed["invoice"], "invoice_line_items": billed["lines"]}
        line["parent"]["subscription_item_details"]["proration_details"] = {"credited_items": credited}
        state.note(line_items.item_of(line) or "")["credited"] = credited


def _as_priced(state: State, sub: Object, row: Object) -> Object:
    """Count an item as billed by its price if the sandbox did not draw up its invoice."""
    net = _net(state, sub, sub["items"]["data"], row, discounting.of_whole(state, sub))
    return {"amount": net, "period": items.whole_of(row, sub["billing_cycle_anchor"])}


def _debit(
    state: State, sub: Object, change: Change, row: Object, period: tuple[int, int], given: discounting.Given | None
) -> None:
    if period[0] >= period[1] or pricing.is_metered(row["price"]):
        return
    whole = items.whole_of(row, change.anchor)
    full = _net(state, sub, change.rows, row, given or discounting.of_whole(state, sub))
    amount = pricing.share(full, period[1] - period[0], whole[1] - whole[0])
    _prorate(state, sub, change, row, amount, period, "Remaining")


def _prorate(
    state: State, sub: Object, change: Change, row: Object, amount: int, period: tuple[int, int], which: str
) -> Object:
    product = state.find("product", row["price"]["product"])
    name = product["name"] if product else row["price"]["product"]
    several = f"{line_items.counted(row, product)} " if pricing.quantity_of(row) > 1 else ""
    words = f"{which} time on {several}{name} after {periods.day(period[0])}"
    item = _invoice_item(state, sub, row, amount, period, words)
    line = line_items.line(state, sub, row, amount, period, description=words, invoice_item=item["id"], proration=True)
    change.items.append(item)
    change.lines.append(line)
    return line


def _net(state: State, sub: Object, rows: list[Object], row: Object, given: discounting.Given) -> int:
    """Return what a row costs for a whole period, net of discounts: its own, then those of the whole."""
    parts = [_own(state, sub, each, given) for each in rows]
    nets = reductions.net(state, given.whole, parts)
    return next(part.amount for each, part in zip(rows, nets, strict=True) if each["id"] == row["id"])


def _own(state: State, sub: Object, row: Object, given: discounting.Given) -> reductions.Part:
    amount = pricing.item_amount(state, row, sub["currency"])
    part = reductions.Part(amount, row["price"]["product"], sub["currency"])
    return reductions.net(
        state, given.of_items[row["id"]] if row["id"] in given.of_items else row["discounts"], [part]
    )[0]


def _invoice_item(state: State, sub: Object, row: Object, amount: int, period: tuple[int, int], words: str) -> Object:
    quantity = pricing.quantity_of(row)
    details = {"subscription": sub["id"], "subscription_item": row["id"]}
    return blank(
        "invoiceitem",
        state.new_id("ii"),
        amount=amount,
        currency=sub["currency"],
        customer=sub["customer"],
        date=state.now(),
        description=words,
        discountable=False,
        discounts=[],
        livemode=False,
        metadata={},
        net_amount=amount,
        parent={"subscription_details": details, "type": "subscription_details"},
        period={"start": period[0], "end": period[1]},
        pricing=line_items.priced(state, row["price"], sub["currency"]),
        proration=True,
        proration_details={"discount_amounts": []},
        quantity=quantity,
        quantity_decimal=str(quantity),
        tax_rates=list(row.get("tax_rates") or []),
    )


def file_items(state: State, sub: Object, change: Change) -> None:
    """Make invoice items of the prorations, which wait for an invoice. The next credit is of what they charge."""
    for line in change.lines:
        line_items.remember_billed(state, line)
    for item in change.items:
        state.put(item)
        state.note(sub["id"]).setdefault("pending_items", []).append(item["id"])
        emit(state, "invoiceitem.created", item)


def take_pending_lines(state: State, sub: Object) -> list[Object]:
    """Return the lines of the invoice items that wait for the subscription's next invoice."""
    waiting = state.note(sub["id"]).pop("pending_items", [])
    return [line_of(state, sub, state.get("invoiceitem", identifier)) for identifier in waiting]


def pending_lines(state: State, sub: Object) -> list[Object]:
    waiting = state.note(sub["id"]).get("pending_items", [])
    return [line_of(state, sub, state.get("invoiceitem", identifier)) for identifier in waiting]


def line_of(state: State, sub: Object, item: Object) -> Object:
    if not item["proration"]:
        return extras.line(state, item)
    rows = {row["id"]: row for row in sub["items"]["data"]}
    row = rows.get(item["parent"]["subscription_details"]["subscription_item"]) or sub["items"]["data"][0]
    price = pricing.known(state, item["pricing"]["price_details"]["price"])
    period = (item["period"]["start"], item["period"]["end"])
    return line_items.line(
        state,
        sub,
        {**row, "price": price, "quantity": item["quantity"], "tax_rates": item["tax_rates"]},
        item["amount"],
        period,
        description=item["description"],
        invoice_item=item["id"],
        proration=True,
        credited=state.notes.get(item["id"], {}).get("credited"),
    )


def credit(state: State, sub: Object, rows: list[Object], at: int) -> Change:
    """Credit the unused part of the current period when a subscription ends now."""
    change = Change(rows, sub["billing_cycle_anchor"], (items.period_start(sub), items.period_end(sub)), [], [])
    for row in rows:
        _credit(state, sub, change, row, at)
    return change


def charge(state: State, sub: Object, parts: list[tuple[Object, tuple[int, int]]]) -> Change:
    """Charge parts of their periods that items come into."""
    bounds = (min(part[0] for _, part in parts), max(part[1] for _, part in parts))
    change = Change(sub["items"]["data"], sub["billing_cycle_anchor"], bounds, [], [])
    for row, part in parts:
        _debit(state, sub, change, row, part, None)
    return change


def put(state: State, sub: Object, change: Change) -> None:
    """Write the change into the subscription, and plan anew a period that moved."""
    end = items.period_end(sub)
    usage.restart(state, sub["items"]["data"], change.rows, change.metered, state.now())
    items.put(sub, change.rows)
    sub["billing_cycle_anchor"] = change.anchor
    if items.period_end(sub) != end:
        standing.plan(state, sub)


def bill(state: State, sub: Object, change: Change) -> Object:
    """Bill the change, and what waited, on one invoice now."""
    file_items(state, sub, change)
    lines = take_pending_lines(state, sub)
    lines += [line for line in change.lines if line_items.item_of(line) is None]
    invoice = invoicing.draft(state, sub, "subscription_update", lines, period=change.period)
    invoicing.finalize(state, invoice)
    return invoice

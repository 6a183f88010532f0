"""Changing the items within a period: what is unused is credited and what is new is charged, by the second."""

from dataclasses import dataclass

from ..events import emit
from ..http.blanks import blank
from ..store import Object, State
from . import extras, invoicing, items, periods, pricing, reductions, standing


@dataclass
class Change:
    """A change worked out but not made: the rows, the anchor and period after it, and its prorations."""

    rows: list[Object]
    anchor: int
    period: tuple[int, int]
    lines: list[Object]
    items: list[Object]

    @property
    def resets(self) -> bool:
        return any(not entry["parent"]["invoice_item_details"] for entry in self.lines)


def work_out(state: State, sub: Object, rows: list[Object], at: int, prorates: bool, reset: bool = False) -> Change:
    """
    1. A new interval (or `billing_cycle_anchor=now`) starts a new period at `at`; else the period stays.
    2. Each item that goes or changes is credited for the seconds left of the old period.
    3. Each item that comes or changes is charged for them, or for the whole new period.
    """
    before = {row["id"]: row for row in sub["items"]["data"]}
    after = {row["id"]: row for row in rows}
    start, end = items.period_start(sub), items.period_end(sub)
    restarts = reset or _rhythm(rows) != _rhythm(sub["items"]["data"])
    free = sub["status"] == "trialing"
    if restarts and not free:
        new = (at, periods.end_of(at, at, rows[0]["price"]["recurring"]))
        rows = [{**row, "current_period_start": new[0], "current_period_end": new[1]} for row in rows]
        after = {row["id"]: row for row in rows}
    change = Change(rows, at if restarts and not free else sub["billing_cycle_anchor"], (start, end), [], [])
    if free:
        return change
    old = [row for key, row in before.items() if restarts or _differs(row, after.get(key))]
    new_rows = [row for key, row in after.items() if restarts or _differs(row, before.get(key))]
    if prorates:
        for row in old:
            _add(state, sub, change, row, -1, at)
    for row in new_rows:
        if restarts:
            _add_whole(state, sub, change, row)
        elif prorates:
            _add(state, sub, change, row, 1, at)
    if restarts:
        change.period = (rows[0]["current_period_start"], rows[0]["current_period_end"])
    return change


def _rhythm(rows: list[Object]) -> str:
    return pricing.rhythm(rows[0]["price"]["recurring"])


def _differs(row: Object, other: Object | None) -> bool:
    return other is None or (row["price"]["id"], row["quantity"]) != (other["price"]["id"], other["quantity"])


def _add(state: State, sub: Object, change: Change, row: Object, sign: int, at: int) -> None:
    end = change.period[1]
    if at >= end:
        return
    whole = items.whole(sub)
    amount = sign * pricing.share(_full(state, sub, change, row, sign), end - at, whole[1] - whole[0])
    product = state.find("product", row["price"]["product"])
    name = product["name"] if product else row["price"]["product"]
    words = f"{'Unused' if sign < 0 else 'Remaining'} time on {name} after {periods.day(at)}"
    item = _invoice_item(state, sub, row, amount, (at, end), words)
    line = invoicing.line(
        state, sub, row, amount, (at, end), description=words, invoice_item=item["id"], proration=True
    )
    change.items.append(item)
    change.lines.append(line)


def _full(state: State, sub: Object, change: Change, row: Object, sign: int) -> int:
    """What a row costs for the whole period, net: by the discounts that the period was billed with when it is credited,
    by those there are now when it is charged."""
    rows = sub["items"]["data"] if sign < 0 else change.rows
    now = {"all": sub["discounts"], "items": {each["id"]: each["discounts"] for each in rows}}
    used = state.note(sub["id"]).get("period_discounts", now) if sign < 0 else now
    parts = [_own(state, sub, each, used["items"].get(each["id"], [])) for each in rows]
    nets = reductions.net(state, used["all"], parts)
    return next(part.amount for each, part in zip(rows, nets, strict=True) if each["id"] == row["id"])


def _own(state: State, sub: Object, row: Object, discounts: list[str]) -> reductions.Part:
    amount = pricing.item_amount(state, row, sub["currency"])
    return reductions.net(state, discounts, [reductions.Part(amount, row["price"]["product"], sub["currency"])])[0]


def _add_whole(state: State, sub: Object, change: Change, row: Object) -> None:
    period = (row["current_period_start"], row["current_period_end"])
    amount = pricing.item_amount(state, row, sub["currency"])
    change.lines.append(invoicing.line(state, sub, row, amount, period))


def _invoice_item(state: State, sub: Object, row: Object, amount: int, period: tuple[int, int], words: str) -> Object:
    quantity = row.get("quantity") or 1
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
        pricing=invoicing.priced(state, row["price"], sub["currency"]),
        proration=True,
        proration_details={"discount_amounts": []},
        quantity=quantity,
        quantity_decimal=str(quantity),
        tax_rates=[],
    )


def file_items(state: State, sub: Object, change: Change) -> None:
    """The prorations become invoice items that wait for an invoice."""
    for item in change.items:
        state.put(item)
        state.note(sub["id"]).setdefault("pending_items", []).append(item["id"])
        emit(state, "invoiceitem.created", item)


def take_pending_lines(state: State, sub: Object) -> list[Object]:
    """The lines of the invoice items that wait for the subscription's next invoice."""
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
    price = state.get("price", item["pricing"]["price_details"]["price"])
    period = (item["period"]["start"], item["period"]["end"])
    return invoicing.line(
        state,
        sub,
        {**row, "price": price, "quantity": item["quantity"]},
        item["amount"],
        period,
        description=item["description"],
        invoice_item=item["id"],
        proration=True,
    )


def credit(state: State, sub: Object, rows: list[Object], at: int) -> Change:
    """What is unused of the current period when a subscription ends now."""
    change = Change(rows, sub["billing_cycle_anchor"], (items.period_start(sub), items.period_end(sub)), [], [])
    for row in rows:
        _add(state, sub, change, row, -1, at)
    return change


def charge(state: State, sub: Object, rows: list[Object], period: tuple[int, int], at: int) -> Change:
    """What is left of a period that a subscription comes into."""
    change = Change(rows, sub["billing_cycle_anchor"], period, [], [])
    for row in rows:
        _add(state, sub, change, row, 1, at)
    return change


def put(state: State, sub: Object, change: Change) -> None:
    """The subscription is as the change makes it; a period that moved is planned anew."""
    moved = change.anchor != sub["billing_cycle_anchor"]
    items.put(sub, change.rows)
    sub["billing_cycle_anchor"] = change.anchor
    if moved:
        standing.plan(state, sub)


def bill(state: State, sub: Object, change: Change) -> Object:
    """What the change costs, and what waited, on one invoice now."""
    file_items(state, sub, change)
    lines = take_pending_lines(state, sub)
    lines += [line for line in change.lines if line["parent"]["type"] == "subscription_item_details"]
    invoice = invoicing.draft(state, sub, "subscription_update", lines, period=change.period)
    invoicing.finalize(state, invoice)
    return invoice

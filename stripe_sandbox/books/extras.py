"""An invoice item is added by hand; the totals of its draft invoice are computed again with it."""

from typing import Any

from ..errors import invalid, missing_parameter
from ..events import emit, recorded
from ..http.blanks import blank
from ..http.metadata import merged
from ..store import Object, State
from . import discounting, invoicing, items, line_items, pricing
from .tax import lines as taxing

MOST = 99_999_999
RENDERING = {"amount_tax_display": None, "pdf": {"page_size": "auto"}, "template": None, "template_version": None}
PLAIN = ("description", "discountable", "metadata")


def buyer(customer: Object, currency: str | None = None, **values: Any) -> Object:
    """Return what stands for the subscription of an invoice that has none."""
    shown = currency or customer["currency"] or "usd"
    return {"id": None, "customer": customer["id"], "currency": shown.lower(), "metadata": {}, "discounts": [],
            "collection_method": "charge_automatically", **values}  # fmt: skip


def item(state: State, payer: Object, given: dict[str, Any]) -> Object:
    """Return an invoice item that is not filed yet, by an amount or by a one-time price."""
    quantity = given.get("quantity", 1)
    amount, shown = _cost(state, payer, given, quantity)
    period = given.get("period") or {"start": state.now(), "end": state.now()}
    sub, identifier = payer["id"], state.new_id("ii")
    tax = taxing.inputs(state, given, payer.get("tax_inputs") or {})
    taxing.remember(state, identifier, tax)
    return blank(
        "invoiceitem",
        identifier,
        amount=amount,
        currency=payer["currency"],
        customer=payer["customer"],
        date=state.now(),
        description=given.get("description"),
        discountable=given.get("discountable", amount > 0),
        discounts=[],
        livemode=False,
        metadata=merged({}, given),
        net_amount=amount,
        parent=_parent(sub) if sub else None,
        period=period,
        pricing=shown,
        proration=False,
        quantity=quantity,
        quantity_decimal=str(quantity),
        tax_rates=list(tax.get("tax_rates") or []),
    )


def _parent(sub: str) -> Object:
    return {"subscription_details": {"subscription": sub, "subscription_item": None}, "type": "subscription_details"}


def _cost(state: State, payer: Object, given: dict[str, Any], quantity: int) -> tuple[int, Object]:
    price = (given.get("pricing") or {}).get("price") or given.get("price")
    if price is None:
        if "amount" not in given:
            raise missing_parameter("amount")
        if abs(given["amount"]) > MOST:
            raise invalid(f"Amounts go up to {MOST}.", "amount", "amount_too_large")
        each = {"price_details": None, "type": "price_details", "unit_amount_decimal": str(given["amount"])}
        return given["amount"], each
    if "amount" in given:
        raise invalid("You may only specify one of these parameters: amount, pricing.", "amount")
    row = state.get("price", price, "pricing[price]")
    if row["recurring"] is not None:
        raise invalid(
            "The price specified is set to `type=recurring` but this field only accepts prices with `type=one_time`.",
            "pricing[price]",
        )
    items.check_active(state, row, "pricing[price]")
    amount = pricing.cost(state, row, payer["currency"], quantity)
    return amount, line_items.priced(state, row, payer["currency"])


def line(state: State, row: Object, identifier: str | None = None) -> Object:
    identifier = identifier or state.new_id("il")
    taxing.remember(state, identifier, taxing.remembered(state, row["id"]))
    sub = row["parent"]["subscription_details"]["subscription"] if row["parent"] else None
    details = {"invoice_item": row["id"], "proration": False, "proration_details": None, "subscription": sub}
    copied = ("amount", "currency", "description", "discountable", "period", "pricing", "quantity", "quantity_decimal")
    return blank(
        "line_item",
        identifier,
        **{name: row[name] for name in copied},
        discount_amounts=[],
        discounts=list(row["discounts"]),
        livemode=False,
        metadata=dict(row["metadata"]),
        parent={
            "invoice_item_details": details,
            "subscription_item_details": None,
            "type": "invoice_item_details",
        },
        pretax_credit_amounts=[],
        subscription=sub,
        subtotal=row["amount"],
        taxes=[],
    )


def given(holder: Object) -> list[dict[str, Any]]:
    """Return the one-time prices that a phase or a subscription's parameters add (`add_invoice_items`), as items."""
    names = (*PLAIN, "price", "quantity", "discounts", "tax_rates")
    entries = holder.get("add_invoice_items") or []
    return [{name: each[name] for name in names if each.get(name) is not None} for each in entries]


def wait(state: State, sub: Object, holder: Object) -> None:
    """Leave the added items for the subscription's next invoice."""
    for entry in given(holder):
        row = added(state, sub, entry)
        state.note(sub["id"]).setdefault("pending_items", []).append(row["id"])


def added(state: State, payer: Object, entry: dict[str, Any]) -> Object:
    """Make an invoice item, with the discounts that are given for it alone."""
    row = state.put(item(state, payer, entry))
    discounting.give(state, entry.get("discounts"), row, row["amount"], payer=payer)
    emit(state, "invoiceitem.created", row)
    return row


def drawn_up(state: State, payer: Object, entry: dict[str, Any]) -> Object:
    """Return an invoice item as it would be, for a preview: neither it nor its discounts are there for good."""
    row = item(state, payer, entry)
    row["discounts"] = discounting.drawn_up_all(state, entry.get("discounts"), row, row["amount"], payer)
    return row


def waiting(state: State, customer: str) -> list[Object]:
    """Return the items of a customer that wait for an invoice, those of subscriptions left out."""
    rows = state.table("invoiceitem").where("customer", customer)
    return [row for row in rows if row["invoice"] is None and row["parent"] is None]


def draft(state: State, payer: Object, rows: list[Object], quoted: Object | None = None, **values: Any) -> Object:
    """Make a draft invoice over these items; it is not its subscription's latest one. `quoted` says of which quote it
    is."""
    parent: dict[str, Any] = {} if payer["id"] else {"parent": quoted}
    parent |= {"rendering": RENDERING, "webhooks_delivered_at": state.now()}
    if payer["id"]:
        parent["period"] = (items.period_start(payer), state.now())
    invoice = invoicing.document(state, payer, "manual", [line(state, row) for row in rows], **parent, **values)
    state.put(invoice)
    for row in rows:
        row["invoice"] = invoice["id"]
        state.put(row)
    emit(state, "invoice.created", invoice)
    discounting.use_up(state, payer if payer["id"] is None else {}, invoice)
    return invoice


def recount(state: State, invoice: Object, changed: list[Object] | None = None) -> None:
    """Count the totals of a draft anew after its items, its discounts or its lines changed; line ids last as long as
    their items."""
    rows = {row["id"]: row for row in state.table("invoiceitem").where("invoice", invoice["id"])}
    lines = []
    for entry in invoice["lines"]["data"] if changed is None else changed:
        item = line_items.item_of(entry)
        row = rows.pop(item, None) if item else None
        if row is not None and not row["proration"]:
            lines.append({**line(state, row, entry["id"]), "invoice": invoice["id"]})
        elif item is None or row is not None:
            lines.append(entry)
    lines += [{**line(state, row), "invoice": invoice["id"]} for row in rows.values()]
    with recorded(state, invoice, "invoice.updated"):
        invoicing.recount(state, invoice, lines)

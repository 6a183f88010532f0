"""A discount gives a coupon to a subscription, an invoice, or an item of one; these rules say who may use it, and when
it ends.

Prorations are net of them, and not discounted again (`proration_discounts=included`).
"""

from dataclasses import dataclass
from typing import Any

from ..errors import invalid, missing_parameter
from ..events import emit, recorded
from ..http.blanks import blank
from ..store import Object, State
from . import customer_discounts, periods, pricing
from .customer_discounts import DELETED
from .due import job
from .reductions import amount_off, coupon_of


@dataclass(frozen=True)
class Given:
    """These discounts count: those of the whole, and those of items by the items' ids. A discount is an id, or is drawn
    up and not redeemed yet."""

    whole: list[str | Object]
    of_items: dict[str, list[str | Object]]


CREATED = "customer.discount.created"


def chosen(state: State, entry: dict[str, Any], customer: str | None, currency: str, amount: int) -> tuple[Object, Any]:
    """Return the coupon and promotion code (or None) that an entry of `discounts[]` names, if they may be used here."""
    named = [name for name in ("coupon", "promotion_code", "discount") if entry.get(name)]
    if len(named) != 1:
        raise missing_parameter("discounts[0][coupon]")
    code = None
    if entry.get("promotion_code"):
        code = state.get("promotion_code", entry["promotion_code"], "discounts[0][promotion_code]")
        _check_code(state, code, customer, currency, amount)
    identifier = code["promotion"]["coupon"] if code else entry["coupon"]
    coupon = state.get("coupon", identifier, "discounts[0][coupon]")
    _check_coupon(state, coupon, currency)
    return coupon, code


def by_text(state: State, text: str, customer: str | None) -> Object | None:
    """Return the promotion code for this customer that reads so; the active one, where one is."""
    rows = [
        row
        for row in state.table("promotion_code").rows.values()
        if row["code"].lower() == text.strip().lower() and row["customer"] in (None, customer)
    ]
    return next((row for row in rows if row["active"]), rows[-1] if rows else None)


def _check_coupon(state: State, coupon: Object, currency: str) -> None:
    if not coupon["valid"]:
        raise invalid(f"Coupon expired: {coupon['id']}", "coupon", "coupon_expired")
    if coupon["amount_off"] is not None:
        amount_off(state, coupon, currency)


def _check_code(state: State, code: Object, customer: str | None, currency: str, amount: int) -> None:
    rules = code["restrictions"]
    coupon = state.find("coupon", code["promotion"]["coupon"])
    if not code["active"] or not (coupon and coupon["valid"]):
        raise invalid(
            "This promotion code is inactive: it has expired or is used up.", "promotion_code", "promotion_code_expired"
        )
    if code["customer"] not in (None, customer):
        raise invalid("This promotion code belongs to another customer.", "promotion_code")
    if rules["first_time_transaction"] and customer and _has_paid(state, customer):
        raise invalid(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            "promotion_code",
        )
    least = {rules["minimum_amount_currency"]: rules["minimum_amount"], **state.note(code["id"]).get("minimums", {})}
    if rules["minimum_amount"] and (currency not in least or amount < least[currency]):
        raise invalid("This promotion code needs a larger purchase.", "promotion_code")


def _has_paid(state: State, customer: str) -> bool:
    invoices, charges = (state.table(kind).where("customer", customer) for kind in ("invoice", "charge"))
    return any(row["amount_paid"] for row in invoices) or any(row["paid"] for row in charges)


def give(
    state: State, entries: Any, target: Object, amount: int, session: str | None = None, payer: Object | None = None
) -> None:
    """Set the discounts of a subscription, an invoice or an item; those that are not named again end. `payer` has the
    customer and the currency, if the target has none."""
    payer = payer or target
    picked = [_picked(state, entry, target, amount, payer) for entry in entries or []]
    kept = [each if isinstance(each, str) else redeem(state, *each, target, session, payer)["id"] for each in picked]
    lasting = (*kept, customer_discounts.held(state, payer["customer"]))
    gone = [identifier for identifier in target["discounts"] if identifier not in lasting]
    target["discounts"] = kept
    for identifier in gone:
        emit(state, DELETED, state.get("discount", identifier))


def foreseen(state: State, sub: Object, params: dict[str, Any], rows: list[Object]) -> Given:
    """Return the discounts that a subscription would have after an update with these `discounts` and
    `items[].discounts`."""
    whole: list[str | Object] = list(customer_discounts.counting(state, sub))
    if "discounts" in params:
        whole = drawn_up_all(state, params["discounts"], sub, items_total(state, sub, rows), sub)
    of_items = {}
    for row in rows:
        for entry in (each for each in params.get("items") or [] if _is_for(each, row) and "discounts" in each):
            amount = pricing.item_amount(state, row, sub["currency"])
            of_items[row["id"]] = drawn_up_all(state, entry["discounts"], row, amount, sub)
    return Given(whole, of_items)


def of_whole(state: State, sub: Object) -> Given:
    """Return the discounts that a subscription has by now."""
    return Given(list(customer_discounts.counting(state, sub)), {})


def drawn_up_all(state: State, entries: Any, target: Object, amount: int, payer: Object) -> list[str | Object]:
    """Return discounts as `give` would give them."""
    picked = [_picked(state, entry, target, amount, payer) for entry in entries or []]
    return [each if isinstance(each, str) else drawn_up(state, *each, target, None, payer) for each in picked]


def items_total(state: State, sub: Object, rows: list[Object]) -> int:
    return sum(pricing.item_amount(state, row, sub["currency"]) for row in rows)


def _is_for(entry: dict[str, Any], row: Object) -> bool:
    """Return whether an entry of `items[]` names this item, by id or by price."""
    by_price = "id" not in entry and entry.get("price") == row["price"]["id"]
    return entry.get("id") == row["id"] or by_price


def give_items(state: State, sub: Object, entries: list[dict[str, Any]], session: str | None = None) -> None:
    """Set the discounts of a subscription's items, as `items[]` names them by id or by price."""
    for entry in entries:
        if "discounts" not in entry or entry.get("deleted"):
            continue
        for row in sub["items"]["data"]:
            if _is_for(entry, row):
                amount = pricing.item_amount(state, row, sub["currency"])
                give(state, entry["discounts"], row, amount, session, payer=sub)


def _picked(
    state: State, entry: dict[str, Any], target: Object, amount: int, payer: Object
) -> str | tuple[Object, Any]:
    """Return a discount that stays, by its id, or a coupon and code to redeem."""
    known = entry.get("discount")
    if known is None:
        return chosen(state, entry, payer["customer"], payer["currency"], amount)
    if known not in (*target["discounts"], customer_discounts.held(state, payer["customer"])):
        raise invalid(f"No such discount: '{known}'", "discounts", "resource_missing")
    return str(known)


def redeem(
    state: State, coupon: Object, code: Object | None, target: Object, session: str | None, payer: Object
) -> Object:
    discount = state.put(drawn_up(state, coupon, code, target, session, payer))
    for row, kind in ((coupon, "coupon.updated"), (code, "promotion_code.updated")):
        if row is not None:
            with recorded(state, row, kind):
                row["times_redeemed"] += 1
                _exhaust(row)
    if not coupon["valid"]:
        end_codes(state, coupon)
    if discount["customer"]:
        emit(state, CREATED, discount)
    if discount["end"]:
        state.schedule(discount["end"], "discount_ends", discount["id"], urgency=0)
    return discount


HOLDERS = {
    "invoice": "invoice",
    "invoiceitem": "invoice_item",
    "subscription": "subscription",
    "subscription_item": "subscription_item",
}


def drawn_up(
    state: State, coupon: Object, code: Object | None, target: Object, session: str | None, payer: Object
) -> Object:
    """Return the discount, not redeemed yet: a preview stops here."""
    months, now = coupon["duration_in_months"], state.now()
    holder = HOLDERS.get(target.get("object", ""))
    return blank(
        "discount",
        state.new_id("di"),
        **({holder: target["id"]} if holder else {}),
        checkout_session=session,
        customer=payer["customer"],
        end=periods.add(now, "month", months) if months else None,
        promotion_code=code["id"] if code else None,
        source={"coupon": coupon["id"], "type": "coupon"},
        start=now,
    )


def _exhaust(row: Object) -> None:
    if row["max_redemptions"] and row["times_redeemed"] >= row["max_redemptions"]:
        row["valid" if row["object"] == "coupon" else "active"] = False


def take_away(state: State, target: Object, identifier: str) -> None:
    target["discounts"] = [known for known in target["discounts"] if known != identifier]
    emit(state, DELETED, state.get("discount", identifier))


@job
def discount_ends(state: State, identifier: str) -> None:
    discount = state.get("discount", identifier)
    item = state.notes.get(discount["subscription_item"], {})
    customer_discounts.end(state, discount)
    sub = state.find("subscription", discount["subscription"] or item.get("subscription"))
    if sub is not None and sub["status"] != "canceled":
        with recorded(state, sub, "customer.subscription.updated"):
            _end(state, sub, identifier)


def _end(state: State, sub: Object, identifier: str) -> None:
    """End a discount of the subscription, or of its item that has it."""
    for holder in (sub, *sub["items"]["data"]):
        if identifier in holder["discounts"]:
            take_away(state, holder, identifier)


@job
def coupon_expires(state: State, identifier: str) -> None:
    coupon = state.find("coupon", identifier)
    if coupon is not None and coupon["valid"]:
        with recorded(state, coupon, "coupon.updated"):
            coupon["valid"] = False
        end_codes(state, coupon)


def end_codes(state: State, coupon: Object) -> None:
    """End the promotion codes of a coupon: each is only active while its coupon is valid."""
    for code in state.table("promotion_code").rows.values():
        if code["active"] and code["promotion"]["coupon"] == coupon["id"]:
            with recorded(state, code, "promotion_code.updated"):
                code["active"] = False


@job
def code_expires(state: State, identifier: str) -> None:
    code = state.get("promotion_code", identifier)
    if code["active"]:
        with recorded(state, code, "promotion_code.updated"):
            code["active"] = False


def use_up(state: State, sub: Object, invoice: Object) -> None:
    """End the discount of each coupon that counts once and has reduced this invoice."""
    used = [entry["discount"] for entry in invoice["total_discount_amounts"] if entry["amount"]]
    for identifier in used:
        discount = state.get("discount", identifier)
        once = coupon_of(state, discount)["duration"] == "once"
        if once and "items" in sub:
            _end(state, sub, identifier)
        if once:
            customer_discounts.end(state, discount)

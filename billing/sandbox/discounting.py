"""Discounts: coupons given to a subscription or an invoice, what they take off, and when they end.

Assumed, where Stripe's documentation is silent: an amount off is spread over the lines in proportion to their amounts,
and prorations carry it in the same way (`proration_discounts=included`: they are net, and not discounted again).
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from . import periods
from .blanks import blank
from .due import job
from .errors import invalid, missing_parameter
from .events import emit, recorded
from .store import Object, State

CREATED, DELETED = "customer.discount.created", "customer.discount.deleted"


def coupon_of(state: State, discount: Object) -> Object:
    """A deleted coupon goes on for those who have it."""
    identifier = discount["source"]["coupon"]
    return state.find("coupon", identifier) or dict(state.note(identifier)["last"])


def chosen(state: State, entry: dict[str, Any], customer: str | None, currency: str, amount: int) -> tuple[Object, Any]:
    """The coupon and promotion code (or None) that an entry of `discounts[]` names, if they may be used here."""
    named = [name for name in ("coupon", "promotion_code", "discount") if entry.get(name)]
    if len(named) != 1:
        raise missing_parameter("discounts[0][coupon]")
    code = None
    if "promotion_code" in entry:
        code = state.get("promotion_code", entry["promotion_code"], "discounts[0][promotion_code]")
        _check_code(state, code, customer, currency, amount)
    identifier = code["promotion"]["coupon"] if code else entry["coupon"]
    coupon = state.get("coupon", identifier, "discounts[0][coupon]")
    _check_coupon(coupon, currency)
    return coupon, code


def by_text(state: State, text: str, customer: str | None) -> Object | None:
    """The active promotion code that reads so, if it is for this customer."""
    for row in state.table("promotion_code").rows.values():
        if row["active"] and row["code"].lower() == text.strip().lower() and row["customer"] in (None, customer):
            return row
    return None


def _check_coupon(coupon: Object, currency: str) -> None:
    if not coupon["valid"]:
        raise invalid(f"Coupon expired: {coupon['id']}", "coupon", "coupon_expired")
    if coupon["amount_off"] is not None and coupon["currency"] != currency:
        raise invalid(f"The coupon `{coupon['id']}` is in `{coupon['currency']}`, not in `{currency}`.", "coupon")


def _check_code(state: State, code: Object, customer: str | None, currency: str, amount: int) -> None:
    rules = code["restrictions"]
    if not code["active"]:
        raise invalid("This promotion code is inactive.", "promotion_code", "promotion_code_expired")
    if code["customer"] not in (None, customer):
        raise invalid("This promotion code belongs to another customer.", "promotion_code")
    if rules["first_time_transaction"] and customer and _has_paid(state, customer):
        raise invalid(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.",
            "promotion_code",
        )
    least = rules["minimum_amount"]
    if least and (rules["minimum_amount_currency"] != currency or amount < least):
        raise invalid("This promotion code needs a larger purchase.", "promotion_code")


def _has_paid(state: State, customer: str) -> bool:
    return any(row["amount_paid"] for row in state.table("invoice").where("customer", customer))


def give(state: State, entries: Any, target: Object, amount: int, session: str | None = None) -> None:
    """Sets the discounts of a subscription or an invoice; those that are not named again end."""
    picked = [_picked(state, entry, target, amount) for entry in entries or []]
    kept = [each if isinstance(each, str) else _redeem(state, *each, target, session)["id"] for each in picked]
    gone = [identifier for identifier in target["discounts"] if identifier not in kept]
    target["discounts"] = kept
    for identifier in gone:
        emit(state, DELETED, state.get("discount", identifier))


def _picked(state: State, entry: dict[str, Any], target: Object, amount: int) -> str | tuple[Object, Any]:
    """A discount that stays, by id, or a coupon and code to redeem."""
    known = entry.get("discount")
    if known is None:
        return chosen(state, entry, target["customer"], target["currency"], amount)
    if known not in target["discounts"]:
        raise invalid(f"No such discount: '{known}'", "discounts", "resource_missing")
    return str(known)


def _redeem(state: State, coupon: Object, code: Object | None, target: Object, session: str | None) -> Object:
    discount = state.put(drawn_up(state, coupon, code, target, session))
    for row, kind in ((coupon, "coupon.updated"), (code, "promotion_code.updated")):
        if row is not None:
            with recorded(state, row, kind):
                row["times_redeemed"] += 1
                _exhaust(row)
    emit(state, CREATED, discount)
    if discount["end"]:
        state.schedule(discount["end"], "discount_ends", discount["id"], urgency=0)
    return discount


def drawn_up(state: State, coupon: Object, code: Object | None, target: Object, session: str | None) -> Object:
    """The discount, not redeemed yet: a preview stops here."""
    months, now, kind = coupon["duration_in_months"], state.now(), target.get("object")
    return blank(
        "discount",
        state.new_id("di"),
        checkout_session=session,
        customer=target["customer"],
        end=periods.add(now, "month", months) if months else None,
        invoice=target["id"] if kind == "invoice" else None,
        promotion_code=code["id"] if code else None,
        source={"coupon": coupon["id"], "type": "coupon"},
        start=now,
        subscription=target["id"] if kind == "subscription" else None,
    )


def _exhaust(row: Object) -> None:
    if row["max_redemptions"] and row["times_redeemed"] >= row["max_redemptions"]:
        row["valid" if row["object"] == "coupon" else "active"] = False


def take_away(state: State, target: Object, identifier: str) -> None:
    target["discounts"] = [known for known in target["discounts"] if known != identifier]
    emit(state, DELETED, state.get("discount", identifier))


@job
def discount_ends(state: State, identifier: str) -> None:
    sub = state.find("subscription", state.get("discount", identifier)["subscription"])
    if sub is not None and sub["status"] != "canceled" and identifier in sub["discounts"]:
        with recorded(state, sub, "customer.subscription.updated"):
            take_away(state, sub, identifier)


@job
def coupon_expires(state: State, identifier: str) -> None:
    coupon = state.find("coupon", identifier)
    if coupon is not None and coupon["valid"]:
        with recorded(state, coupon, "coupon.updated"):
            coupon["valid"] = False


@job
def code_expires(state: State, identifier: str) -> None:
    code = state.get("promotion_code", identifier)
    if code["active"]:
        with recorded(state, code, "promotion_code.updated"):
            code["active"] = False


def off(coupon: Object, amounts: list[int]) -> list[int]:
    """What a coupon takes off each of the amounts, whole minor units; credits are not discounted."""
    positive = [max(amount, 0) for amount in amounts]
    if coupon["percent_off"] is not None:
        rate = Decimal(str(coupon["percent_off"])) / 100
        return [int((amount * rate).quantize(Decimal(1), ROUND_HALF_UP)) for amount in positive]
    return _spread(min(coupon["amount_off"], sum(positive)), positive)


def _spread(total: int, amounts: list[int]) -> list[int]:
    """In proportion, and exactly: the last one takes what rounding leaves."""
    rest, whole, parts = total, sum(amounts), []
    for amount in amounts:
        part = rest * amount // whole if whole else 0
        parts.append(part)
        rest, whole = rest - part, whole - amount
    return parts


def net(state: State, identifiers: list[str], amounts: list[int]) -> list[int]:
    for identifier in identifiers:
        taken = off(coupon_of(state, state.get("discount", identifier)), amounts)
        amounts = [amount - part for amount, part in zip(amounts, taken, strict=True)]
    return amounts


def apply(state: State, lines: list[Object], discounts: list[Object]) -> list[Object]:
    """The lines with their `discount_amounts`; one discount after another, each from what is left."""
    shown = [{**line, "discount_amounts": [], "pretax_credit_amounts": []} for line in lines]
    open_lines = [line for line in shown if line["discountable"] and line["amount"] > 0]
    left = [line["amount"] for line in open_lines]
    for discount in discounts:
        taken = off(coupon_of(state, discount), left)
        left = [amount - part for amount, part in zip(left, taken, strict=True)]
        for line, part in zip(open_lines, taken, strict=True):
            line["discount_amounts"].append({"amount": part, "discount": discount["id"]})
            line["pretax_credit_amounts"].append({"amount": part, "discount": discount["id"], "type": "discount"})
    return shown


def totals(lines: list[Object]) -> list[Object]:
    """`total_discount_amounts` of an invoice with these lines."""
    sums: dict[str, int] = {}
    for line in lines:
        for entry in line["discount_amounts"]:
            sums[entry["discount"]] = sums.get(entry["discount"], 0) + entry["amount"]
    return [{"amount": amount, "discount": discount} for discount, amount in sums.items()]


def use_up(state: State, sub: Object, invoice: Object) -> None:
    """A coupon that counts once has been used by the first invoice on which it took something off."""
    used = [entry["discount"] for entry in invoice["total_discount_amounts"] if entry["amount"]]
    for identifier in used:
        once = coupon_of(state, state.get("discount", identifier))["duration"] == "once"
        if once and identifier in sub["discounts"]:
            take_away(state, sub, identifier)

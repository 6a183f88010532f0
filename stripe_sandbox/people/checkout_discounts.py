"""A Checkout has the discounts given with the session, or a promotion code that the buyer enters on the page."""

from typing import Any

from ..books import discounting
from ..errors import invalid
from ..store import Object, State
from . import totals


def choose(state: State, session: Object, entries: list[dict[str, Any]]) -> None:
    """Choose one discount for a session, as at Stripe. It is shown and counted here, and redeemed when the session
    completes."""
    if len(entries) > 1:
        raise invalid("A Checkout Session takes one discount.", "discounts")
    coupon, code = discounting.chosen(
        state, entries[0], session["customer"], session["currency"], session["amount_subtotal"]
    )
    note = state.note(session["id"])
    note["discounts"] = [{"promotion_code": code["id"]} if code else {"coupon": coupon["id"]}]
    session["discounts"] = [{"coupon": coupon["id"], "promotion_code": code["id"] if code else None}]
    totals.recount(state, session)


def enter(state: State, session: Object, text: str) -> None:
    """Enter the code that the buyer types into the page's field."""
    if not session["allow_promotion_codes"]:
        raise invalid("This Checkout Session takes no promotion codes.", "promotion_code")
    code = discounting.by_text(state, text, session["customer"])
    if code is None:
        raise invalid(f"This promotion code is invalid: {text}", "promotion_code", "resource_missing")
    choose(state, session, [{"promotion_code": code["id"]}])


def redeem(state: State, session: Object) -> None:
    """Redeem the discount; in payment mode the session itself has it."""
    amount = (session["total_details"] or {}).get("amount_discount", 0)
    for entry in state.note(session["id"]).get("discounts", []):
        coupon, code = discounting.chosen(
            state, entry, session["customer"], session["currency"], session["amount_subtotal"]
        )
        discount = discounting.redeem(state, coupon, code, session, session["id"], session)
        remember(state, session, [{"amount": amount, "discount": discount["id"]}])


def remember(state: State, session: Object, taken: list[Object]) -> None:
    """Name the discount that was made in the breakdown and the line items of the completed session."""
    note = state.note(session["id"])
    made = [state.get("discount", entry["discount"]) for entry in taken]
    note["discount_amounts"] = [
        {"amount": entry["amount"], "discount": discount} for entry, discount in zip(taken, made, strict=True)
    ]
    for item in note["items"]:
        amounts = [{"amount": item["amount_discount"], "discount": discount} for discount in made]
        state.note(item["id"])["discounts"] = amounts

"""A buyer pays on this page: with the card, by 3D Secure if the card asks for it, then back to the site."""

from ..books import pricing
from ..errors import ApiError
from ..http.messages import Request, Response
from ..people import buying, checkout_discounts
from ..store import Object, State
from . import card_form
from .rendering import amount, form, page, redirect

BUTTONS = {"auto": "Pay", "book": "Book", "donate": "Donate", "pay": "Pay", "subscribe": "Subscribe"}


def answer(state: State, request: Request, rest: list[str]) -> Response:
    session = state.get("checkout.session", rest[0])
    if session["status"] == "complete":
        return _back(session)
    if session["status"] == "expired":
        return page("message.html", 410, title="This page has expired", message="Start again from the site.",
                    link=session["cancel_url"], link_words="Back to the site")  # fmt: skip
    if request.method != "POST":
        return _show(state, session, {})
    given = form(request)
    return _discount(state, session, given) if "promotion_code" in given else _pay(state, session, given)


def _discount(state: State, session: Object, given: dict[str, str]) -> Response:
    try:
        checkout_discounts.enter(state, session, given["promotion_code"].strip())
    except ApiError as error:
        return _show(state, session, given, error.message, error.status)
    return redirect(f"/c/{session['id']}")


def _pay(state: State, session: Object, given: dict[str, str]) -> Response:
    try:
        card = card_form.read(state, given) if _is_entered(state, session, given) else None
        _remember_email(session, given)
    except ApiError as error:
        return _show(state, session, given, error.message, 402)
    outcome = given.get("outcome") or None
    if card and card.authentication and outcome is None:
        hidden = card_form.entered(given)
        what = _due(session) if session["amount_total"] else ""
        return page("authenticate.html", action=f"/c/{session['id']}", hidden=hidden, what=what, card=card)
    done = buying.complete(state, session["id"], card, outcome)
    if done["error"]:
        return _show(state, session, given, done["error"]["message"], 402)
    return _back(session)


def _is_entered(state: State, session: Object, given: dict[str, str]) -> bool:
    return bool(given.get("number") or given.get("account")) or buying.needs_card(state, session)


def _remember_email(session: Object, given: dict[str, str]) -> None:
    """Record the e-mail address that a guest enters."""
    email = given.get("email", "").strip()
    if session["customer"] is None and "email" in given:
        if "@" not in email:
            raise ApiError(400, "Enter an e-mail address.")
        session["customer_email"] = email


def _back(session: Object) -> Response:
    return redirect((session["success_url"] or "/").replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _due(session: Object) -> str:
    return amount(session["amount_total"], session["currency"]) if session["amount_total"] is not None else ""


def _show(state: State, session: Object, given: dict[str, str], error: str = "", status: int = 200) -> Response:
    note, total = state.note(session["id"]), _due(session)
    rows = [_row(state, session, item) for item in note["items"]]
    customer = state.find("customer", session["customer"])
    trial = note["subscription_data"].get("trial_period_days")
    off = (session["total_details"] or {}).get("amount_discount", 0)
    return page(
        "checkout.html",
        status,
        session=session,
        rows=rows,
        total=total,
        discount=amount(off, session["currency"]) if off else "",
        trial_days=trial,
        after=" and ".join(row["price"] for row in rows if row["recurs"]),
        rhythm=_rhythm(note["items"]),
        accounts=buying.accounts(session),
        takes_cards="card" in session["payment_method_types"],
        optional=not buying.needs_card(state, session),
        email=customer["email"] if customer else given.get("email", session["customer_email"]),
        error=error,
        given=given,
        autofocus=bool(error) or bool(customer),
        **_wording(session, rows, total, bool(trial)),
    )


def _wording(session: Object, rows: list[Object], total: str, trial: bool) -> dict[str, str]:
    if session["mode"] == "setup":
        promise = "The card is kept for later payments; nothing is charged now."
        words = {"heading": "Save a payment method", "verb": "Payment details", "button": "Save card"}
        return {**words, "promise": promise}
    if session["mode"] == "payment":
        button = f"{BUTTONS[session['submit_type'] or 'auto']} {total}"
        return {"heading": "Pay Sandbox", "verb": "Pay with card", "button": button, "promise": "You pay once."}
    name = rows[0]["name"]
    heading = f"Try {name}" if trial else f"Subscribe to {name}"
    button = "Start trial" if trial else "Subscribe"
    promise = "The plan renews by itself until you cancel it."
    return {"heading": heading, "verb": "Pay with card", "button": button, "promise": promise}


def _row(state: State, session: Object, item: Object) -> Object:
    currency, quantity, recurring = session["currency"], item["quantity"], item["price"]["recurring"]
    each = pricing.unit_amount(state, item["price"], currency)
    total, several = amount(each * quantity, currency), quantity > 1
    note = [f"Qty {quantity}, {amount(each, currency)} each"] if several else []
    note += [f"Billed every {pricing.rhythm(recurring)}"] if recurring else []
    price = f"{total} / {pricing.rhythm(recurring)}" if recurring else total
    return {"name": item["description"], "note": ". ".join(note), "price": price, "recurs": bool(recurring)}


def _rhythm(rows: list[Object]) -> str:
    """Return the interval, if everything bought recurs."""
    each = [row["price"]["recurring"] for row in rows]
    return pricing.rhythm(each[0]) if each and all(each) else ""

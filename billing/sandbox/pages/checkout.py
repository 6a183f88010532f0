"""The page at which a buyer pays: the card, 3D Secure where the card asks for it, back to the site."""

from .. import buying, cards, pricing
from ..api import Request, Response
from ..errors import ApiError
from ..store import Object, State
from .rendering import amount, form, page, redirect


def answer(state: State, request: Request, rest: list[str]) -> Response:
    session = state.get("checkout.session", rest[0])
    if session["status"] == "complete":
        return _back(session)
    if session["status"] == "expired":
        return page("message.html", 410, title="This page has expired", message="Start again from the site.")
    if request.method != "POST":
        return _show(state, session)
    return _pay(state, session, form(request))


def _pay(state: State, session: Object, given: dict[str, str]) -> Response:
    number = given.get("number", "")
    try:
        card = cards.by_number(number) if number or buying.needs_card(state, session) else None
    except ApiError as error:
        return _show(state, session, error.message, number, 402)
    outcome = given.get("outcome") or None
    if card and card.authentication and outcome is None:
        return page("authenticate.html", action=f"/c/{session['id']}", number=number, what=_total(session), card=card)
    done = buying.complete(state, session["id"], f"pm_card_{card.token}" if card else None, outcome)
    if done["error"]:
        return _show(state, session, done["error"]["message"], number, 402)
    return _back(session)


def _back(session: Object) -> Response:
    return redirect((session["success_url"] or "/").replace("{CHECKOUT_SESSION_ID}", session["id"]))


def _total(session: Object) -> str:
    return amount(session["amount_total"], session["currency"])


def _show(state: State, session: Object, error: str = "", number: str = "", status: int = 200) -> Response:
    note = state.note(session["id"])
    rows = []
    for item in note["items"]:
        each = pricing.unit_amount(state, item["price"], session["currency"])
        rhythm = pricing.rhythm(item["price"]["recurring"])
        price = f"{amount(each, session['currency'])} / {rhythm}"
        rows.append({"name": item["description"], "quantity": item["quantity"], "price": price})
    customer = state.find("customer", session["customer"])
    return page(
        "checkout.html",
        status,
        session=session,
        rows=rows,
        total=_total(session),
        trial_days=note["subscription_data"].get("trial_period_days"),
        needs_card=buying.needs_card(state, session),
        email=customer["email"] if customer else session["customer_email"],
        error=error,
        number=number,
    )

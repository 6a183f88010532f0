"""A buyer pays on this page: fills it in, passes 3D Secure if the card asks for it, then goes back to the site."""

from typing import Any
from urllib.parse import parse_qs

from ..books.cards import Card, Means
from ..errors import ApiError
from ..http import forms
from ..http.messages import Request, Response
from ..people import buying, filling, link_visits, means, opening, recovering
from ..store import Object, State
from . import card_form, checkout_view
from .rendering import form, framed, page, redirect

NO_PAGE = (
    "This Checkout has no page of its own: the site's page shows it with Stripe's elements. Complete it with a button "
    "on the first page, or by POST /_sandbox/checkout/{session}/complete."
)
# Buttons of the page that change what is bought, and keep what was typed.
ACTIONS = ("change", "promotion", "forget")


def answer(state: State, request: Request, rest: list[str]) -> Response:
    session = state.get("checkout.session", rest[0])
    if session["ui_mode"] == "elements":
        raise ApiError(404, NO_PAGE)
    response = _answer(state, request, session)
    return framed(response) if session["ui_mode"] == "embedded_page" else response


def _answer(state: State, request: Request, session: Object) -> Response:
    if session["status"] == "complete":
        return _back(state, session)
    if session["status"] == "expired":
        link = checkout_view.back(session)
        return page("message.html", 410, title="This page has expired", message="Start again from the site.",
                    link=link, link_words="Back to the site")  # fmt: skip
    if request.method != "POST":
        return checkout_view.show(state, session, {})
    typed = form(request)
    given = {**typed, **_entries(request)}
    try:
        action = next((name for name in ACTIONS if name in typed), "pay")
        return _act(state, session, action, given) if action != "pay" else _pay(state, session, typed, given)
    except ApiError as error:
        return checkout_view.show(state, session, given, error.message, error.status)


def _entries(request: Request) -> dict[str, Any]:
    """Return what was typed, with the names in brackets as objects: `shipping[address][line1]`."""
    return filling.read(forms.decode(request.body.decode(errors="replace")))


def _act(state: State, session: Object, action: str, given: dict[str, Any]) -> Response:
    if action == "forget":
        means.forget(state, session, given["forget"])
    elif action == "promotion":
        buying.choose(state, session, {"promotion_code": given.get("promotion_code", "").strip()})
        given = {name: value for name, value in given.items() if name != "promotion_code"}
    else:
        name, _, number = given["change"].partition(" ")
        wanted = {**given.get("quantities", {}), **({name: number} if name else {})}
        place = given.get("billing_address") or {}
        taxed = {name: given.get(name) for name in buying.TAXED if place.get("country")}
        buying.choose(state, session, {"quantities": wanted, "shipping_rate": given.get("shipping_rate"), **taxed})
    return checkout_view.show(state, session, given)


def _pay(state: State, session: Object, typed: dict[str, str], given: dict[str, Any]) -> Response:
    before = session["amount_total"]
    buying.choose(state, session, {name: given.get(name) for name in (*buying.AMOUNTS, *buying.TAXED)})
    if session["amount_total"] != before:
        due = checkout_view.due(session)
        return checkout_view.show(state, session, given, f"The total is {due} now. Look at it once more, then go on.")
    entries = {name: value for name, value in given.items() if name not in buying.AMOUNTS}
    filling.checked(session, entries)
    card = _means(state, session, given)
    outcome = given.get("outcome") or None
    if isinstance(card, Card) and card.authentication and outcome is None:
        what = checkout_view.due(session) if session["amount_total"] else ""
        shown = {"what": what, "card": card, "is_embedded": session["ui_mode"] == "embedded_page"}
        return page("authenticate.html", action=f"/c/{session['id']}", hidden=typed, **shown)
    done = buying.complete(state, session["id"], card, outcome, entries)
    if done["error"]:
        return checkout_view.show(state, session, given, done["error"]["message"], 402)
    return _back(state, session)


def _means(state: State, session: Object, given: dict[str, Any]) -> Means | str | None:
    """Return what the buyer pays with: a saved card, the account or the card that was entered, or nothing."""
    if given.get("saved") and given.get("means") != "debit":
        return str(given["saved"])
    by_account = given.get("means") == "debit" or (given.get("means") is None and not given.get("number"))
    if by_account and given.get("account"):
        return card_form.read(state, {"account": given["account"]})
    entered = {name: value for name, value in given.items() if name != "account"}
    return card_form.read(state, entered) if given.get("number") or means.needs_card(session) else None


def _back(state: State, session: Object) -> Response:
    """Lead back to the site; an embedded page lets the page around it do so, and a payment link may end here."""
    words = link_visits.confirmation(state, session)
    if words:
        return page("message.html", title="Thanks for your payment", message=words)
    address = session["success_url"] or session.get("return_url") or ""
    address = address.replace("{CHECKOUT_SESSION_ID}", session["id"])
    if session["ui_mode"] != "embedded_page":
        return redirect(address or "/")
    leads_away = session["redirect_on_completion"] == "always"
    return page("embedded_done.html", address=address if leads_away else "")


def recover(state: State, request: Request, rest: list[str]) -> Response:
    """Open the copy of an expired session."""
    expired = state.get("checkout.session", rest[0])
    if not recovering.is_usable(state, expired):
        raise ApiError(410, "This link has expired: start again from the site.")
    return redirect(opening.recovered(state, expired)["url"])


def visit(state: State, request: Request, rest: list[str]) -> Response:
    """Open a payment link."""
    query = {name: values[-1] for name, values in parse_qs(request.query).items()}
    return redirect(link_visits.visit(state, state.get("payment_link", rest[0]), query)["url"])

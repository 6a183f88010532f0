"""A customer passes or fails 3D Secure on the bank's page, and is led back to where the payment began."""

from urllib.parse import urlencode

from ..books import cards
from ..errors import ApiError
from ..http.messages import Request, Response
from ..resources import payment_intents, setup_intents
from ..store import Object, State
from .rendering import amount, form, page, redirect

KINDS = {"pi": ("payment_intent", payment_intents.answer), "seti": ("setup_intent", setup_intents.answer)}


def answer(state: State, request: Request, rest: list[str]) -> Response:
    prefix = rest[0].split("_")[0]
    if len(rest) > 1 or prefix not in KINDS:
        raise ApiError(404, "There is no such page.")
    kind, respond = KINDS[prefix]
    intent = state.get(kind, rest[0])
    if request.method == "POST":
        respond(state, intent["id"], form(request).get("outcome"))
        return _lead_back(state, kind, intent)
    if intent["status"] != "requires_action":
        raise ApiError(400, "This card has been confirmed already, or is not to be confirmed here.")
    what = amount(intent["amount"], intent["currency"]) if kind == "payment_intent" else ""
    card = cards.of_method(state, intent["payment_method"])
    return page("authenticate.html", action=f"/3ds/{intent['id']}", hidden={}, what=what, card=card)


def _lead_back(state: State, kind: str, intent: Object) -> Response:
    """Redirect to the `return_url`, with what Stripe adds to it."""
    address, status = state.note(intent["id"]).get("return_url"), intent["status"]
    if not address:
        return page("message.html", title="Done", message="You can close this page.")
    given = {kind: intent["id"], f"{kind}_client_secret": intent["client_secret"]}
    result = "succeeded" if status in ("succeeded", "requires_capture") else "failed"
    query = urlencode({**given, "redirect_status": result})
    return redirect(f"{address}{'&' if '?' in address else '?'}{query}")

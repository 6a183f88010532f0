"""The hosted invoice: what it is for, paying it, 3D Secure, and its PDF; the receipt of a charge."""

from .. import cards, collection, invoicing, paying
from ..api import Request, Response
from ..errors import ApiError
from ..store import Object, State
from .pdf import document
from .rendering import amount, date, form, page, redirect


def answer(state: State, request: Request, rest: list[str]) -> Response:
    if rest[0] == "receipt" and len(rest) == 2:
        return _receipt(state, state.get("charge", rest[1]))
    invoice = state.get("invoice", rest[0])
    if rest[1:] == ["pdf"]:
        return Response(200, document(_lines(invoice)), {}, "application/pdf")
    if rest[1:]:
        raise ApiError(404, "There is no such page.")
    if request.method == "POST":
        return _pay(state, invoice, form(request))
    return _show(state, invoice)


def _pay(state: State, invoice: Object, given: dict[str, str]) -> Response:
    number, outcome = given.get("number", ""), given.get("outcome") or None
    try:
        card = _card(state, invoice, number)
        if card.authentication == "always" and outcome is None:
            what = amount(invoice["amount_remaining"], invoice["currency"])
            return page("authenticate.html", action=f"/i/{invoice['id']}", number=number, what=what, card=card)
        done = paying.pay(state, invoice["id"], outcome, f"pm_card_{card.token}" if number else None)
    except ApiError as error:
        return _show(state, invoice, error.message, 402)
    if done["outcome"] == "paid":
        return redirect(f"/i/{invoice['id']}")
    return _show(state, invoice, (done["error"] or {}).get("message", "The payment needs another step."), 402)


def _card(state: State, invoice: Object, number: str) -> cards.Card:
    if number:
        return cards.by_number(number)
    method = collection.method_for(state, invoice)
    if method is None:
        raise ApiError(400, "Enter a card to pay with.")
    return cards.of_method(state, method)


def _show(state: State, invoice: Object, error: str = "", status: int = 200) -> Response:
    currency = invoice["currency"]
    method = state.find("payment_method", collection.method_for(state, invoice))
    rows = [
        {"words": line["description"], "amount": amount(line["amount"], currency)} for line in invoice["lines"]["data"]
    ]
    return page(
        "invoice.html",
        status,
        invoice=invoice,
        rows=rows,
        total=amount(invoice["total"], currency),
        remaining=amount(invoice["amount_remaining"], currency),
        issued=date(invoice["status_transitions"]["finalized_at"] or invoice["created"]),
        paid=date(invoice["status_transitions"]["paid_at"]),
        is_open=invoice["status"] in ("open", "uncollectible"),
        needs_action=(invoicing.intent_of(state, invoice) or {}).get("status") == "requires_action",
        last4=method["card"]["last4"] if method else "",
        error=error,
    )


def _lines(invoice: Object) -> list[str]:
    currency = invoice["currency"]
    rows = [f"{line['description']}    {amount(line['amount'], currency)}" for line in invoice["lines"]["data"]]
    head = [f"Invoice {invoice['number'] or '(draft)'}", f"Status: {invoice['status']}", date(invoice["created"])]
    paid = f"Paid: {amount(invoice['amount_paid'], currency)}"
    return [
        *head,
        str(invoice["customer_email"] or ""),
        "",
        *rows,
        "",
        f"Total: {amount(invoice['total'], currency)}",
        paid,
    ]


def _receipt(state: State, charge: Object) -> Response:
    currency = charge["currency"]
    refunded = f", {amount(charge['amount_refunded'], currency)} of it refunded" if charge["amount_refunded"] else ""
    words = f"{amount(charge['amount'], currency)} paid on {date(charge['created'])}{refunded}."
    return page("message.html", title="Receipt", message=words)

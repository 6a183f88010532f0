"""The hosted invoice shows what it is for, takes a payment with 3D Secure, and offers its PDF; a charge has a
receipt."""

from ..books import cards, collection, debits, invoicing
from ..errors import ApiError
from ..http.messages import Request, Response
from ..http.pdf import document
from ..people import paying
from ..resources import payment_methods
from ..store import Object, State
from . import card_form
from .rendering import amount, date, form, page, redirect


def answer(state: State, request: Request, rest: list[str]) -> Response:
    if rest[0] == "receipt" and len(rest) == 2:
        return _receipt(state, state.get("charge", rest[1]))
    invoice = state.get("invoice", rest[0])
    if rest[1:] == ["pdf"]:
        return Response(200, document(_lines(state, invoice)), {}, "application/pdf")
    if rest[1:]:
        raise ApiError(404, "There is no such page.")
    if request.method == "POST":
        return _pay(state, invoice, form(request))
    return _show(state, invoice)


def _pay(state: State, invoice: Object, given: dict[str, str]) -> Response:
    outcome = given.get("outcome") or None
    try:
        card = _card(state, invoice, given)
        if card.authentication and outcome is None:
            hidden, what = card_form.entered(given), amount(invoice["amount_remaining"], invoice["currency"])
            return page("authenticate.html", action=f"/i/{invoice['id']}", hidden=hidden, what=what, card=card)
        is_new = given.get("number") or given.get("account")
        token = payment_methods.new(state, card)["id"] if is_new else None
        done = paying.pay(state, invoice["id"], outcome, token)
    except ApiError as error:
        return _show(state, invoice, given, error.message, 402)
    if done["outcome"] in ("paid", "processing"):
        return redirect(f"/i/{invoice['id']}")
    return _show(state, invoice, given, (done["error"] or {}).get("message", "The payment needs another step."), 402)


def _card(state: State, invoice: Object, given: dict[str, str]) -> cards.Means:
    """Return the card or account entered, or the saved one."""
    if given.get("number") or given.get("account"):
        return card_form.read(state, given)
    method = collection.method_for(state, invoice)
    if method is None:
        raise ApiError(400, "Enter a card to pay with.")
    return cards.of_method(state, method)


def _show(
    state: State, invoice: Object, given: dict[str, str] | None = None, error: str = "", status: int = 200
) -> Response:
    currency, marks = invoice["currency"], invoice["status_transitions"]
    method = state.find("payment_method", collection.method_for(state, invoice))
    off = sum(entry["amount"] for entry in invoice["total_discount_amounts"])
    return page(
        "invoice.html",
        status,
        invoice=invoice,
        rows=[_row(line, currency) for line in invoice["lines"]["data"]],
        total=amount(invoice["total"], currency),
        discount=amount(off, currency) if off else "",
        taxes=[_tax(state, tax, currency) for tax in invoice["total_taxes"]],
        balance=amount(invoice["starting_balance"], currency) if invoice["starting_balance"] else "",
        remaining=amount(invoice["amount_remaining"], currency),
        issued=date(marks["finalized_at"] or invoice["created"]),
        paid=date(marks["paid_at"]),
        is_open=invoice["status"] in ("open", "uncollectible") and not invoicing.is_processing(state, invoice),
        is_processing=invoicing.is_processing(state, invoice),
        accounts=debits.of_currency(currency),
        needs_action=(invoicing.intent_of(state, invoice) or {}).get("status") == "requires_action",
        last4=method[method["type"]]["last4"] if method else "",
        called="card" if method and method["type"] == "card" else "bank account",
        error=error,
        given=given or {},
    )


def _row(line: Object, currency: str) -> Object:
    start, end = line["period"]["start"], line["period"]["end"]
    period = f"{date(start)} to {date(end)}" if end > start else ""
    return {"words": line["description"], "period": period, "amount": amount(line["amount"], currency)}


def _tax(state: State, tax: Object, currency: str) -> Object:
    rate = state.get("tax_rate", tax["tax_rate_details"]["tax_rate"])
    inside = ", included" if rate["inclusive"] else ""
    what = "reverse charge" if tax["taxability_reason"] == "reverse_charge" else f"{rate['percentage']:g}%{inside}"
    return {"words": f"{rate['display_name']} ({what})", "amount": amount(tax["amount"], currency)}


def _lines(state: State, invoice: Object) -> list[str]:
    currency = invoice["currency"]
    rows = [f"{line['description']}    {amount(line['amount'], currency)}" for line in invoice["lines"]["data"]]
    taxes = [_tax(state, tax, currency) for tax in invoice["total_taxes"]]
    rows += [f"{tax['words']}    {tax['amount']}" for tax in taxes]
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

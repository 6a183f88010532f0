"""The buttons of the first page act here, and a sentence says what happened."""

from collections.abc import Callable

from ..books import aftermath, billing_cycle, cards, collection
from ..books.periods import DAY, add
from ..books.tax import ids
from ..errors import ApiError, invalid
from ..events import recorded
from ..http.messages import Request, Response
from ..people import buying, checkout_taxes, delayed, paying
from ..resources import charges, payment_methods
from ..store import Object, State
from . import said
from .rendering import amount, moment, redirect

HOUR, FURTHEST = 3600, 20 * 366 * DAY
PAYS, DECLINES = "pm_card_visa", "pm_card_chargeCustomerFail"
Act = Callable[[State, str], str]


def answer(state: State, request: Request, rest: list[str]) -> Response:
    """Answer `POST /act/{what}` or `/act/{what}/{id}`: redirect to the first page, which says what happened."""
    name, *ids = rest or [""]
    if request.method != "POST" or name not in ACTS or len(ids) > 1:
        raise ApiError(404, "There is no such page.")
    try:
        return redirect(said.address(ACTS[name](state, ids[0] if ids else "")))
    except ApiError as error:
        return redirect(said.address(error.message, is_error=True))


def to_next_event(state: State, _: str) -> str:
    """Move the clock until an event is sent to the webhooks, since much that falls due sends none."""
    told, limit, done = len(state.published), state.now() + FURTHEST, 0
    while state.due and state.due[0][0] <= limit and len(state.published) == told:
        done += billing_cycle.advance(state, max(state.due[0][0], state.now()))
    if len(state.published) == told:
        raise invalid("Nothing that would bring an event is due: the clock can only be moved by a time.")
    return _clock(state, f"the next event is {state.published[told]['type']}")


def _clock(state: State, then: str) -> str:
    return f"The clock says {moment(state.now())} UTC: {then}."


def move(state: State, to: int) -> str:
    told = len(state.published)
    billing_cycle.advance(state, to)
    number = len(state.published) - told
    return _clock(state, "1 event came of it" if number == 1 else f"{number or 'no'} events came of it")


def complete(state: State, session: str, outcome: str) -> str:
    row = state.get("checkout.session", session)
    is_asked = row["automatic_tax"]["status"] == "requires_location_inputs"
    entries = {"billing_address": checkout_taxes.example(row)} if is_asked else None
    done = buying.complete(state, session, None, outcome, entries)
    return f"The checkout of {buyer(state, done['session'])} is {done['outcome']}."


def pay(state: State, invoice: str, outcome: str) -> str:
    row = state.get("invoice", invoice)
    token = None if collection.method_for(state, row) else PAYS
    done = paying.pay(state, invoice, outcome, token)
    return f"The invoice {row['number'] or invoice} of {whose(state, row)} is {done['outcome'].replace('_', ' ')}."


def answer_bank(state: State, intent: str, outcome: str) -> str:
    row = delayed.answer(state, intent, outcome, None)
    return f"The payment of {whose(state, row)} over {amount(row['amount'], row['currency'])} has {outcome}."


def give_card(state: State, subscription: str, token: str) -> str:
    sub = state.get("subscription", subscription)
    customer = state.get("customer", sub["customer"])
    method = payment_methods.attached(state, token, customer)
    with recorded(state, sub, "customer.subscription.updated"):
        sub["default_payment_method"] = method["id"]
    then = "is paid" if token == PAYS else "is declined"
    return (
        f"The next renewal of {whose(state, sub)} {then}: the card is now the one ending in {method['card']['last4']}."
    )


def dispute(state: State, charge: str) -> str:
    row = state.get("charge", charge)
    if row["disputed"]:
        raise invalid(f"The payment {charge} has been disputed already.")
    aftermath.open_dispute(state, charge)
    return f"{whose(state, row)} disputes the payment of {amount(row['amount'], row['currency'])}."


def refund(state: State, charge: str) -> str:
    row = state.get("charge", charge)
    made = charges.create_refund(state, {"charge": charge})
    return f"{whose(state, row)} was refunded {amount(made['amount'], made['currency'])}."


def close_dispute(state: State, identifier: str, status: str) -> str:
    row = aftermath.move_dispute(state, identifier, status)
    return f"The dispute about {amount(row['amount'], row['currency'])} is {status}."


def answer_tax_id(state: State, identifier: str, status: str) -> str:
    row = ids.answer(state, state.get(ids.KIND, identifier), status)
    return f"The tax ID {row['value']} of {whose(state, row)} is {status}."


def whose(state: State, row: Object) -> str:
    """Return the customer's address, name or id."""
    customer = state.find("customer", row["customer"]) or {}
    return str(customer.get("email") or customer.get("name") or row["customer"] or "somebody")


def buyer(state: State, session: Object) -> str:
    return str((session["customer_details"] or {}).get("email") or whose(state, session))


def is_declining(state: State, sub: Object) -> bool:
    method = collection_method(state, sub)
    return bool(method and cards.of_method(state, method).later_decline)


def collection_method(state: State, sub: Object) -> str | None:
    customer = state.get("customer", sub["customer"])
    chosen = sub["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    return str(chosen) if chosen else None


ACTS: dict[str, Act] = {
    "hour": lambda state, _: move(state, state.now() + HOUR),
    "day": lambda state, _: move(state, state.now() + DAY),
    "month": lambda state, _: move(state, add(state.now(), "month", 1)),
    "next": to_next_event,
    "checkout-pay": lambda state, name: complete(state, name, "paid"),
    "checkout-decline": lambda state, name: complete(state, name, "declined"),
    "invoice-pay": lambda state, name: pay(state, name, "paid"),
    "invoice-decline": lambda state, name: pay(state, name, "declined"),
    "bank-pay": lambda state, name: answer_bank(state, name, "succeeded"),
    "bank-fail": lambda state, name: answer_bank(state, name, "failed"),
    "renewal-pay": lambda state, name: give_card(state, name, PAYS),
    "renewal-decline": lambda state, name: give_card(state, name, DECLINES),
    "tax-id-verify": lambda state, name: answer_tax_id(state, name, "verified"),
    "tax-id-refuse": lambda state, name: answer_tax_id(state, name, "unverified"),
    "dispute": dispute,
    "dispute-win": lambda state, name: close_dispute(state, name, "won"),
    "dispute-lose": lambda state, name: close_dispute(state, name, "lost"),
    "refund": refund,
}

"""This route changes a payment intent; amount, card, customer and shipping change only until it is paid."""

from ..books import amounts
from ..errors import invalid
from ..http.contract import Params
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State
from .payment_intents import OPEN, shipping_of
from .payment_methods import DATA, given

PLAIN = ("description", "receipt_email")
WHILE_OPEN = ("amount", "currency", "customer", "payment_method", "setup_future_usage", "shipping")
BEFORE_PAYMENT = (*WHILE_OPEN, "payment_method_data")


@api.add(
    "POST",
    "/v1/payment_intents/{intent}",
    "PaymentIntentUpdateParams",
    f"{' '.join((*PLAIN, *WHILE_OPEN))} metadata {DATA}",
)
def update(state: State, intent: str, params: Params) -> Object:
    row = state.get("payment_intent", intent)
    wanted = [name for name in BEFORE_PAYMENT if name in params]
    if wanted:
        _check(state, row, wanted[0])
        _change_payment(state, row, params)
    row.update({name: params[name] or None for name in PLAIN if name in params})
    row["metadata"] = merged(row["metadata"], params)
    return row


def _check(state: State, intent: Object, name: str) -> None:
    if intent["status"] not in OPEN:
        raise invalid(
            f"This PaymentIntent's {name} could not be updated because it has a status of {intent['status']}. You may "
            f"only update the {name} of a PaymentIntent with one of the following statuses: {', '.join(OPEN)}.",
            name,
            "payment_intent_unexpected_state",
            payment_intent=intent,
        )
    if "invoice" in state.notes.get(intent["id"], {}):
        raise invalid(f"The {name} of a PaymentIntent that pays an invoice cannot be updated.", name)


def _change_payment(state: State, intent: Object, params: Params) -> None:
    """A payment that is asked for 3D Secure has to be confirmed anew."""
    values = {name: params[name] if name in params else intent[name] for name in ("amount", "currency")}
    values["currency"] = values["currency"].lower()
    amounts.check(values["amount"], values["currency"])
    if params.get("customer"):
        values["customer"] = state.get("customer", params["customer"], "customer")["id"]
    if params.get("payment_method") == "":
        values["payment_method"] = None
    elif (method := given(state, params)) is not None:
        values["payment_method"] = method
    if "setup_future_usage" in params:
        values["setup_future_usage"] = params["setup_future_usage"] or None
    if "shipping" in params:
        values["shipping"] = shipping_of(params["shipping"]) if params["shipping"] else None
    intent.update(values, next_action=None)
    intent["status"] = "requires_confirmation" if intent["payment_method"] else "requires_payment_method"

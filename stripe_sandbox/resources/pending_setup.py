"""A subscription that begins without a payment has its card saved or confirmed by `pending_setup_intent`."""

from ..books import cards, charging, collection
from ..events import emit
from ..store import Object, State
from . import setup_intents


def begin(state: State, sub: Object, invoice: Object | None) -> None:
    """Begin the setup where nothing is due, and there is no card yet, or one that asks for 3D Secure."""
    if (invoice and invoice["amount_due"]) or sub["collection_method"] != "charge_automatically":
        return
    method = collection.method_of(state, sub)
    if method is None:
        intent = setup_intents.new(state, sub["customer"], None, "requires_payment_method")
    elif cards.of_method(state, method).authentication:
        intent = setup_intents.new(state, sub["customer"], method, "requires_action")
        intent["next_action"] = charging.next_action(state, intent["id"], None)
    else:
        return
    state.note(intent["id"])["subscription"] = sub["id"]
    sub["pending_setup_intent"] = intent["id"]
    emit(state, "setup_intent.created", intent)
    if intent["status"] == "requires_action":
        emit(state, "setup_intent.requires_action", intent)

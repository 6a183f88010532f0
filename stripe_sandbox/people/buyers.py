"""These functions find or make the customer of a Checkout, keep the card, and show the buyer's details."""

from ..books import cards, mandates
from ..books.cards import Means
from ..books.debits import Account
from ..events import emit
from ..resources import customers, payment_methods
from ..store import Object, State


def customer_of(state: State, session: Object) -> Object:
    """Return the session's customer; make one if there is none."""
    if session["customer"]:
        return state.get("customer", session["customer"])
    customer = state.put(customers.new(state, {"email": session["customer_email"]}))
    emit(state, "customer.created", customer)
    return customer


def details(customer: Object | None, session: Object) -> Object:
    """Return the details of the customer, or of a guest, of whom only the e-mail is known."""
    known = customer or {}
    plain = {name: known.get(name) for name in ("address", "name", "phone")}
    return {
        **plain,
        "email": known.get("email") or session["customer_email"],
        "tax_exempt": known.get("tax_exempt") or "none",
        "tax_ids": [],
        "business_name": None,
        "individual_name": None,
    }


def saved(state: State, customer: Object, card: Means | None) -> str | None:
    """Return the card or bank account as a payment method of the customer."""
    if card is None:
        return None
    method = payment_methods.new(state, card)
    billing = {name: customer[name] for name in ("address", "email", "name", "phone")}
    payment_methods.write(method, {"billing_details": billing, "allow_redisplay": "limited"})
    method["customer"] = customer["id"]
    state.put(method)
    emit(state, "payment_method.attached", method)
    mandate_for(state, method["id"])
    return str(method["id"])


def mandate_for(state: State, method: str) -> str | None:
    """Return the mandate that the buyer accepts on the page of a Checkout, if the method is a bank account."""
    means = cards.of_method(state, method)
    if not isinstance(means, Account):
        return None
    acceptance = {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "Sandbox"}}
    return str(mandates.accept(state, method, means, {"customer_acceptance": acceptance})["id"])

"""These functions find or make the customer of a Checkout, keep the card, and show the buyer's details."""

from dataclasses import dataclass

from ..books import cards, charging, mandates
from ..books.cards import Means
from ..books.debits import Account
from ..events import emit
from ..resources import customers, payment_methods
from ..store import Object, State


@dataclass(frozen=True)
class Buyer:
    """A buyer has filled this in, and pays by new means or by a payment method `saved` before; new ones may be kept."""

    filled: Object
    means: Means | None = None
    saved: str | None = None
    keeps: bool = False


NAMES = ("business_name", "individual_name")
BILLED = ("address", "email", "name", "phone")


def customer_of(state: State, session: Object, filled: Object) -> Object:
    """Return the session's customer; make one of what the buyer filled in if there is none."""
    if session["customer"]:
        return state.get("customer", session["customer"])
    entered = filled["customer_details"]
    known = {name: entered[name] for name in BILLED if name in entered}
    shipping = filled["collected_information"]["shipping_details"]
    known |= {"shipping": shipping} if shipping else {}
    customer = state.put(customers.new(state, {"email": session["customer_email"], **known}))
    customer.update({name: entered[name] for name in NAMES if name in entered})
    emit(state, "customer.created", customer)
    return customer


def write(state: State, session: Object, customer: Object, filled: Object) -> None:
    """Write to a customer that the site named what `customer_update` allows; a phone number and names in any case."""
    allowed = state.note(session["id"])["params"].get("customer_update") or {}
    entered = filled["customer_details"]
    for name in ("phone", *NAMES):
        if name in entered:
            customer[name] = entered[name]
    for name in ("address", "name"):
        if name in entered and allowed.get(name) == "auto":
            customer[name] = entered[name]
    shipping = filled["collected_information"]["shipping_details"]
    if shipping and allowed.get("shipping") == "auto":
        customer["shipping"] = shipping


def fill(session: Object, customer: Object | None, filled: Object) -> None:
    """Show in the session what the buyer filled in, and of the customer, or a guest, what is known besides."""
    known = customer or {}
    details = {
        **{name: known.get(name) for name in ("address", "name", "phone")},
        "email": known.get("email") or session["customer_email"],
        "tax_exempt": known.get("tax_exempt") or "none",
        "tax_ids": [],
        "business_name": None,
        "individual_name": None,
    }
    session.update({**filled, "customer_details": {**details, **filled["customer_details"]}})


def saved(state: State, customer: Object, buyer: Buyer) -> str | None:
    """Return the card or bank account as a payment method of the customer."""
    if buyer.saved or buyer.means is None:
        return buyer.saved
    method = payment_methods.new(state, buyer.means)
    redisplay = "always" if buyer.keeps else "limited"
    payment_methods.write(method, {"billing_details": billing(customer, buyer), "allow_redisplay": redisplay})
    method["customer"] = customer["id"]
    charging.set_up(state, method["id"])
    state.put(method)
    emit(state, "payment_method.attached", method)
    mandate_for(state, method["id"])
    return str(method["id"])


def used_once(state: State, session: Object, buyer: Buyer) -> str:
    """Return the means as a payment method of nobody."""
    if buyer.saved or buyer.means is None:
        return str(buyer.saved)
    method = payment_methods.new(state, buyer.means)
    customer = state.find("customer", session["customer"]) or {"email": session["customer_email"]}
    payment_methods.write(method, {"billing_details": billing(customer, buyer)})
    return str(method["id"])


def billing(customer: Object, buyer: Buyer) -> Object:
    known = {name: customer.get(name) for name in BILLED}
    return known | {name: value for name, value in buyer.filled["customer_details"].items() if name in BILLED}


def mandate_for(state: State, method: str) -> str | None:
    """Return the mandate that the buyer accepts on the page of a Checkout, if the method is a bank account."""
    means = cards.of_method(state, method)
    if not isinstance(means, Account):
        return None
    acceptance = {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "Sandbox"}}
    return str(mandates.accept(state, method, means, {"customer_acceptance": acceptance})["id"])

"""A saved payment method pays for its own customer alone, and is set up for nobody else (**reported**, words and
all)."""

from typing import Any

from ..errors import ApiError, invalid
from ..store import Object, State


def check(state: State, intent: Object, identifier: str | None) -> None:
    """Refuse a payment method that is saved for another customer than the intent's, or while it names none."""
    method: Any = state.find("payment_method", identifier) if identifier else None
    if method is None or method["customer"] in (None, intent["customer"]):
        return
    refuse = _of_payment if intent["object"] == "payment_intent" else _of_setup
    raise refuse(intent, method)


def _of_payment(intent: Object, method: Object) -> ApiError:
    if intent["customer"] is None:
        words = f"The `payment_method` parameter supplied {method['id']} {_include(method, 'PaymentIntent')}"
        return invalid(words, "source", "parameter_missing", payment_intent=intent)
    words = f"The customer does not have a payment method with the ID {method['id']}. The payment method must be "
    return invalid(f"{words}attached to the customer.", "payment_method", "resource_missing", payment_intent=intent)


def _of_setup(intent: Object, method: Object) -> ApiError:
    if intent["customer"] is None:
        words = f"The payment method supplied ({method['id']}) {_include(method, 'SetupIntent')}"
        return invalid(words, "payment_method")
    words = f"The PaymentMethod {method['id']} does not belong to the Customer you supplied {intent['customer']}."
    return invalid(
        f"{words} Please use this PaymentMethod with the Customer that it belongs to instead.", "payment_method"
    )


def _include(method: Object, kind: str) -> str:
    return (
        f"belongs to the Customer {method['customer']}. Please include the Customer in the `customer` parameter on the "
        f"{kind}."
    )

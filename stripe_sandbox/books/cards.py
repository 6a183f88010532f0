"""This module finds test cards, words their refusals, and says whether a payment method is a card or a bank account."""

import re
from typing import Any

from ..errors import ApiError, declined, doc_url, missing_resource, not_covered
from ..store import State
from . import debits
from .card_table import ALIASES, BY_NUMBER, BY_TOKEN, CARDS, NOT_COVERED, Card
from .debits import Account

__all__ = ["BY_TOKEN", "CARDS", "Card"]
MESSAGES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "authentication_required": (
        "authentication_required",
        "Your card was declined. This transaction requires authentication.",
    ),
    "card_velocity_exceeded": (
        "card_declined",
        "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
    ),
    "fraudulent": ("card_declined", "Your card was declined."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
}

PARAMS = {"expired_card": "exp_month", "incorrect_cvc": "cvc"}
FINAL = ("lost_card", "stolen_card", "fraudulent")
NETWORK_DECLINED = "01"
BLOCKED = ("fraudulent",)


def by_token(token: str, param: str) -> Card:
    """Find a test card by one of Stripe's names, such as `pm_card_visa`, `tok_visa` or `tok_chargeDeclined`."""
    name = token.removeprefix("pm_card_").removeprefix("tok_")
    name = name.removeprefix("visa_") if name.startswith("visa_charge") else name
    if name in NOT_COVERED:
        raise not_covered(f"the test card {token}")
    card = BY_TOKEN.get(ALIASES.get(name, name))
    if card is None:
        raise missing_resource("payment_method" if token.startswith("pm_") else "token", token, param)
    return card


def described(given: dict[str, Any]) -> Card:
    """Return the card of this number, whose security code has three or four digits if it is given."""
    card = by_number(given.get("number", ""))
    if not re.fullmatch(r"\d{3,4}", given.get("cvc", "123")):
        raise declined(
            {"code": "invalid_cvc", "message": "Your card's security code is invalid.", "param": "card[cvc]"}
        )
    return card


def by_number(number: str) -> Card:
    digits = "".join(character for character in number if character.isdigit())
    card = BY_NUMBER.get(digits)
    if card is None:
        raise declined(
            {
                "code": "incorrect_number",
                "message": "Your card number is incorrect. The sandbox knows its test cards only.",
                "param": "card[number]",
            }
        )
    return card


Means = Card | Account


def of_method(state: State, method: str) -> Means:
    """Find the card of a payment method; refuse one that is neither a card nor a bank account that can be debited."""
    note = state.notes.get(method, {})
    if "debit" in note:
        return debits.BY_TOKEN[note["debit"]]
    if "card" not in note:
        raise not_covered(f"payment_method of the type {state.get('payment_method', method)['type']}")
    return BY_TOKEN[note["card"]]


def named(token: str, param: str) -> Means:
    """Return a test card or account by the name that Stripe gave it."""
    return debits.by_token(token, param) if token.startswith(debits.PREFIXES) else by_token(token, param)


def refusal(decline_code: str) -> dict[str, str]:
    """Return the error of a declined card, as it stands in the API's answers and in `last_payment_error`."""
    code, message = MESSAGES[decline_code]
    error = {"type": "card_error", "code": code, "message": message, "doc_url": doc_url(code)}
    if code in PARAMS:
        error["param"] = PARAMS[code]
    if code in ("card_declined", "authentication_required"):
        error["decline_code"] = decline_code
        error["advice_code"] = advice(decline_code)
    if decline_code not in BLOCKED:
        error["network_decline_code"] = NETWORK_DECLINED
    return error


def advice(decline_code: str) -> str:
    """Return the issuer's advice about another try: never again with a card that is lost or stolen."""
    return "do_not_try_again" if decline_code in FINAL else "try_again_later"


def decline_error(decline_code: str) -> ApiError:
    """Return the error of a card that is refused where no payment is made; `param` is empty there, unless it is a
    card's field."""
    return declined({"param": "", **refusal(decline_code)})

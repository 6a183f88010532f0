"""A person enters a card here (number, expiry, security code), or chooses a bank account."""

import re
from dataclasses import replace
from datetime import UTC, datetime

from ..books import cards, debits
from ..books.cards import Means
from ..errors import ApiError, declined
from ..store import State

FIELDS = ("number", "expiry", "cvc")
EXPIRY = re.compile(r"\s*(\d{1,2})\s*[/ -]?\s*(\d{2}|\d{4})\s*")


def read(state: State, given: dict[str, str]) -> Means:
    """Read the form; refuse it as Stripe does. Expiry and code count as right if the form does not have them."""
    if given.get("account"):
        return debits.by_token(given["account"], "account")
    card = cards.by_number(given.get("number", ""))
    if "expiry" in given:
        card = replace(card, expires=_expiry(state, given["expiry"]))
    length = 4 if card.brand == "amex" else 3
    if "cvc" in given and not re.fullmatch(rf"\d{{{length}}}", given["cvc"].strip()):
        raise _refused("incomplete_cvc", f"Your card's security code has {length} digits.", "cvc")
    return card


def _expiry(state: State, text: str) -> tuple[int, int]:
    found = EXPIRY.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= 12:
        raise _refused("invalid_expiry_month", "Your card's expiration date is incomplete: write it as MM / YY.", "exp")
    month, year = int(found[1]), int(found[2]) % 100 + 2000
    now = datetime.fromtimestamp(state.now(), UTC)
    if (year, month) < (now.year, now.month):
        raise _refused("invalid_expiry_year", "Your card's expiration date is in the past.", "exp")
    return month, year


def _refused(code: str, message: str, field: str) -> ApiError:
    return declined({"code": code, "message": message, "param": f"card[{field}]"})


def entered(given: dict[str, str]) -> dict[str, str]:
    """Return what was entered, to be shown or carried on."""
    return {name: given[name] for name in FIELDS if name in given}

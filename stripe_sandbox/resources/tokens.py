"""A token stands for a card or a bank account, and is used once."""

from typing import Any

from ..books import cards, debits
from ..books.cards import Card
from ..errors import invalid, missing_parameter, missing_resource, not_covered
from ..http.blanks import blank
from ..http.contract import Params
from ..http.routing import api
from ..store import Object, State

CARD = (
    "card.number card.exp_month card.exp_year card.cvc card.name card.address_city card.address_country "
    "card.address_line1 card.address_line2 card.address_state card.address_zip"
)
ACCOUNT = (
    "bank_account.account_number bank_account.routing_number bank_account.country bank_account.currency "
    "bank_account.account_holder_name bank_account.account_holder_type"
)
ADDRESS = ("address_city", "address_country", "address_line1", "address_line2", "address_state", "address_zip")
BRANDS = {"amex": "American Express", "diners": "Diners Club", "jcb": "JCB", "mastercard": "MasterCard",
          "unionpay": "UnionPay"}  # fmt: skip


@api.add("POST", "/v1/tokens", "TokenCreateParams", f"{CARD} {ACCOUNT}")
def create(state: State, params: Params) -> Object:
    kinds = [kind for kind in ("card", "bank_account") if kind in params]
    if len(kinds) != 1:
        raise (
            missing_parameter("card") if not kinds else invalid("You may only give one of card, bank_account.", "card")
        )
    if isinstance(params[kinds[0]], str):
        raise not_covered(kinds[0])
    token = _card(state, params["card"]) if kinds == ["card"] else _account(state, params["bank_account"])
    return state.put(token)


def _card(state: State, given: dict[str, Any]) -> Object:
    card = cards.described(given)
    month, year = _number(given, "exp_month"), _number(given, "exp_year")
    identifier = state.new_id("tok")
    state.note(identifier)["card"] = card.token
    return _document(state, identifier, "card", _shown(state, card, given, month, year))


def _number(given: dict[str, Any], name: str) -> int:
    if not str(given[name]).isdigit():
        raise invalid(f"Invalid integer: {given[name]}", f"card[{name}]", "parameter_invalid_integer")
    return int(given[name])


def _shown(state: State, card: Card, given: dict[str, Any], month: int, year: int) -> Object:
    return blank(
        "card",
        state.new_id("card"),
        **{name: given.get(name) for name in ADDRESS},
        brand=BRANDS.get(card.brand, card.brand.title()),
        country=card.country,
        cvc_check="unchecked" if "cvc" in given else None,
        exp_month=month,
        exp_year=year,
        fingerprint=card.fingerprint,
        funding=card.funding,
        last4=card.last4,
        metadata={},
        name=given.get("name"),
        networks={"preferred": None},
        regulated_status="unregulated",
    )


def _account(state: State, given: dict[str, Any]) -> Object:
    """Return the token of a test account of the United States, which has a routing number."""
    if given["country"] != "US" or given.get("currency", "usd") != "usd":
        raise not_covered(f"bank_account[country]={given['country']}")
    entered = {"account_holder_type": "individual", "routing_number": "", **given}
    if entered["routing_number"] != debits.ROUTING_NUMBER:
        raise invalid(f"The sandbox knows one test routing number: {debits.ROUTING_NUMBER}.",
                      "bank_account[routing_number]", "routing_number_invalid")  # fmt: skip
    account = debits.by_number(debits.ACH, given["account_number"], "bank_account[account_number]")
    identifier = state.new_id("btok")
    shown = blank(
        "bank_account",
        state.new_id("ba"),
        account_holder_name=given.get("account_holder_name"),
        account_holder_type=given.get("account_holder_type"),
        bank_name="STRIPE TEST BANK",
        country="US",
        currency="usd",
        last4=account.last4,
        metadata={},
        routing_number=debits.ROUTING_NUMBER,
        status="new",
    )
    return _document(state, identifier, "bank_account", shown)


def _document(state: State, identifier: str, kind: str, how: Object) -> Object:
    plain = {"created": state.now(), "livemode": False, "type": kind, "used": False, kind: how}
    return blank("token", identifier, **plain)


@api.add("GET", "/v1/tokens/{token}", "TokenRetrieveParams")
def retrieve(state: State, token: str, params: Params) -> Object:
    return state.get("token", token)


def spend(state: State, identifier: str) -> Object:
    """Use a card's token up."""
    token = state.find("token", identifier)
    if token is None or token["type"] != "card":
        raise missing_resource("token", identifier, "card[token]")
    if token["used"]:
        raise invalid(
            f"You cannot use a Stripe token more than once: {identifier}.", "card[token]", "token_already_used"
        )
    token["used"] = True
    return token


def holder(card: Object) -> Object:
    """Return the billing details that a token's card has."""
    address = {name.removeprefix("address_"): card[name] for name in ADDRESS}
    return {"name": card["name"], "address": {**address, "postal_code": address.pop("zip")}}

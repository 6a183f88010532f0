"""This table says what each test card does, and whether a payment method is a card or a bank account."""

import hashlib
from dataclasses import dataclass

from ..errors import ApiError, declined, doc_url, missing_resource, not_covered
from ..store import State
from . import debits
from .debits import Account

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


@dataclass(frozen=True)
class Card:
    """This says how a card behaves. `decline`: it is declined at once; `later_decline`: it can be attached, and fails
    when charged; `authentication`: '', 'setup' or 'always'; `expires`: month and year, where someone entered them."""

    token: str
    number: str
    does: str
    brand: str = "visa"
    decline: str = ""
    later_decline: str = ""
    authentication: str = ""
    afterwards: str = ""
    expires: tuple[int, int] | None = None
    country: str = "US"
    funding: str = "credit"

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.number.encode()).hexdigest()[:16]

    @property
    def spaced(self) -> str:
        return " ".join(self.number[i : i + 4] for i in range(0, len(self.number), 4))


CARDS = (
    Card("visa", "4242424242424242", "is paid"),
    Card("mastercard", "5555555555554444", "is paid", "mastercard"),
    Card("amex", "378282246310005", "is paid", "amex"),
    Card("discover", "6011000990139424", "is paid", "discover"),
    Card("diners", "3056930009020004", "is paid", "diners"),
    Card("jcb", "3566002020360505", "is paid", "jcb"),
    Card("unionpay", "6200000000000005", "is paid", "unionpay"),
    Card("visa_debit", "4000056655665556", "is paid", funding="debit"),
    Card("mastercard_debit", "5200828282828210", "is paid", "mastercard", funding="debit"),
    Card("mastercard_prepaid", "5105105105105100", "is paid", "mastercard", funding="prepaid"),
    Card(
        "authenticationRequired",
        "4000002760003184",
        "asks for 3D Secure every time",
        authentication="always",
        country="DE",
    ),
    Card(
        "authenticationRequiredOnSetup",
        "4000002500003155",
        "asks for 3D Secure once, then is paid",
        authentication="setup",
        country="FR",
    ),
    Card("chargeCustomerFail", "4000000000000341", "is saved, then declined", later_decline="generic_decline"),
    Card("chargeDeclined", "4000000000000002", "is declined", decline="generic_decline"),
    Card("chargeDeclinedInsufficientFunds", "4000000000009995", "has no funds", decline="insufficient_funds"),
    Card("chargeDeclinedExpiredCard", "4000000000000069", "has expired", decline="expired_card"),
    Card("chargeDeclinedIncorrectCvc", "4000000000000127", "has a wrong CVC", decline="incorrect_cvc"),
    Card("chargeDeclinedProcessingError", "4000000000000119", "fails in processing", decline="processing_error"),
    Card("chargeDeclinedLostCard", "4000000000009987", "was lost", decline="lost_card"),
    Card("chargeDeclinedFraudulent", "4100000000000019", "is blocked by Radar", decline="fraudulent"),
    Card(
        "visa_chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
        "is over its limit",
        decline="card_velocity_exceeded",
    ),
    Card("chargeDeclinedStolenCard", "4000000000009979", "was stolen", decline="stolen_card"),
    Card("createDispute", "4000000000000259", "is paid, then disputed as fraudulent", afterwards="dispute"),
    Card("createDisputeInquiry", "4000000000001976", "is paid, then inquired about", afterwards="inquiry"),
    Card("fraudWarning", "4000000000005423", "is paid, then a fraud warning comes", afterwards="fraud_warning"),
    Card("refundFail", "4000000000005126", "is paid; its refund fails later", afterwards="refund_fails"),
)
BY_TOKEN = {card.token: card for card in CARDS}
BY_NUMBER = {card.number: card for card in CARDS}
ALIASES = {
    "createIssuerFraudRecord": "fraudWarning",
    "threeDSecureRequired": "authenticationRequired",
    "visa_chargeDeclined": "chargeDeclined",
}


def by_token(token: str, param: str) -> Card:
    """Find a test card by one of Stripe's names, such as `pm_card_visa`, `tok_visa` or `tok_chargeDeclined`."""
    name = token.removeprefix("pm_card_").removeprefix("tok_")
    card = BY_TOKEN.get(ALIASES.get(name, name))
    if card is None:
        raise missing_resource("payment_method" if token.startswith("pm_") else "token", token, param)
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

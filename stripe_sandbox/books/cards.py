"""The test cards, and what each one does."""

from dataclasses import dataclass

from ..http.errors import ApiError, declined, missing_resource
from ..store import State

MESSAGES = {
    "generic_decline": ("card_declined", "Your card was declined."),
    "insufficient_funds": ("card_declined", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "Your card was declined."),
    "stolen_card": ("card_declined", "Your card was declined."),
    "expired_card": ("expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
}


@dataclass(frozen=True)
class Card:
    """`decline`: at once; `later_decline`: attaches, fails when charged; `authentication`: '', 'setup' or 'always';
    `expires`: month and year, where someone entered them.
    """

    token: str
    number: str
    does: str
    brand: str = "visa"
    decline: str = ""
    later_decline: str = ""
    authentication: str = ""
    afterwards: str = ""
    expires: tuple[int, int] | None = None

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def spaced(self) -> str:
        return " ".join(self.number[i : i + 4] for i in range(0, len(self.number), 4))


CARDS = (
    Card("visa", "4242424242424242", "is paid"),
    Card("mastercard", "5555555555554444", "is paid", "mastercard"),
    Card("amex", "378282246310005", "is paid", "amex"),
    Card("authenticationRequired", "4000002760003184", "asks for 3D Secure every time", authentication="always"),
    Card(
        "authenticationRequiredOnSetup",
        "4000002500003155",
        "asks for 3D Secure once, then is paid",
        authentication="setup",
    ),
    Card("chargeCustomerFail", "4000000000000341", "is saved, then declined", later_decline="generic_decline"),
    Card("chargeDeclined", "4000000000000002", "is declined", decline="generic_decline"),
    Card("chargeDeclinedInsufficientFunds", "4000000000009995", "has no funds", decline="insufficient_funds"),
    Card("chargeDeclinedExpiredCard", "4000000000000069", "has expired", decline="expired_card"),
    Card("chargeDeclinedIncorrectCvc", "4000000000000127", "has a wrong CVC", decline="incorrect_cvc"),
    Card("chargeDeclinedProcessingError", "4000000000000119", "fails in processing", decline="processing_error"),
    Card("chargeDeclinedLostCard", "4000000000009987", "was lost", decline="lost_card"),
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
    """`pm_card_visa`, `tok_visa`, `tok_chargeDeclined`: the names of Stripe's own test cards."""
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


def of_method(state: State, method: str) -> Card:
    return BY_TOKEN[state.note(method)["card"]]


def refusal(decline_code: str) -> dict[str, str]:
    """The error of a declined card, as it stands in the API's answers and in `last_payment_error`."""
    code, message = MESSAGES[decline_code]
    error = {"type": "card_error", "code": code, "message": message}
    if code == "card_declined":
        error["decline_code"] = decline_code
    return error


def decline_error(decline_code: str) -> ApiError:
    return declined(refusal(decline_code))

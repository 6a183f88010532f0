"""This table says what each of Stripe's test cards does."""

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """This says how a card behaves. `decline`: it is declined at once; `later_decline`: it can be attached, and fails
    when charged; `authentication`: '', 'setup' (until it is set up, and whenever somebody is there), 'on_session' or
    'always'; `expires`: month and year, where someone entered them."""

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
    Card(
        "authenticationRequiredSetupForOffSession",
        "4000003800000446",
        "is set up already: asks for 3D Secure only where somebody is there",
        authentication="on_session",
        country="IT",
    ),
    Card(
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
        "asks for 3D Secure, then has no funds",
        authentication="always",
        later_decline="insufficient_funds",
        country="GB",
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
        "chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
        "is over its limit",
        decline="card_velocity_exceeded",
    ),
    Card("chargeDeclinedStolenCard", "4000000000009979", "was stolen", decline="stolen_card"),
    Card("createDispute", "4000000000000259", "is paid, then disputed as fraudulent", afterwards="dispute"),
    Card(
        "createDisputeProductNotReceived",
        "4000000000002685",
        "is paid, then disputed as never received",
        afterwards="not_received",
    ),
    Card("createDisputeInquiry", "4000000000001976", "is paid, then inquired about", afterwards="inquiry"),
    Card("fraudWarning", "4000000000005423", "is paid, then a fraud warning comes", afterwards="fraud_warning"),
    Card("refundFail", "4000000000005126", "is paid; its refund fails later", afterwards="refund_fails"),
    Card("pendingRefund", "4000000000007726", "is paid; its refund is pending at first", afterwards="refund_waits"),
)
# Visa cards of other countries, which are paid (https://docs.stripe.com/testing#international-cards).
ABROAD = (
    "ar 4000000320000021 br 4000000760000002 ca 4000001240000000 cl 4000001520000001 co 4000001700000003 "
    "cr 4000001880000005 ec 4000002180000000 mx 4000004840008001 pa 4000005910000000 py 4000006000000066 "
    "pe 4000006040000068 uy 4000008580000003 ae 4000007840000001 at 4000000400000008 be 4000000560000004 "
    "bg 4000001000000000 by 4000001120000005 hr 4000001910000009 cy 4000001960000008 cz 4000002030000002 "
    "dk 4000002080000001 ee 4000002330000009 fi 4000002460000001 fr 4000002500000003 de 4000002760000016 "
    "gi 4000002920000005 gr 4000003000000030 hu 4000003480000005 ie 4000003720000005 it 4000003800000008 "
    "lv 4000004280000005 li 4000004380000004 lt 4000004400000000 lu 4000004420000006 mt 4000004700000007 "
    "nl 4000005280000002 no 4000005780000007 pl 4000006160000005 pt 4000006200000007 ro 4000006420000001 "
    "sa 4000006820000007 si 4000007050000006 sk 4000007030000001 es 4000007240000007 se 4000007520000008 "
    "ch 4000007560000009 gb 4000008260000000 au 4000000360000006 cn 4000001560000002 hk 4000003440000004 "
    "in 4000003560000008 jp 4000003920000003 my 4000004580000002 nz 4000005540000008 sg 4000007020000003 "
    "tw 4000001580000008 th 4000007640000003"
).split()
FOREIGN = [Card("gb_debit", "4000058260000005", "is paid", country="GB", funding="debit")]
FOREIGN += [
    Card(name, number, "is paid", country=name.upper()) for name, number in zip(ABROAD[::2], ABROAD[1::2], strict=True)
]
BY_TOKEN = {card.token: card for card in (*CARDS, *FOREIGN)}
BY_NUMBER = {card.number: card for card in (*CARDS, *FOREIGN)}
ALIASES = {
    "createIssuerFraudRecord": "fraudWarning",
    "threeDSecureRequired": "authenticationRequired",
    "amex_threeDSecureNotSupported": "amex",
    "threeDSecure2Required": "authenticationRequired",
    "threeDSecureOptional": "visa",
    "us": "visa",
}
# Checks of addresses and CVCs, Radar and the moment at which money is available are not imitated.
NOT_COVERED = (
    "avsFail avsLine1Fail avsUnchecked avsZipFail bypassPending bypassPendingInternational createMultiplicityDispute "
    "cvcCheckFail radarBlock riskLevelElevated riskLevelHighest threeDSecureRequiredChargeDeclined"
).split()

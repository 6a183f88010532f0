"""This module knows the test bank accounts, and what each does when it is debited.

Sources: Stripe's pages on testing SEPA, ACH and Bacs debits (https://docs.stripe.com/testing). At Stripe they answer at
once or after three minutes; here as the setting `debit_days` says, and no sooner than Stripe's.
"""

from dataclasses import dataclass

from ..errors import invalid, missing_resource, not_covered

SEPA, ACH, BACS = "sepa_debit", "us_bank_account", "bacs_debit"
CURRENCIES = {SEPA: "eur", ACH: "usd", BACS: "gbp"}
ROUTING_NUMBER, SORT_CODE = "110000000", "108800"
DELAY = 180


@dataclass(frozen=True)
class Account:
    """This says how a test account behaves. `code` says why its debits fail, if they do; `answers` says whether its
    bank ever answers by itself."""

    kind: str
    token: str
    number: str
    does: str
    code: str = ""
    delay: int = 0
    afterwards: str = ""
    answers: bool = True
    is_refused: bool = False

    # A debit is neither declined when it is saved nor confirmed by 3D Secure.
    decline = ""
    authentication = ""

    @property
    def later_decline(self) -> str:
        return self.code

    @property
    def last4(self) -> str:
        return self.number[-4:]

    @property
    def country(self) -> str:
        return self.number[:2] if self.kind == SEPA else {ACH: "US", BACS: "GB"}[self.kind]


_IBANS = {
    "AT": "AT611904300234573201 AT321904300235473204 AT861904300235473202 AT051904300235473205 AT591904300235473203 "
    "AT981904300000343434 AT601904300000121212 AT981904300002222227",
    "BE": "BE62510007547061 BE78510007547064 BE68539007547034 BE51510007547065 BE08510007547063 BE90510000343434 "
    "BE52510000121212 BE90510002222227",
    "DE": "DE89370400440532013000 DE08370400440532013003 DE62370400440532013001 DE78370400440532013004 "
    "DE35370400440532013002 DE65370400440000343434 DE27370400440000121212 DE65370400440002222227",
    "FR": "FR1420041010050500013M02606 FR3020041010050500013M02609 FR8420041010050500013M02607 "
    "FR7920041010050500013M02600 FR5720041010050500013M02608 FR9720041010050000000343434 "
    "FR5920041010050000000121212 FR9720041010050000002222227",
    "IE": "IE29AIBK93115212345678 IE24AIBK93115212345671 IE02AIBK93115212345679 IE94AIBK93115212345672 "
    "IE51AIBK93115212345670 IE10AIBK93115200343434 IE69AIBK93115200121212 IE10AIBK93115202222227",
}
_SEPA_SCENARIOS: tuple[tuple[str, str, str, int, str], ...] = (
    ("success", "is paid", "", 0, ""),
    ("successDelayed", "is paid, after three minutes at least", "", DELAY, ""),
    ("failed", "fails", "generic_could_not_process", 0, ""),
    ("failedDelayed", "fails, after three minutes at least", "generic_could_not_process", DELAY, ""),
    ("disputed", "is paid, then disputed", "", 0, "dispute"),
    ("exceedsWeeklyVolumeLimit", "is over its weekly amount", "charge_exceeds_source_limit", 0, ""),
    ("exceedsWeeklyTransactionLimit", "is over its weekly number", "charge_exceeds_weekly_limit", 0, ""),
    ("insufficientFunds", "has no funds", "insufficient_funds", 0, ""),
)
NOT_DEBITED = {
    **dict.fromkeys(("AT271904300000055555", "BE19510000055555", "DE91370400440000055555",
                     "FR2620041010050000000055555", "IE36AIBK93115200055555"), "sepa_debit_bank_not_supported"),
    **dict.fromkeys(("AT511904300000066666", "BE43510000066666", "DE18370400440000066666",
                     "FR5020041010050000000066666", "IE60AIBK93115200066666"), "sepa_debit_debits_not_supported"),
}  # fmt: skip


def _sepa() -> tuple[Account, ...]:
    return tuple(
        Account(SEPA, f"sepaDebit_{name}_{country.lower()}", iban, does, code, delay, after)
        for country, ibans in _IBANS.items()
        for iban, (name, does, code, delay, after) in zip(ibans.split(), _SEPA_SCENARIOS, strict=True)
    )


def _ach(name: str, number: str, does: str, code: str = "", afterwards: str = "", answers: bool = True) -> Account:
    return Account(ACH, f"usBankAccount_{name}", number, does, code, 0, afterwards, answers)


def _bacs(name: str, number: str, does: str, code: str = "", delay: int = 0, afterwards: str = "") -> Account:
    return Account(
        BACS, f"bacsDebit_{name}", number, does, code, delay, afterwards, is_refused=name == "mandateRefused"
    )


ACCOUNTS = (
    *_sepa(),
    _ach("success", "000123456789", "is paid"),
    _ach("accountClosed", "000111111113", "is closed", "account_closed"),
    _ach("noAccount", "000111111116", "is found nowhere", "no_account"),
    _ach("insufficientFunds", "000222222227", "has no funds", "insufficient_funds"),
    _ach("debitNotAuthorized", "000333333335", "allows no debits", "debit_not_authorized"),
    _ach("invalidCurrency", "000444444440", "is in another currency", "invalid_currency"),
    _ach("dispute", "000555555559", "is paid, then disputed", afterwards="dispute"),
    _ach("processing", "000000000009", "stays in processing", answers=False),
    _ach("weeklyLimitExceeded", "000777777771", "is over its weekly amount", "charge_exceeds_weekly_limit"),
    _bacs("success", "00012345", "is paid"),
    _bacs("successDelayed", "90012345", "is paid, after three minutes at least", delay=DELAY),
    _bacs("debitNotAuthorized", "33333335", "allows no debits", "debit_not_authorized"),
    _bacs("debitNotAuthorizedDelayed", "93333335", "allows no debits, says so later", "debit_not_authorized", DELAY),
    _bacs("insufficientFunds", "22222227", "has no funds", "insufficient_funds"),
    _bacs("insufficientFundsDelayed", "92222227", "has no funds, says so later", "insufficient_funds", DELAY),
    _bacs("dispute", "55555559", "is paid, then disputed", delay=DELAY, afterwards="dispute"),
    _bacs("mandateRefused", "00033333", "has its mandate refused"),
)
BY_TOKEN = {account.token: account for account in ACCOUNTS}
BY_NUMBER = {(account.kind, account.number): account for account in ACCOUNTS}
PREFIXES = ("pm_sepaDebit_", "pm_usBankAccount_", "pm_bacsDebit_")
UNCOVERED = ("pm_usBankAccount_failMicrodeposits", "pm_usBankAccount_riskLevelHighest")

MESSAGES = {
    "account_closed": "The customer's bank account has been closed.",
    "charge_exceeds_source_limit": "This payment exceeds the weekly amount that may be debited from this account.",
    "charge_exceeds_weekly_limit": "This payment exceeds the weekly limit of this account.",
    "debit_not_authorized": "The customer has notified their bank that this payment was unauthorized.",
    "generic_could_not_process": "The payment could not be processed by the customer's bank.",
    "insufficient_funds": "The customer's account has insufficient funds to cover this payment.",
    "invalid_currency": "The bank was unable to process this payment because of its currency.",
    "no_account": "The customer's bank account could not be located.",
}
IN_ERRORS = (
    "account_closed",
    "charge_exceeds_source_limit",
    "debit_not_authorized",
    "insufficient_funds",
    "no_account",
)
FINAL = ("account_closed", "debit_not_authorized", "no_account")


def by_token(token: str, param: str) -> Account:
    """Find a test account by the name that Stripe gave it, like `pm_sepaDebit_success_de`."""
    if token in UNCOVERED:
        raise not_covered(f"{param}={token}")
    account = BY_TOKEN.get(token.removeprefix("pm_"))
    if account is None:
        raise missing_resource("payment_method", token, param)
    return account


def by_number(kind: str, number: str, param: str) -> Account:
    written = number.replace(" ", "").replace("-", "").upper()
    if code := NOT_DEBITED.get(written):
        raise invalid("This bank account cannot be debited by SEPA Direct Debit.", param, code)
    account = BY_NUMBER.get((kind, written))
    if account is None:
        code = "invalid_bank_account_iban" if kind == SEPA else "account_number_invalid"
        raise invalid("This account number is invalid. The sandbox knows its test accounts only.", param, code)
    return account


def of_currency(currency: str | None) -> list[Account]:
    """Return the test accounts of one country that can be debited in this currency."""
    fitting = [account for account in ACCOUNTS if CURRENCIES[account.kind] == currency]
    return [account for account in fitting if account.kind != SEPA or account.country == "DE"]


def refusal(code: str) -> dict[str, str]:
    """Return the error of a debit that failed, as it stands in `last_payment_error`."""
    shown = code if code in IN_ERRORS else "payment_intent_payment_attempt_failed"
    return {"type": "invalid_request_error", "code": shown, "message": MESSAGES[code]}

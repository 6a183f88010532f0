"""Bank accounts are payment methods: SEPA, ACH and Bacs debits, and the mandates under which they are debited."""

import hashlib
from typing import Any

from ..books import debiting, debits, mandates
from ..books.debits import ACH, BACS, CURRENCIES, SEPA, Account
from ..errors import invalid, missing_parameter, not_covered
from ..http.contract import Params
from ..http.routing import api
from ..store import Object, State

COVERED = (
    "sepa_debit.iban us_bank_account.account_number us_bank_account.routing_number us_bank_account.account_type "
    "us_bank_account.account_holder_type bacs_debit.account_number bacs_debit.sort_code"
)
ACCEPTED = (
    "mandate_data.customer_acceptance.type mandate_data.customer_acceptance.accepted_at "
    "mandate_data.customer_acceptance.offline mandate_data.customer_acceptance.online.ip_address "
    "mandate_data.customer_acceptance.online.user_agent"
)
NEEDED = {SEPA: ("iban",), ACH: ("account_holder_type", "account_number", "routing_number"),
          BACS: ("account_number", "sort_code")}  # fmt: skip
HOLDER = {SEPA: ("name", "email"), ACH: ("name",), BACS: ("name", "email", "address")}
NUMBERS = {SEPA: "iban", ACH: "account_number", BACS: "account_number"}
BANKS = {ACH: ("routing_number", debits.ROUTING_NUMBER), BACS: ("sort_code", debits.SORT_CODE)}


def entered(kind: str, params: Params) -> Account:
    """Find the test account of a request's numbers; refuse a request that lacks what Stripe needs."""
    given, holder = params.get(kind) or {}, params.get("billing_details") or {}
    for name in NEEDED[kind]:
        if not given.get(name):
            raise missing_parameter(f"{kind}[{name}]")
    for name in HOLDER[kind]:
        if not holder.get(name):
            raise missing_parameter(f"billing_details[{name}]")
    _check_bank(kind, given)
    return debits.by_number(kind, given[NUMBERS[kind]], f"{kind}[{NUMBERS[kind]}]")


def _check_bank(kind: str, given: dict[str, Any]) -> None:
    name, known = BANKS.get(kind, ("", ""))
    if name and given[name].replace("-", "") != known:
        code = "routing_number_invalid" if kind == ACH else "sort_code_invalid"
        raise invalid(f"The sandbox knows one test {name}: {known}.", f"{kind}[{name}]", code)


def shown(account: Account, given: dict[str, Any]) -> Object:
    """Return the object under the name of its kind, as the SDK's types have it."""
    known = {"fingerprint": hashlib.sha256(account.number.encode()).hexdigest()[:16], "last4": account.last4}
    if account.kind == SEPA:
        bank = {"bank_code": account.number[4:12], "branch_code": "", "country": account.country}
        return {**known, **bank, "generated_from": {"charge": None, "setup_attempt": None}}
    if account.kind == BACS:
        return {**known, "sort_code": debits.SORT_CODE}
    return {
        **known,
        "account_holder_type": given.get("account_holder_type", "individual"),
        "account_type": given.get("account_type", "checking"),
        "bank_name": "STRIPE TEST BANK",
        "financial_connections_account": None,
        "networks": {"preferred": "ach", "supported": ["ach"]},
        "routing_number": debits.ROUTING_NUMBER,
        "status_details": {},
    }


def check_types(params: Params, currency: str | None) -> None:
    """Refuse all but cards and debits, and a debit in another currency than its own."""
    for name in params.get("payment_method_types") or []:
        if name != "card" and name not in CURRENCIES:
            raise not_covered(f"payment_method_types={name}")
        if name != "card" and currency and CURRENCIES[name] != currency.lower():
            raise debiting.wrong_currency(currency.lower())


def take(state: State, intent: Object, account: Account, params: Params, is_named: bool) -> None:
    """Check, before an intent is confirmed with a bank account, that it fits and that its mandate is there or given."""
    debiting.fit(intent, account.kind, is_named)
    if intent.get("capture_method") == "manual":
        raise invalid(
            f"`capture_method=manual` is not supported for {account.kind}: a debit is not held.", "capture_method"
        )
    method = intent["payment_method"]
    if not params.get("mandate_data") and not mandates.is_usable(mandates.of(state, method)):
        raise mandates.missing("PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent")
    mandates.accept(state, method, account, params.get("mandate_data"))


@api.add("GET", "/v1/mandates/{mandate}", "MandateRetrieveParams")
def retrieve(state: State, mandate: str, params: Params) -> Object:
    return state.get("mandate", mandate)

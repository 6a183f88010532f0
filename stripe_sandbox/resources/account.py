"""These routes answer about the account itself."""

from typing import Any

from ..http.blanks import blank, embedded_list
from ..http.contract import Params
from ..http.listing import of_list
from ..http.routing import api
from ..store import Object, State

ACCOUNT = "acct_1SandboxSandbox"
NOTE = "account"
REQUIREMENTS: dict[str, Any] = {
    "alternatives": [],
    "current_deadline": None,
    "currently_due": [],
    "disabled_reason": None,
    "errors": [],
    "eventually_due": [],
    "past_due": [],
    "pending_verification": [],
}
SETTINGS = {
    "bacs_debit_payments": {"display_name": None, "service_user_number": None},
    "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
    "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
    "card_payments": {
        "decline_on": {"avs_failure": False, "cvc_failure": False},
        "statement_descriptor_prefix": None,
        "statement_descriptor_prefix_kana": None,
        "statement_descriptor_prefix_kanji": None,
    },
    "dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"},
    "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
    "payments": {
        "statement_descriptor": "SANDBOX",
        "statement_descriptor_kana": None,
        "statement_descriptor_kanji": None,
        "statement_descriptor_prefix_kana": None,
        "statement_descriptor_prefix_kanji": None,
    },
    "payouts": {
        "debit_negative_balances": True,
        "schedule": {"delay_days": 2, "interval": "daily"},
        "statement_descriptor": None,
    },
    "sepa_debit_payments": {},
}
PROFILE = dict.fromkeys(
    "annual_revenue estimated_worker_count mcc minority_owned_business_designation product_description support_address "
    "support_email support_phone support_url url".split()
)


def id_of(state: State) -> str:
    """Return the id of the account that this Stripe is; a reset may name another."""
    return str(state.notes.get(NOTE, {}).get("id", ACCOUNT))


def account_of(state: State) -> Object:
    identifier = id_of(state)
    row = state.find("account", identifier)
    if row is not None:
        return row
    return state.put(
        blank(
            "account",
            identifier,
            business_profile={**PROFILE, "name": "Sandbox"},
            capabilities={"card_payments": "active", "transfers": "active"},
            charges_enabled=True,
            controller={"type": "account"},
            country="US",
            created=state.now(),
            default_currency="usd",
            details_submitted=True,
            email="sandbox@example.com",
            external_accounts=embedded_list(f"/v1/accounts/{identifier}/external_accounts", []),
            future_requirements=dict(REQUIREMENTS),
            metadata={},
            payouts_enabled=True,
            requirements=dict(REQUIREMENTS),
            settings=SETTINGS,
            tos_acceptance={"date": None, "ip": None, "user_agent": None},
            type="standard",
        )
    )


@api.add("GET", "/v1/account", "AccountRetrieveCurrentParams")
def current(state: State, params: Params) -> Object:
    return account_of(state)


@api.add("GET", "/v1/accounts/{account}", "AccountRetrieveParams")
def retrieve(state: State, account: str, params: Params) -> Object:
    account_of(state)
    return state.get("account", account)


@api.add("GET", "/v1/accounts", "AccountListParams", "created")
def list_all(state: State, params: Params) -> Object:
    """Answer with an empty list: there are no connected accounts."""
    return of_list([], params, "/v1/accounts")

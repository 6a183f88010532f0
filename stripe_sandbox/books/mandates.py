"""A mandate says that a customer lets a bank account be debited, and whether the bank still does.

Sources: the SDK's types, and on disputes that revoke one
https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment.
"""

from typing import Any

from ..errors import ApiError, invalid
from ..events import recorded
from ..store import Object, State
from .debits import ACH, BACS, Account
from .due import job

REASONS = {"account_closed": "account_closed", "debit_not_authorized": "debit_not_authorized"}
CODE = "payment_intent_mandate_invalid"
MISSING = (
    "This {what} requires a mandate, but no existing mandate was found. Collect mandate acceptance from the customer "
    "and try again, providing acceptance data in the mandate_data parameter."
)


def of(state: State, method: str) -> Object | None:
    """Find the latest mandate of a payment method."""
    return state.find("mandate", state.notes.get(method, {}).get("mandate"))


def is_usable(mandate: Object | None) -> bool:
    return mandate is not None and mandate["status"] != "inactive"


def accept(state: State, method: str, account: Account, given: dict[str, Any] | None = None) -> Object:
    """Return the mandate under which the account is debited; make a new one if none is valid."""
    known = of(state, method)
    if known is not None and is_usable(known):
        return known
    made = state.put(_document(state, method, account, (given or {}).get("customer_acceptance") or {}))
    state.note(method)["mandate"] = made["id"]
    if account.kind == BACS:
        state.schedule(state.now(), "mandate_answered", made["id"], "refused" if account.is_refused else "accepted")
    return made


def missing(what: str, **details: Any) -> ApiError:
    """Refuse a PaymentIntent or SetupIntent (`what`) that needs a mandate, in Stripe's words."""
    code = CODE if what == "PaymentIntent" else "setup_intent_mandate_invalid"
    return invalid(MISSING.format(what=what), None, code, **details)


def revoke(state: State, method: str, why: str) -> None:
    mandate = of(state, method)
    if mandate is None or mandate["status"] == "inactive":
        return
    with recorded(state, mandate, "mandate.updated"):
        mandate["status"] = "inactive"
        if mandate["payment_method_details"]["type"] == BACS:
            shown = {"network_status": "revoked", "revocation_reason": REASONS.get(why, "could_not_process")}
            mandate["payment_method_details"][BACS].update(shown)


@job
def mandate_answered(state: State, identifier: str, answer: str) -> None:
    """Accept or refuse the mandate of a Bacs debit, as the bank does."""
    mandate = state.get("mandate", identifier)
    if mandate["status"] != "pending":
        return
    with recorded(state, mandate, "mandate.updated"):
        mandate["status"] = "active" if answer == "accepted" else "inactive"
        mandate["payment_method_details"][BACS]["network_status"] = answer


def _document(state: State, method: str, account: Account, given: dict[str, Any]) -> Object:
    identifier = state.new_id("mandate")
    return {
        "id": identifier,
        "object": "mandate",
        "customer_acceptance": _acceptance(state, given),
        "livemode": False,
        "multi_use": {},
        "on_behalf_of": None,
        "payment_method": method,
        "payment_method_details": {"type": account.kind, account.kind: _details(state, identifier, account)},
        "single_use": None,
        "status": "pending" if account.kind == BACS else "active",
        "type": "multi_use",
    }


def _acceptance(state: State, given: dict[str, Any]) -> Object:
    kind = given.get("type", "offline")
    online = given.get("online") or {}
    shown = {"ip_address": online.get("ip_address"), "user_agent": online.get("user_agent")}
    accepted = given.get("accepted_at", state.now())
    return {
        "accepted_at": accepted,
        "offline": {} if kind == "offline" else None,
        "online": shown if kind == "online" else None,
        "type": kind,
    }


def _details(state: State, identifier: str, account: Account) -> Object:
    if account.kind == ACH:
        return {}
    shown = {"reference": identifier[-16:].upper(), "url": f"{state.base_url}/objects/{identifier}"}
    if account.kind == BACS:
        return {**shown, "display_name": None, "network_status": "pending", "revocation_reason": None,
                "service_user_number": None}  # fmt: skip
    return shown

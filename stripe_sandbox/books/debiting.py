"""A bank account is debited: the charge is pending and its intent processing, until the bank says yes or no."""

from ..errors import invalid
from ..events import emit
from ..store import Object, State
from . import charges, debits, mandates
from .debits import ACH, CURRENCIES, Account
from .periods import days

OUTCOME = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "not_assessed",
    "seller_message": "Payment complete.",
    "type": "authorized",
}
OPTIONS = {ACH: {"verification_method": "automatic"}}


def fit(intent: Object, kind: str, is_named: bool) -> None:
    """Refuse a kind of account that the intent does not take; where Stripe chooses the kinds, it is one of them."""
    if CURRENCIES[kind] != intent.get("currency", CURRENCIES[kind]):
        raise wrong_currency(intent["currency"])
    if is_named and kind not in intent["payment_method_types"]:
        raise invalid(
            f"The PaymentMethod provided ({kind}) is not allowed for this {_called(intent)}. Please attach a suitable "
            "PaymentMethod, or update the payment method types on it.",
            "payment_method",
        )
    add(intent, kind)


def wrong_currency(currency: str) -> Exception:
    return invalid(
        f"The currency provided ({currency}) is invalid for one or more payment methods: "
        f"{', '.join(f'{kind} takes {fits}' for kind, fits in CURRENCIES.items())}.",
        "currency",
    )


def _called(intent: Object) -> str:
    return "PaymentIntent" if intent["object"] == "payment_intent" else "SetupIntent"


def add(intent: Object, kind: str) -> None:
    if kind not in intent["payment_method_types"]:
        intent["payment_method_types"] = [*intent["payment_method_types"], kind]
    intent["payment_method_options"] = {**(intent["payment_method_options"] or {}), kind: dict(OPTIONS.get(kind, {}))}


def begin(state: State, intent: Object, method: str, account: Account) -> bool:
    """Hand the debit to the bank, and return whether it took it: it takes none in another currency, or under an ended
    mandate."""
    mandate = mandates.of(state, method)
    if intent["currency"] != CURRENCIES[account.kind]:
        return _stop(state, intent, method, "invalid_currency")
    if mandate is not None and not mandates.is_usable(mandate):
        return _stop(state, intent, method, mandates.CODE)
    mandates.accept(state, method, account)
    add(intent, account.kind)
    charge = charges.make(state, intent, method, account, dict(OUTCOME), status="pending", paid=False, captured=True)
    intent.update(status="processing", next_action=None, last_payment_error=None, latest_charge=charge["id"])
    emit(state, "charge.pending", charge)
    emit(state, "payment_intent.processing", intent)
    if account.answers:
        wait = max(days(state.settings["debit_days"]), account.delay)
        state.schedule(state.now() + wait, "bank_answers", intent["id"], charge["id"])
    return True


def _stop(state: State, intent: Object, method: str, code: str) -> bool:
    error = {"type": "invalid_request_error", "code": mandates.CODE}
    error |= {"message": mandates.MISSING.format(what="PaymentIntent")}
    shown = debits.refusal(code) if code in debits.MESSAGES else error
    intent.update(status="requires_payment_method", next_action=None, payment_method=None)
    intent["last_payment_error"] = {**shown, "payment_method": state.get("payment_method", method)}
    emit(state, "payment_intent.payment_failed", intent)
    return False


def succeed(state: State, intent: Object, account: Account) -> None:
    charge = state.get("charge", intent["latest_charge"])
    charge.update(status="succeeded", paid=True, receipt_url=f"{state.base_url}/i/receipt/{charge['id']}")
    if account.kind == ACH:
        charge["payment_method_details"][ACH]["payment_reference"] = f"0910000{state.made:08d}"
    charges.settle(state, charge)
    intent.update(status="succeeded", amount_received=intent["amount"])
    emit(state, "charge.succeeded", charge)
    emit(state, "payment_intent.succeeded", intent)
    if account.afterwards:
        state.schedule(state.now(), "after_charge", charge["id"], account.afterwards)


def fail(state: State, intent: Object, code: str) -> None:
    charge = state.get("charge", intent["latest_charge"])
    error, method = debits.refusal(code), charge["payment_method"]
    charge.update(status="failed", captured=False, amount_captured=0)
    charge.update(failure_code=code, failure_message=error["message"])
    charge["outcome"] = {**OUTCOME, "network_status": "declined_by_network", "reason": code, "type": "issuer_declined",
                         "seller_message": "The bank did not allow this payment."}  # fmt: skip
    intent.update(status="requires_payment_method", payment_method=None)
    shown = {"charge": charge["id"], "payment_method": state.get("payment_method", method)}
    intent["last_payment_error"] = {**error, **shown}
    emit(state, "charge.failed", charge)
    emit(state, "payment_intent.payment_failed", intent)
    if code in debits.FINAL:
        mandates.revoke(state, method, code)

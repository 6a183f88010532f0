"""These routes serve charges, refunds, disputes, early fraud warnings and balance transactions."""

from ..books import aftermath
from ..errors import ApiError, invalid
from ..events import recorded
from ..http.contract import Params
from ..http.listing import page
from ..http.metadata import merged
from ..http.routing import api
from ..store import Object, State


@api.add("GET", "/v1/charges/{charge}", "ChargeRetrieveParams")
def retrieve(state: State, charge: str, params: Params) -> Object:
    return state.get("charge", charge)


@api.add("GET", "/v1/charges", "ChargeListParams", "created customer payment_intent")
def list_all(state: State, params: Params) -> Object:
    return page(state, "charge", "/v1/charges", params, same="customer payment_intent")


@api.add("POST", "/v1/charges/{charge}", "ChargeUpdateParams", "description metadata receipt_email")
def update(state: State, charge: str, params: Params) -> Object:
    row = state.get("charge", charge)
    with recorded(state, row, "charge.updated"):
        row.update({name: params[name] for name in ("description", "receipt_email") if name in params})
        row["metadata"] = merged(row["metadata"], params)
    return row


@api.add("POST", "/v1/refunds", "RefundCreateParams", "amount charge payment_intent reason metadata")
def create_refund(state: State, params: Params) -> Object:
    charge = _charge_of(state, params)
    if charge["status"] == "succeeded" and not charge["captured"] and "charge" in params:
        raise invalid(
            f"This uncaptured Charge was created by a PaymentIntent ({charge['payment_intent']}). You must cancel the "
            "PaymentIntent to reverse the authorization instead of refunding the Charge directly. For more "
            "information, see https://stripe.com/docs/payments/place-a-hold-on-a-payment-method"
        )
    if charge["status"] != "succeeded" or not charge["captured"]:
        raise _nothing_to_refund(charge["payment_intent"])
    if charge["disputed"] and is_charged_back(state, charge):
        raise invalid(f"Charge {charge['id']} has been charged back; cannot issue a refund.", None, "charge_disputed")
    return aftermath.refund(state, charge, params.get("amount"), params.get("reason"), merged({}, params))


def _charge_of(state: State, params: Params) -> Object:
    if "charge" in params:
        return state.get("charge", params["charge"], "charge")
    if "payment_intent" not in params:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.")
    intent = state.get("payment_intent", params["payment_intent"], "payment_intent")
    if intent["latest_charge"] is None:
        raise _nothing_to_refund(intent["id"])
    return state.get("charge", intent["latest_charge"])


def _nothing_to_refund(intent: str) -> ApiError:
    return invalid(f"This PaymentIntent ({intent}) does not have a successful charge to refund.", "payment_intent")


def is_charged_back(state: State, charge: Object) -> bool:
    disputes = state.table("dispute").where("charge", charge["id"])
    return any(row["status"] in ("needs_response", "under_review", "lost") for row in disputes)


@api.add("GET", "/v1/refunds/{refund}", "RefundRetrieveParams")
def retrieve_refund(state: State, refund: str, params: Params) -> Object:
    return state.get("refund", refund)


@api.add("POST", "/v1/refunds/{refund}", "RefundUpdateParams", "metadata")
def update_refund(state: State, refund: str, params: Params) -> Object:
    row = state.get("refund", refund)
    with recorded(state, row, "refund.updated"):
        row["metadata"] = merged(row["metadata"], params)
    return row


@api.add("POST", "/v1/refunds/{refund}/cancel", "RefundCancelParams")
def cancel_refund(state: State, refund: str, params: Params) -> Object:
    """Cancel a refund that waits for the customer; a card's refund never does."""
    row = state.get("refund", refund)
    raise invalid(f"Refund {refund} is {row['status']}: only one that requires_action can be canceled.")


@api.add("GET", "/v1/refunds", "RefundListParams", "charge created payment_intent")
def list_refunds(state: State, params: Params) -> Object:
    return page(state, "refund", "/v1/refunds", params, same="charge payment_intent")


@api.add("GET", "/v1/charges/{charge}/refunds", "RefundListParams")
def list_refunds_of(state: State, charge: str, params: Params) -> Object:
    state.get("charge", charge)
    return page(state, "refund", f"/v1/charges/{charge}/refunds", {**params, "charge": charge}, same="charge")


@api.add("GET", "/v1/disputes/{dispute}", "DisputeRetrieveParams")
def retrieve_dispute(state: State, dispute: str, params: Params) -> Object:
    return state.get("dispute", dispute)


@api.add("GET", "/v1/disputes", "DisputeListParams", "charge created payment_intent")
def list_disputes(state: State, params: Params) -> Object:
    return page(state, "dispute", "/v1/disputes", params, same="charge payment_intent")


@api.add("POST", "/v1/disputes/{dispute}", "DisputeUpdateParams", "evidence metadata submit")
def update_dispute(state: State, dispute: str, params: Params) -> Object:
    """Keep the evidence, and give it to the bank if it is submitted."""
    row = state.get("dispute", dispute)
    evidence = params.get("evidence") or {}
    if row["status"] not in (*aftermath.OPEN, *aftermath.INQUIRY_OPEN) and params.keys() - {"metadata"}:
        raise invalid(f"The dispute {dispute} is {row['status']}: no evidence is taken any more.", "evidence")
    with recorded(state, row, "charge.dispute.updated"):
        row["evidence"] = {**row["evidence"], **{name: value or None for name, value in evidence.items()}}
        row["metadata"] = merged(row["metadata"], params)
        if evidence:
            row["evidence_details"]["has_evidence"] = True
    if evidence and params.get("submit", True) and "under_review" not in row["status"]:
        aftermath.move_dispute(state, dispute, row["status"].replace("needs_response", "under_review"))
    return row


@api.add("POST", "/v1/disputes/{dispute}/close", "DisputeCloseParams")
def close_dispute(state: State, dispute: str, params: Params) -> Object:
    """Accepting a dispute loses it."""
    return aftermath.move_dispute(state, dispute, "lost")


@api.add("GET", "/v1/radar/early_fraud_warnings/{warning}", "radar.EarlyFraudWarningRetrieveParams")
def retrieve_warning(state: State, warning: str, params: Params) -> Object:
    return state.get("radar.early_fraud_warning", warning)


@api.add("GET", "/v1/radar/early_fraud_warnings", "radar.EarlyFraudWarningListParams", "charge created payment_intent")
def list_warnings(state: State, params: Params) -> Object:
    url = "/v1/radar/early_fraud_warnings"
    return page(state, "radar.early_fraud_warning", url, params, same="charge payment_intent")


@api.add("GET", "/v1/balance_transactions/{transaction}", "BalanceTransactionRetrieveParams")
def retrieve_transaction(state: State, transaction: str, params: Params) -> Object:
    return state.get("balance_transaction", transaction)


@api.add("GET", "/v1/balance_transactions", "BalanceTransactionListParams", "created currency source type")
def list_transactions(state: State, params: Params) -> Object:
    return page(state, "balance_transaction", "/v1/balance_transactions", params, same="currency source type")

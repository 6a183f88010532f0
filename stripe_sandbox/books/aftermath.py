"""A payment may be followed by refunds (also those that fail), disputes, inquiries and fraud warnings."""

from typing import Any

from ..errors import invalid
from ..events import difference, emit, recorded
from ..http.blanks import blank
from ..store import Object, State
from . import cards, charges, mandates, pricing, standing
from .debits import ACH, BACS, SEPA
from .periods import DAY

REFUND_ORDER = ("refund.created", "charge.refunded", "refund.updated", "charge.refund.updated")
DISPUTE_FEE = 1500
REASONS = (
    "bank_cannot_process check_returned credit_not_processed customer_initiated debit_not_authorized duplicate "
    "fraudulent general incorrect_account_details insufficient_funds noncompliant product_not_received "
    "product_unacceptable subscription_canceled unrecognized"
).split()
OPEN = ("needs_response", "under_review")
INQUIRY_OPEN = ("warning_needs_response", "warning_under_review")
CLOSED = ("won", "lost", "warning_closed", "prevented")
TRANSFERS = {ACH: "us_bank_transfer", BACS: "gb_bank_transfer", SEPA: "eu_bank_transfer"}
DEBIT_REFUND = 3 * DAY
WAIT = 60
EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal "
    "customer_communication customer_email_address customer_name customer_purchase_ip customer_signature "
    "duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt "
    "refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation "
    "shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number "
    "uncategorized_file uncategorized_text"
).split()


def refund(state: State, charge: Object, amount: int | None, reason: str | None, metadata: dict[str, str]) -> Object:
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise invalid(f"Charge {charge['id']} has already been refunded.", None, "charge_already_refunded")
    amount = left if amount is None else amount
    if amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount", "parameter_invalid_integer")
    if amount > left:
        asked, there = (pricing.shown(each, charge["currency"]) for each in (amount, left))
        bound = "unrefunded amount on charge" if charge["amount_refunded"] else "charge amount"
        raise invalid(f"Refund amount ({asked}) is greater than {bound} ({there})", "amount")
    made = state.put(_refund(state, charge, amount, reason, metadata))
    made["balance_transaction"] = charges.book(state, made, -amount, "refund", "refund")["id"]
    emit(state, "refund.created", made)
    with recorded(state, charge, "charge.refunded"):
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    is_debit = charge["payment_method_details"]["type"] in TRANSFERS
    wait = DEBIT_REFUND if is_debit else WAIT if made["status"] == "pending" else 0
    state.schedule(state.now() + wait, "refund_arrives", made["id"], urgency=1)
    if _fate(state, charge) == "refund_fails":
        state.schedule(state.now(), "refund_fails", made["id"])
    return made


def _fate(state: State, charge: Object) -> str:
    return cards.of_method(state, charge["payment_method"]).afterwards


def arrive(state: State, identifier: str) -> None:
    """Complete a refund: the bank's reference comes a moment after the answer, or days later, with the money of a
    debit."""
    made = state.get("refund", identifier)
    if made["status"] == "failed":
        return
    before = {name: made[name] for name in ("destination_details", "status")}
    made.update(status="succeeded", destination_details=_destination(_kind(state, made), f"4{state.made:015d}"))
    previous = difference(before, {name: made[name] for name in before})
    emit(state, "refund.updated", made, previous)
    emit(state, "charge.refund.updated", made, previous)


def _kind(state: State, row: Object) -> str:
    """Return how the charge of a refund or dispute was paid."""
    return str(state.get("charge", row["charge"])["payment_method_details"]["type"])


def _destination(kind: str, reference: str | None) -> Object:
    status = "available" if reference else "pending"
    if kind in TRANSFERS:
        return {TRANSFERS[kind]: {"reference": reference, "reference_status": status}, "type": TRANSFERS[kind]}
    card = {"reference_status": status, "reference_type": "acquirer_reference_number", "type": "refund"}
    return {"card": {**card, "reference": reference} if reference else card, "type": "card"}


def _refund(state: State, charge: Object, amount: int, reason: str | None, metadata: dict[str, str]) -> Object:
    kind = charge["payment_method_details"]["type"]
    return blank(
        "refund",
        state.new_id("re" if kind == "card" else "pyr"),
        amount=amount,
        charge=charge["id"],
        created=state.now(),
        currency=charge["currency"],
        destination_details=_destination(kind, None),
        metadata=metadata,
        payment_intent=charge["payment_intent"],
        reason=reason,
        status="pending" if kind != "card" or _fate(state, charge) == "refund_waits" else "succeeded",
    )


def fail_refund(state: State, identifier: str, reason: str = "unknown") -> Object:
    """Fail a refund: the bank sends the money back, and the charge is as if the refund had not been made."""
    made = state.get("refund", identifier)
    if made["status"] not in ("succeeded", "pending"):
        raise invalid(f"The refund {identifier} is {made['status']}: only one that succeeded or is pending can fail.")
    charge = state.get("charge", made["charge"])
    previous = {"status": made["status"]}
    undone = charges.book(state, made, made["amount"], "refund_failure", "refund_failure")
    made.update(status="failed", failure_reason=reason, failure_balance_transaction=undone["id"])
    charge["amount_refunded"] -= made["amount"]
    charge["refunded"] = False
    emit(state, "refund.failed", made)
    emit(state, "refund.updated", made, previous)
    emit(state, "charge.refund.updated", made, previous)
    return made


def open_dispute(state: State, charge_id: str, reason: str | None = None, inquiry: bool = False) -> Object:
    """Open a dispute; that of a debit is lost at once, and the account's mandate ends."""
    charge = state.get("charge", charge_id, "charge")
    is_debit = charge["payment_method_details"]["type"] in TRANSFERS
    reason = reason or ("debit_not_authorized" if is_debit else "fraudulent")
    if not charge["paid"] or not charge["captured"]:
        raise invalid(f"The charge {charge_id} was not paid: it cannot be disputed.", "charge")
    if is_debit and (inquiry or charge["disputed"]):
        raise invalid(
            f"The charge {charge_id} is a bank debit: it can be disputed once, and not inquired about.", "charge"
        )
    if reason not in REASONS:
        raise invalid(f"Invalid reason: must be one of {', '.join(REASONS)}", "reason")
    made = state.put(_dispute(state, charge, reason, inquiry))
    charge["disputed"] = True
    if inquiry:
        emit(state, "charge.dispute.created", made)
    else:
        _withdraw(state, made)
        emit(state, "charge.dispute.created", made)
        emit(state, "charge.dispute.funds_withdrawn", made)
    if is_debit:
        emit(state, "charge.dispute.closed", made)
        mandates.revoke(state, charge["payment_method"], reason)
    if state.settings["cancel_on_dispute"] and not inquiry:
        _cancel_disputed(state, charge)
    return made


def _cancel_disputed(state: State, charge: Object) -> None:
    """Cancel the subscription of a disputed payment, if the account's settings say so."""
    for sub in state.table("subscription").where("customer", charge["customer"]):
        if not standing.is_over(sub):
            standing.end(state, sub, "payment_disputed")


def _withdraw(state: State, dispute: Object) -> None:
    _move(state, dispute, -dispute["amount"], DISPUTE_FEE)


def _move(state: State, dispute: Object, amount: int, fee: int) -> None:
    category = "dispute" if amount < 0 else "dispute_reversal"
    moved = charges.book(state, dispute, amount, "adjustment", category, fee)
    moved["description"] = f"Chargeback {'withdrawal' if amount < 0 else 'reversal'} for {dispute['charge']}"
    dispute["balance_transactions"].append(moved)


def _dispute(state: State, charge: Object, reason: str, inquiry: bool) -> Object:
    evidence: dict[str, Any] = dict.fromkeys(EVIDENCE)
    evidence["enhanced_evidence"] = {}
    evidence["customer_email_address"] = charge["billing_details"]["email"]
    details = {
        "due_by": state.now() + 14 * DAY,
        "enhanced_eligibility": {},
        "has_evidence": False,
        "past_due": False,
        "submission_count": 0,
    }
    return blank(
        "dispute",
        state.new_id("du"),
        amount=charge["amount_captured"],
        balance_transactions=[],
        charge=charge["id"],
        created=state.now(),
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence=evidence,
        evidence_details=details,
        is_charge_refundable=inquiry,
        livemode=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        payment_method_details=_disputed_by(charge, inquiry),
        reason=reason,
        status=_first_status(charge, inquiry),
    )


def _disputed_by(charge: Object, inquiry: bool) -> Object | None:
    if charge["payment_method_details"]["type"] != "card":
        return None
    brand, kind = charge["payment_method_details"]["card"]["brand"], "inquiry" if inquiry else "chargeback"
    return {
        "card": {"brand": brand, "case_type": kind, "network": brand, "network_reason_code": "10.4"},
        "type": "card",
    }


def _first_status(charge: Object, inquiry: bool) -> str:
    if charge["payment_method_details"]["type"] in TRANSFERS:
        return "lost"
    return "warning_needs_response" if inquiry else "needs_response"


def move_dispute(state: State, identifier: str, status: str, returned: int = 0) -> Object:
    """Move a dispute to another status; won, lost and warning_closed close it, won gives the money back. Of a lost one
    a part may be `returned`: Stripe's dashboard calls it partially won.
    """
    dispute = state.get("dispute", identifier)
    allowed = _next_statuses(dispute["status"])
    if status not in allowed:
        known = f"it can become {', '.join(allowed)}" if allowed else "it is closed"
        raise invalid(f"The dispute {identifier} is {dispute['status']}: {known}.", "status")
    if returned and not (status == "lost" and 0 < returned < dispute["amount"]):
        raise invalid("Only of a lost dispute, and only a part, can be returned besides a won one.", "returned")
    before = dispute["status"]
    dispute["status"] = status
    if status in ("under_review", "warning_under_review"):
        dispute["evidence_details"].update(has_evidence=True, submission_count=1)
    if status == "needs_response":
        _withdraw(state, dispute)
    if status == "won":
        _move(state, dispute, dispute["amount"], -DISPUTE_FEE)
    if returned:
        _move(state, dispute, returned, 0)
    emit(state, "charge.dispute.updated", dispute, {"status": before})
    if status == "needs_response":
        emit(state, "charge.dispute.funds_withdrawn", dispute)
    if status == "won" or returned:
        emit(state, "charge.dispute.funds_reinstated", dispute)
    if status in CLOSED:
        dispute["is_charge_refundable"] = status == "warning_closed"
        emit(state, "charge.dispute.closed", dispute)
    return dispute


def _next_statuses(status: str) -> tuple[str, ...]:
    if status in OPEN:
        return tuple(s for s in ("under_review", "won", "lost") if s != status)
    if status in INQUIRY_OPEN:
        return tuple(s for s in ("warning_under_review", "warning_closed", "needs_response") if s != status)
    return ()


def warn_of_fraud(state: State, charge_id: str) -> Object:
    charge = state.get("charge", charge_id, "charge")
    warning = state.put(
        blank(
            "radar.early_fraud_warning",
            state.new_id("issfr"),
            actionable=not charge["refunded"] and not charge["disputed"],
            charge=charge["id"],
            created=state.now(),
            fraud_type="made_with_stolen_card",
            livemode=False,
            payment_intent=charge["payment_intent"],
        )
    )
    emit(state, "radar.early_fraud_warning.created", warning)
    return warning

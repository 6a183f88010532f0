"""These functions draw up charges, and book the movements of the account's balance that they bring."""

from typing import Any

from ..events import recorded
from ..http.blanks import blank
from ..store import Object, State
from . import pricing
from .cards import Card, Means
from .debits import ACH, BACS, SEPA, Account
from .periods import DAY

HELD = 7 * DAY
ACCOUNT_DETAILS = {
    SEPA: ("bank_code", "branch_code", "country", "fingerprint", "last4"),
    ACH: ("account_holder_type", "account_type", "bank_name", "fingerprint", "last4", "routing_number"),
    BACS: ("fingerprint", "last4", "sort_code"),
}


def make(state: State, intent: Object, method: str, means: Means, outcome: Object, **values: Any) -> Object:
    identifier = state.new_id("py" if isinstance(means, Account) else "ch")
    paid = values["paid"]
    holder = state.get("payment_method", method)
    return state.put(
        blank(
            "charge",
            identifier,
            **{
                "amount": intent["amount"],
                "amount_captured": intent["amount"] if values["captured"] else 0,
                "amount_refunded": 0,
                "billing_details": holder["billing_details"],
                "calculated_statement_descriptor": "SANDBOX",
                "created": state.now(),
                "currency": intent["currency"],
                "customer": intent["customer"],
                "description": intent["description"],
                "disputed": False,
                "fraud_details": {},
                "livemode": False,
                "metadata": {},
                "outcome": outcome,
                "payment_intent": intent["id"],
                "payment_method": method,
                "payment_method_details": _details(state, intent, holder, means, paid and not values["captured"]),
                "radar_options": {},
                "receipt_url": f"{state.base_url}/i/receipt/{identifier}" if paid else None,
                "refunded": False,
                "shipping": intent["shipping"],
                **values,
            },
        )
    )


def _details(state: State, intent: Object, holder: Object, means: Means, is_held: bool) -> Object:
    if isinstance(means, Account):
        return {means.kind: _account_details(state, holder, means), "type": means.kind}
    return {"card": _card_details(state, intent, holder, means, is_held), "type": "card"}


def _account_details(state: State, holder: Object, account: Account) -> Object:
    """Return the details of the bank account, and the mandate under which it is debited."""
    names = ACCOUNT_DETAILS[account.kind]
    shown = {name: holder[account.kind][name] for name in names}
    more = {"payment_reference": None} if account.kind == ACH else {}
    return {**shown, **more, "expected_debit_date": None, "mandate": state.notes[holder["id"]]["mandate"]}


def _card_details(state: State, intent: Object, method: Object, card: Card, is_held: bool) -> Object:
    shown = method["card"]
    return {
        **({"capture_before": state.now() + HELD} if is_held else {}),
        "amount_authorized": intent["amount"],
        "authorization_code": f"{state.made % 1_000_000:06d}",
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": card.country,
        "exp_month": shown["exp_month"],
        "exp_year": shown["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": shown["fingerprint"],
        "funding": card.funding,
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.last4,
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": f"{state.made:015d}",
        "overcapture": {"maximum_amount_capturable": intent["amount"], "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "transaction_link_id": None,
        "wallet": None,
    }


def capture(state: State, intent: Object, charge: Object, amount: int) -> None:
    """Take a held amount, or a part of it; the rest is let go as a refund that moves no money."""
    with recorded(state, charge, "charge.captured"):
        charge.update(captured=True, amount_captured=amount)
        if amount < charge["amount"]:
            charge["amount_refunded"] = charge["amount"] - amount
        settle(state, charge)


def release(state: State, charge: Object, said: str = "charge.refunded") -> None:
    """Let a held amount go that was not taken."""
    with recorded(state, charge, said):
        charge.update(refunded=True, amount_refunded=charge["amount"])


def settle(state: State, charge: Object) -> None:
    """Book the captured amount, less Stripe's fee, on the account's balance."""
    amount = charge["amount_captured"]
    fee = fee_of(charge["payment_method_details"]["type"], amount)
    charge["balance_transaction"] = book(state, charge, amount, "charge", "charge", fee)["id"]


def fee_of(kind: str, amount: int) -> int:
    """Return the fee that Stripe's price list asks for a charge."""
    if kind == SEPA:
        return 35
    if kind == ACH:
        return min(pricing.share(amount, 8, 1000), 500)
    if kind == BACS:
        return min(max(pricing.share(amount, 1, 100), 20), 200)
    return pricing.share(amount, 29, 1000) + 30


def settle_later(state: State, charge: Object) -> None:
    with recorded(state, charge, "charge.updated"):
        settle(state, charge)


def book(state: State, source: Object, amount: int, kind: str, category: str, fee: int = 0) -> Object:
    """Book a movement of the account's balance."""
    described = {"application": None, "description": "Stripe processing fees", "type": "stripe_fee"}
    fees = [{**described, "amount": fee, "currency": source["currency"]}]
    return state.put(
        blank(
            "balance_transaction",
            state.new_id("txn"),
            amount=amount,
            available_on=state.now() + 2 * 86400,
            balance_type="payments",
            created=state.now(),
            currency=source["currency"],
            description=source.get("description"),
            fee=fee,
            fee_details=fees if fee else [],
            net=amount - fee,
            reporting_category=category,
            source=source["id"],
            status="pending",
            type=kind,
        )
    )

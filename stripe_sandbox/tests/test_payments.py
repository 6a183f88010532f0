"""Refunds and those that fail, disputes and inquiries, fraud warnings, one-off payments."""

from typing import Any

import pytest
import stripe

from .conftest import Control, Receiver, ask


@pytest.fixture
def charge(client: stripe.StripeClient, subscribed: Any) -> stripe.Charge:
    return client.v1.charges.list({"customer": subscribed().customer}).data[0]


def types_since(forwarding: Receiver, control: Control) -> list[str]:
    control("/settle")
    types = forwarding.types()
    forwarding.received.clear()
    return types


def test_partial_refunds_add_up_to_a_full_one(client: stripe.StripeClient, charge: Any) -> None:
    client.v1.refunds.create({"charge": charge.id, "amount": 500})
    partly = client.v1.charges.retrieve(charge.id, {"expand": ["refunds"]})
    assert (partly.amount_refunded, partly.refunded, len(partly.refunds.data)) == (500, False, 1)
    client.v1.refunds.create({"payment_intent": charge.payment_intent})
    fully = client.v1.charges.retrieve(charge.id)
    assert (fully.amount_refunded, fully.refunded) == (2000, True)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_already_refunded"


def test_more_than_was_paid_is_not_refunded(client: stripe.StripeClient, charge: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="greater than"):
        client.v1.refunds.create({"charge": charge.id, "amount": 2001})


def test_a_refund_sends_its_events_and_a_later_failure_undoes_it(
    client: stripe.StripeClient, forwarding: Receiver, control: Control, charge: Any
) -> None:
    types_since(forwarding, control)
    refund = client.v1.refunds.create({"charge": charge.id, "reason": "requested_by_customer"})
    made = ["refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"]
    assert types_since(forwarding, control) == made
    control(f"/refunds/{refund.id}/fail", {"reason": "expired_or_canceled_card"})
    assert types_since(forwarding, control)[:2] == ["refund.failed", "refund.updated"]
    assert client.v1.charges.retrieve(charge.id).amount_refunded == 0
    assert client.v1.refunds.retrieve(refund.id).failure_reason == "expired_or_canceled_card"


def test_the_event_of_a_captured_charge_names_the_movement_of_its_money(
    client: stripe.StripeClient, forwarding: Receiver, control: Control
) -> None:
    held: Any = {"payment_method": "pm_card_visa", "confirm": True, "return_url": "https://example.com/"}
    intent = client.v1.payment_intents.create({"amount": 900, "currency": "usd", "capture_method": "manual", **held})
    client.v1.payment_intents.capture(intent.id)
    control("/settle")
    (captured,) = [event for event in forwarding.events() if event["type"] == "charge.captured"]
    movement = client.v1.balance_transactions.list().data[0]
    assert captured["data"]["object"]["balance_transaction"] == movement.id
    assert captured["data"]["previous_attributes"]["balance_transaction"] is None


def test_the_card_whose_refund_fails(client: stripe.StripeClient, control: Control, subscribed: Any) -> None:
    charge = client.v1.charges.list({"customer": subscribed("pm_card_refundFail").customer}).data[0]
    refund = client.v1.refunds.create({"charge": charge.id})
    control("/advance", {"seconds": 1})
    assert client.v1.refunds.retrieve(refund.id).status == "failed"


def test_a_dispute_takes_the_money_and_winning_brings_it_back(
    client: stripe.StripeClient, forwarding: Receiver, control: Control, charge: Any
) -> None:
    types_since(forwarding, control)
    dispute = control("/disputes", {"charge": charge.id, "reason": "fraudulent"})
    assert types_since(forwarding, control) == ["charge.dispute.created", "charge.dispute.funds_withdrawn"]
    control(f"/disputes/{dispute['id']}", {"status": "under_review"})
    won = control(f"/disputes/{dispute['id']}", {"status": "won"})
    assert types_since(forwarding, control) == [
        "charge.dispute.updated",
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]
    assert sum(moved["amount"] for moved in won["balance_transactions"]) == 0
    assert client.v1.disputes.list({"charge": charge.id}).data[0].status == "won"
    taken = client.v1.balance_transactions.retrieve(won["balance_transactions"][0]["id"])
    assert (taken.amount, taken.fee, taken.net) == (-2000, 1500, -3500)


def test_of_a_lost_dispute_a_part_may_come_back(forwarding: Receiver, control: Control, charge: Any) -> None:
    dispute = control("/disputes", {"charge": charge.id})
    address = f"/disputes/{dispute['id']}"
    for wrong in ({"status": "won", "returned": 800}, {"status": "lost", "returned": 2000}):
        assert control(address, wrong)["error"]["param"] == "returned"
    types_since(forwarding, control)
    lost = control(address, {"status": "lost", "returned": 800})
    assert [moved["amount"] for moved in lost["balance_transactions"]] == [-2000, 800]
    assert "charge.dispute.funds_reinstated" in types_since(forwarding, control)


def test_a_closed_dispute_stays_closed(client: stripe.StripeClient, control: Control, charge: Any) -> None:
    dispute = control("/disputes", {"charge": charge.id})
    assert client.v1.disputes.close(dispute["id"]).status == "lost"
    assert "closed" in control(f"/disputes/{dispute['id']}", {"status": "won"})["error"]["message"]


def test_an_inquiry_moves_no_money(forwarding: Receiver, control: Control, charge: Any) -> None:
    types_since(forwarding, control)
    inquiry = control("/disputes", {"charge": charge.id, "inquiry": True})
    assert (inquiry["status"], inquiry["balance_transactions"]) == ("warning_needs_response", [])
    control(f"/disputes/{inquiry['id']}", {"status": "warning_closed"})
    assert "charge.dispute.funds_withdrawn" not in types_since(forwarding, control)


def test_a_charge_that_is_charged_back_cannot_be_refunded(
    client: stripe.StripeClient, control: Control, charge: Any
) -> None:
    control("/disputes", {"charge": charge.id})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.refunds.create({"charge": charge.id})
    assert refused.value.code == "charge_disputed"


@pytest.mark.parametrize(
    ("card", "kind"),
    [
        ("pm_card_createDispute", "charge.dispute.created"),
        ("pm_card_createDisputeInquiry", "charge.dispute.created"),
        ("pm_card_fraudWarning", "radar.early_fraud_warning.created"),
    ],
)
def test_cards_that_bring_trouble_after_the_payment(
    client: stripe.StripeClient, subscribed: Any, card: str, kind: str
) -> None:
    subscribed(card)
    assert len(client.v1.events.list({"type": kind}).data) == 1


def test_a_card_may_end_in_a_dispute_about_what_was_never_received(
    client: stripe.StripeClient, subscribed: Any
) -> None:
    subscribed("pm_card_createDisputeProductNotReceived")
    assert [row.reason for row in client.v1.disputes.list().data] == ["product_not_received"]


def test_a_refund_may_be_pending_at_first(client: stripe.StripeClient, control: Control) -> None:
    """https://docs.stripe.com/testing#refunds"""
    paid: Any = {"amount": 900, "currency": "usd", "payment_method": "pm_card_pendingRefund", "confirm": True}
    made = client.v1.refunds.create({"payment_intent": client.v1.payment_intents.create(paid).id})
    assert made.status == "pending"
    control("/advance", {"seconds": 120})
    assert client.v1.refunds.retrieve(made.id).status == "succeeded"


@pytest.mark.parametrize(
    ("token", "there", "away"),
    [
        ("authenticationRequired", "requires_action", None),
        ("authenticationRequiredOnSetup", "requires_action", None),
        ("authenticationRequiredSetupForOffSession", "requires_action", "succeeded"),
        ("threeDSecureOptional", "succeeded", "succeeded"),
    ],
)
def test_a_card_asks_for_3d_secure_until_it_is_set_up_as_stripe_says(
    client: stripe.StripeClient, customer: Any, token: str, there: str, away: str | None
) -> None:
    """https://docs.stripe.com/testing#regulatory-cards; None is a decline with `authentication_required`."""
    card = client.v1.payment_methods.attach(f"pm_card_{token}", {"customer": customer.id}).id
    paid: Any = {"amount": 900, "currency": "usd", "payment_method": card, "confirm": True, "customer": customer.id}
    assert client.v1.payment_intents.create(paid).status == there
    if away is None:
        with pytest.raises(stripe.CardError) as refused:
            client.v1.payment_intents.create({**paid, "off_session": True})
        assert refused.value.code == "authentication_required"
    else:
        assert client.v1.payment_intents.create({**paid, "off_session": True}).status == away


@pytest.mark.parametrize("how", ["setup_intent", "setup_future_usage"])
def test_a_card_that_was_set_up_is_charged_while_nobody_is_there(
    client: stripe.StripeClient, control: Control, customer: Any, how: str
) -> None:
    given: Any = {"payment_method": "pm_card_authenticationRequiredOnSetup", "customer": customer.id, "confirm": True}
    paid: Any = {"amount": 900, "currency": "usd"}
    if how == "setup_intent":
        intent: Any = client.v1.setup_intents.create(given)
        control(f"/setup_intents/{intent.id}", {"outcome": "authenticated"})
    else:
        intent = client.v1.payment_intents.create({**paid, **given, "setup_future_usage": "off_session"})
        control(f"/payment_intents/{intent.id}", {"outcome": "authenticated"})
    again: Any = {**paid, **given, "payment_method": intent.payment_method, "off_session": True}
    assert client.v1.payment_intents.create(again).status == "succeeded"


def test_a_card_may_be_declined_after_its_owner_was_authenticated(
    client: stripe.StripeClient, control: Control
) -> None:
    token = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
    paid: Any = {"amount": 900, "currency": "usd", "payment_method": token, "confirm": True}
    intent = client.v1.payment_intents.create(paid)
    assert intent.status == "requires_action"
    control(f"/payment_intents/{intent.id}", {"outcome": "authenticated"})
    after = client.v1.payment_intents.retrieve(intent.id)
    assert (after.status, after.last_payment_error.decline_code) == ("requires_payment_method", "insufficient_funds")


def test_a_fraud_warning_by_hand(client: stripe.StripeClient, control: Control, charge: Any) -> None:
    warning = control("/fraud_warnings", {"charge": charge.id})
    found = client.v1.radar.early_fraud_warnings.retrieve(warning["id"])
    assert (found.actionable, found.payment_intent) == (True, charge.payment_intent)


def test_a_one_off_payment_belongs_to_no_invoice(client: stripe.StripeClient, customer: Any) -> None:
    params: Any = {"amount": 999, "currency": "eur", "customer": customer.id, "payment_method": "pm_card_visa"}
    intent = client.v1.payment_intents.create({**params, "confirm": True})
    asked: Any = {"payment": {"type": "payment_intent", "payment_intent": intent.id}}
    assert (intent.status, client.v1.invoice_payments.list(asked).data) == ("succeeded", [])
    with pytest.raises(stripe.CardError):
        client.v1.payment_intents.create({**params, "confirm": True, "payment_method": "pm_card_chargeDeclined"})


def test_a_charge_unknown_to_the_control_plane_is_a_clear_error(sandbox: Any) -> None:
    status, body = ask(f"{sandbox.url}/_sandbox/disputes", {"charge": "ch_none"})
    assert (status, body["error"]["code"]) == (400, "resource_missing")

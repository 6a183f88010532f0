"""Bank debits by the API: SEPA, ACH and Bacs, from the account to the money, to its refund and its dispute."""

from typing import Any

import pytest
import stripe

from .conftest import Checked, Control, Receiver

DAY = 86_400
ONLINE = {"customer_acceptance": {"type": "online", "online": {"ip_address": "127.0.0.1", "user_agent": "Test"}}}
OFFLINE: Any = {"customer_acceptance": {"type": "offline"}}
KINDS = {
    "sepa_debit": ("eur", "pm_sepaDebit_success_de"),
    "us_bank_account": ("usd", "pm_usBankAccount_success"),
    "bacs_debit": ("gbp", "pm_bacsDebit_success"),
}
HOLDER = {"name": "Ada", "email": "ada@example.com", "address": {"line1": "1 Street", "country": "GB"}}


def debited(client: stripe.StripeClient, token: str = "pm_sepaDebit_success_de", **more: Any) -> stripe.PaymentIntent:
    kind = {"s": "sepa_debit", "u": "us_bank_account", "b": "bacs_debit"}[token[3]]
    wanted: Any = {"amount": 2000, "currency": KINDS[kind][0], "payment_method": token, "confirm": True}
    wanted |= {"payment_method_types": [kind], "mandate_data": ONLINE, **more}
    return client.v1.payment_intents.create(wanted)


def types(sandbox: Checked) -> list[str]:
    return [event["type"] for event in sandbox.events()]


@pytest.mark.parametrize("kind", KINDS)
def test_a_debit_is_processing_until_its_bank_answers_after_some_days(
    client: stripe.StripeClient, control: Control, sandbox: Checked, kind: str
) -> None:
    intent = debited(client, KINDS[kind][1])
    assert (intent.status, intent.amount_received) == ("processing", 0)
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    assert (charge.status, charge.paid, charge.id[:3], charge.balance_transaction) == ("pending", False, "py_", None)
    told = [kind for kind in types(sandbox) if kind != "mandate.updated"]
    assert told == ["payment_intent.created", "charge.pending", "payment_intent.processing"]
    control("/advance", {"seconds": 5 * DAY - 60})
    assert client.v1.payment_intents.retrieve(intent.id).status == "processing"
    control("/advance", {"seconds": 120})
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"
    assert types(sandbox)[-2:] == ["charge.succeeded", "payment_intent.succeeded"]
    charge = client.v1.charges.retrieve(charge.id)
    assert (charge.status, charge.paid, bool(charge.balance_transaction)) == ("succeeded", True, True)


@pytest.mark.parametrize(
    ("token", "code", "ends"),
    [
        ("pm_sepaDebit_failed_at", "generic_could_not_process", False),
        ("pm_sepaDebit_insufficientFunds_fr", "insufficient_funds", False),
        ("pm_usBankAccount_accountClosed", "account_closed", True),
        ("pm_usBankAccount_weeklyLimitExceeded", "charge_exceeds_weekly_limit", False),
        ("pm_bacsDebit_debitNotAuthorizedDelayed", "debit_not_authorized", True),
        ("pm_bacsDebit_insufficientFunds", "insufficient_funds", False),
    ],
)
def test_a_test_account_fails_as_stripe_says_and_some_never_pay_again(
    client: stripe.StripeClient, control: Control, token: str, code: str, ends: bool
) -> None:
    intent = debited(client, token)
    charge = client.v1.charges.retrieve(str(intent.latest_charge))
    details: Any = charge.payment_method_details
    mandate = details[details.type].mandate
    control("/advance", {"seconds": 6 * DAY})
    failed = client.v1.charges.retrieve(charge.id)
    assert (failed.status, failed.failure_code, failed.amount_captured) == ("failed", code, 0)
    after: Any = client.v1.payment_intents.retrieve(intent.id)
    assert (after.status, after.payment_method) == ("requires_payment_method", None)
    assert after.last_payment_error.charge == charge.id
    assert client.v1.mandates.retrieve(mandate).status == ("inactive" if ends else "active")


def test_the_control_plane_answers_for_the_bank(client: stripe.StripeClient, control: Control) -> None:
    paid, failed, other = (debited(client) for _ in range(3))
    assert control(f"/payments/{paid.id}", {"outcome": "succeeded"})["payment_intent"]["status"] == "succeeded"
    control(f"/payments/{failed.id}", {"outcome": "failed", "code": "account_closed"})
    error: Any = client.v1.payment_intents.retrieve(failed.id).last_payment_error
    assert error.code == "account_closed"
    assert client.v1.payment_intents.retrieve(other.id).status == "processing"
    control("/advance", {"seconds": 6 * DAY})
    assert client.v1.payment_intents.retrieve(paid.id).status == "succeeded"
    assert client.v1.payment_intents.retrieve(failed.id).status == "requires_payment_method"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"outcome": "maybe"}, "one of succeeded, failed"),
        ({}, "one of succeeded, failed"),
        ({"outcome": "failed", "code": "stolen_card"}, "Invalid code"),
        ({"outcome": "succeeded", "code": "no_account"}, "has no code"),
    ],
)
def test_an_answer_that_no_bank_gives_is_refused(
    client: stripe.StripeClient, control: Control, given: Any, says: str
) -> None:
    intent = debited(client)
    assert says in control(f"/payments/{intent.id}", given)["error"]["message"]
    assert client.v1.payment_intents.retrieve(intent.id).status == "processing"


def test_only_what_is_processing_waits_for_a_bank(client: stripe.StripeClient, control: Control) -> None:
    wanted: Any = {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    intent = client.v1.payment_intents.create(wanted)
    refused = control(f"/payments/{intent.id}", {"outcome": "failed"})
    assert refused["error"]["code"] == "payment_intent_unexpected_state"


def test_with_no_days_a_bank_answers_at_once_and_a_delayed_account_after_three_minutes(
    client: stripe.StripeClient, control: Control
) -> None:
    control("/settings", {"debit_days": 0})
    soon, later = debited(client), debited(client, "pm_sepaDebit_successDelayed_ie")
    never = debited(client, "pm_usBankAccount_processing")
    assert soon.status == later.status == "processing"
    assert client.v1.payment_intents.retrieve(soon.id).status == "succeeded"
    control("/advance", {"seconds": 120})
    assert client.v1.payment_intents.retrieve(later.id).status == "processing"
    control("/advance", {"seconds": 120})
    assert client.v1.payment_intents.retrieve(later.id).status == "succeeded"
    control("/advance", {"seconds": 90 * DAY})
    assert client.v1.payment_intents.retrieve(never.id).status == "processing"


@pytest.mark.parametrize(
    ("kind", "numbers"),
    [
        ("sepa_debit", {"iban": "DE89 3704 0044 0532 0130 00"}),
        ("us_bank_account", {"account_number": "000123456789", "routing_number": "110000000",
                             "account_holder_type": "company"}),
        ("bacs_debit", {"account_number": "00012345", "sort_code": "10-88-00"}),
    ],
)  # fmt: skip
def test_an_account_is_entered_by_its_numbers(client: stripe.StripeClient, kind: str, numbers: Any) -> None:
    wanted: Any = {"type": kind, kind: numbers, "billing_details": HOLDER}
    method: Any = client.v1.payment_methods.create(wanted)
    assert (method.type, method[kind].last4) == (kind, next(iter(numbers.values())).replace(" ", "")[-4:])
    for name in ("name", *numbers):
        short = {**wanted, kind: {key: value for key, value in numbers.items() if key != name}}
        if name == "name":
            short["billing_details"] = {"email": "ada@example.com"}
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.payment_methods.create(short)
        assert refused.value.code == "parameter_missing"


@pytest.mark.parametrize(
    ("iban", "code"),
    [
        ("DE91370400440000055555", "sepa_debit_bank_not_supported"),
        ("AT511904300000066666", "sepa_debit_debits_not_supported"),
        ("DE00000000000000000000", "invalid_bank_account_iban"),
    ],
)
def test_an_account_that_cannot_be_debited_is_refused(client: stripe.StripeClient, iban: str, code: str) -> None:
    wanted: Any = {"type": "sepa_debit", "sepa_debit": {"iban": iban}, "billing_details": HOLDER}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.payment_methods.create(wanted)
    assert (refused.value.code, refused.value.param) == (code, "sepa_debit[iban]")


def test_what_is_not_covered_is_refused_by_name(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="failMicrodeposits") as refused:
        debited(client, "pm_usBankAccount_failMicrodeposits")
    assert refused.value.code == "sandbox_not_covered"
    with pytest.raises(stripe.InvalidRequestError, match="No such PaymentMethod"):
        debited(client, "pm_sepaDebit_success_xx")
    with pytest.raises(stripe.InvalidRequestError, match="au_becs_debit"):
        client.v1.setup_intents.create({"payment_method_types": ["au_becs_debit"]})


def test_a_debit_needs_a_mandate_its_currency_and_to_be_allowed(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="no existing mandate") as refused:
        debited(client, mandate_data="")
    assert refused.value.code == "payment_intent_mandate_invalid"
    with pytest.raises(stripe.InvalidRequestError, match=r"currency provided \(usd\)"):
        debited(client, currency="usd")
    with pytest.raises(stripe.InvalidRequestError, match="is not allowed for this PaymentIntent"):
        debited(client, payment_method_types=["card"])
    with pytest.raises(stripe.InvalidRequestError, match="a debit is not held"):
        debited(client, capture_method="manual")


def test_a_setup_saves_an_account_that_may_be_debited_later(
    client: stripe.StripeClient, customer: stripe.Customer
) -> None:
    wanted: Any = {"customer": customer.id, "payment_method": "pm_sepaDebit_success_be", "confirm": True,
                   "payment_method_types": ["sepa_debit"], "mandate_data": OFFLINE}  # fmt: skip
    setup = client.v1.setup_intents.create(wanted)
    mandate: Any = client.v1.mandates.retrieve(str(setup.mandate))
    assert (setup.status, mandate.status, mandate.payment_method) == ("succeeded", "active", setup.payment_method)
    assert mandate.customer_acceptance.type == "offline"
    again = debited(client, mandate_data="", payment_method=setup.payment_method, customer=customer.id)
    charge: Any = client.v1.charges.retrieve(str(again.latest_charge))
    assert charge.payment_method_details.sepa_debit.mandate == mandate.id
    shown: Any = client.v1.setup_intents.retrieve(setup.id, {"expand": ["mandate"]})
    assert shown.mandate.id == mandate.id


def test_a_bacs_mandate_is_pending_until_its_bank_accepts_or_refuses_it(
    client: stripe.StripeClient, sandbox: Checked
) -> None:
    for token, status in (("pm_bacsDebit_success", "active"), ("pm_bacsDebit_mandateRefused", "inactive")):
        wanted: Any = {"payment_method": token, "confirm": True, "payment_method_types": ["bacs_debit"],
                       "mandate_data": OFFLINE, "expand": ["mandate"]}  # fmt: skip
        mandate: Any = client.v1.setup_intents.create(wanted).mandate
        assert (mandate.status, mandate.payment_method_details.bacs_debit.network_status) == ("pending", "pending")
        assert client.v1.mandates.retrieve(mandate.id).status == status
        assert types(sandbox)[-1] == "mandate.updated"


def test_a_refund_of_a_debit_takes_days(client: stripe.StripeClient, control: Control, sandbox: Checked) -> None:
    intent = debited(client, "pm_usBankAccount_success")
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        client.v1.refunds.create({"payment_intent": intent.id})
    control(f"/payments/{intent.id}", {"outcome": "succeeded"})
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert (refund.status, refund.id[:4]) == ("pending", "pyr_")
    assert client.v1.charges.retrieve(str(intent.latest_charge)).amount_refunded == 500
    control("/advance", {"seconds": 3 * DAY - 60})
    assert client.v1.refunds.retrieve(refund.id).status == "pending"
    control("/advance", {"seconds": 120})
    arrived: Any = client.v1.refunds.retrieve(refund.id)
    assert (arrived.status, arrived.destination_details.us_bank_transfer.reference_status) == ("succeeded", "available")
    assert types(sandbox)[-2:] == ["refund.updated", "charge.refund.updated"]


def test_a_refund_that_fails_before_it_arrives_never_arrives(client: stripe.StripeClient, control: Control) -> None:
    intent = debited(client)
    control(f"/payments/{intent.id}", {"outcome": "succeeded"})
    refund = client.v1.refunds.create({"payment_intent": intent.id})
    control(f"/refunds/{refund.id}/fail", {})
    control("/advance", {"seconds": 4 * DAY})
    assert client.v1.refunds.retrieve(refund.id).status == "failed"
    assert client.v1.charges.retrieve(str(intent.latest_charge)).amount_refunded == 0


def test_a_dispute_of_a_debit_is_lost_at_once_and_ends_the_mandate(
    client: stripe.StripeClient, control: Control, sandbox: Checked
) -> None:
    intent = debited(client, "pm_sepaDebit_disputed_de")
    control("/advance", {"seconds": 5 * DAY + 60})
    (dispute,) = client.v1.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.status, dispute.reason) == ("lost", "debit_not_authorized")
    assert sum(row.net for row in dispute.balance_transactions) < 0
    assert [kind for kind in types(sandbox) if "dispute" in kind or "mandate" in kind] == [
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.closed",
        "mandate.updated",
    ]
    assert "it is closed" in control(f"/disputes/{dispute.id}", {"status": "won"})["error"]["message"]
    again = control("/disputes", {"charge": intent.latest_charge})
    assert "disputed once" in again["error"]["message"]


def test_events_of_a_debit_are_delivered(client: stripe.StripeClient, control: Control, forwarding: Receiver) -> None:
    intent = debited(client)
    control(f"/payments/{intent.id}", {"outcome": "failed", "code": "no_account"})
    control("/settle", {})
    assert set(forwarding.types()) == {
        "payment_intent.created", "charge.pending", "payment_intent.processing", "charge.failed",
        "payment_intent.payment_failed", "mandate.updated",
    }  # fmt: skip

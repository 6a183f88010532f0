"""Medusa's payment provider for Stripe, pinned in medusa/package.json: its class alone takes payments in the sandbox.

It is driven as Medusa's payment module drives it; the shopper, who confirms in a browser, is the SDK.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox

from ..conftest import SECRET, Control, Receiver, receiving
from .installing import Driven, Thrown, driven, needs_npm

pytestmark = [pytest.mark.slow, needs_npm]
CARD = "pm_card_visa"
BACK = "https://shop.example/return"
OPTIONS = {"apiKey": "sk_test_any", "webhookSecret": SECRET}


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as server:
        yield server


@pytest.fixture(scope="module")
def sandbox(receiver: Receiver) -> Iterator[Sandbox]:
    with Sandbox(port=0, seed=7, webhook_secret=SECRET, forward=receiver.url, any_version=True) as running:
        yield running


@pytest.fixture(scope="module")
def provider(sandbox: Sandbox) -> Iterator[Driven]:
    with driven("medusa", "provider.mjs", sandbox.url, json.dumps(OPTIONS)) as one:
        yield one


@pytest.fixture(scope="module")
def capturing(sandbox: Sandbox) -> Iterator[Driven]:
    """A provider of a shop that takes the money at once, and waits for debits."""
    options = {**OPTIONS, "capture": True, "asyncPaymentMethodTypes": ["sepa_debit"]}
    with driven("medusa", "provider.mjs", sandbox.url, json.dumps(options)) as one:
        yield one


@pytest.fixture
def shopper(provider: Driven) -> dict[str, Any]:
    """The account holder of a customer of the shop."""
    customer = {"email": "ada@example.com", "first_name": "Ada", "last_name": "L", "phone": "+4930123"}
    made: dict[str, Any] = provider("createAccountHolder", {"context": {"customer": customer}})
    return {"account_holder": made}


def initiate(provider: Driven, shopper: dict[str, Any], amount: float = 30.5, **data: Any) -> dict[str, Any]:
    asked = {"currency_code": "eur", "amount": amount, "data": {"session_id": "payses_1", **data}, "context": shopper}
    made: dict[str, Any] = provider("initiatePayment", asked)
    return made


def told(provider: Driven, receiver: Receiver, control: Control, payment: str) -> dict[str, Any]:
    """Return what the provider makes of each of the payment's webhooks: its action, by the type of the event."""
    control("/settle", {"timeout": 20})
    actions = {}
    for headers, body in receiver.received:
        event = json.loads(body)
        if event["data"]["object"]["id"] == payment:
            lowered = {name.lower(): value for name, value in headers.items()}
            webhook = {"data": event, "rawData": body.decode(), "headers": lowered}
            kind = event["type"].removeprefix("payment_intent.")
            actions[kind] = provider("getWebhookActionAndData", webhook)
    return actions


def test_a_payment_is_authorized_captured_and_refunded(
    provider: Driven, shopper: dict[str, Any], client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    payment = initiate(provider, shopper)
    assert payment["status"] == "pending"
    client.v1.payment_intents.confirm(payment["id"], {"payment_method": CARD, "return_url": BACK})
    authorized = provider("authorizePayment", {"data": payment["data"]})
    assert authorized["status"] == "authorized"
    assert authorized["data"]["payment_method"]["card"]["brand"] == "visa"

    assert provider("capturePayment", {"data": payment["data"]})["data"]["status"] == "succeeded"
    assert provider("getPaymentStatus", {"data": payment["data"]})["status"] == "captured"
    provider("refundPayment", {"amount": 10, "data": payment["data"]})
    provider("refundPayment", {"amount": 20.5, "data": payment["data"]})
    charge = client.v1.charges.retrieve(authorized["data"]["latest_charge"])
    assert (charge.amount_captured, charge.amount_refunded, charge.refunded) == (3050, 3050, True)

    actions = told(provider, receiver, control, payment["id"])
    assert actions["created"] == {"action": "pending", "data": {"session_id": "payses_1", "amount": 30.5}}
    assert actions["amount_capturable_updated"]["action"] == "authorized"
    assert actions["amount_capturable_updated"]["data"]["amount"] == 30.5
    assert actions["succeeded"] == {"action": "captured", "data": {"session_id": "payses_1", "amount": 30.5}}


def test_what_is_captured_or_refunded_twice_is_no_error(
    provider: Driven, shopper: dict[str, Any], client: stripe.StripeClient
) -> None:
    """The provider looks for the codes of the errors, and for the payment in them."""
    payment = initiate(provider, shopper, payment_method=CARD, confirm=True, return_url=BACK)
    assert payment["status"] == "authorized"
    first = provider("capturePayment", {"data": payment["data"]})
    again = provider("capturePayment", {"data": payment["data"]})
    assert (again["data"]["id"], again["data"]["status"]) == (first["data"]["id"], "succeeded")
    provider("refundPayment", {"amount": 30.5, "data": payment["data"]})
    provider("refundPayment", {"amount": 30.5, "data": payment["data"]})
    assert [refund.amount for refund in client.v1.refunds.list({"payment_intent": payment["id"]}).data] == [3050]


def test_a_canceled_payment_is_canceled_twice_without_error(
    provider: Driven, shopper: dict[str, Any], receiver: Receiver, control: Control
) -> None:
    payment = initiate(provider, shopper)
    assert provider("cancelPayment", {"data": payment["data"]})["data"]["status"] == "canceled"
    assert provider("deletePayment", {"data": payment["data"]})["data"]["status"] == "canceled"
    assert provider("getPaymentStatus", {"data": payment["data"]})["status"] == "canceled"
    assert told(provider, receiver, control, payment["id"])["canceled"]["action"] == "canceled"


def test_a_declined_card_is_an_error_of_the_payment_and_none_of_the_request(
    provider: Driven, shopper: dict[str, Any], receiver: Receiver, control: Control
) -> None:
    declined = "pm_card_chargeDeclined"
    payment = initiate(provider, shopper, payment_method=declined, confirm=True, return_url=BACK)
    assert payment["status"] == "error"
    assert payment["data"]["last_payment_error"]["decline_code"] == "generic_decline"
    assert told(provider, receiver, control, payment["id"])["payment_failed"]["action"] == "failed"


def test_a_card_that_asks_for_more_is_authenticated_by_the_shopper(
    provider: Driven, shopper: dict[str, Any], receiver: Receiver, control: Control
) -> None:
    secure = "pm_card_authenticationRequired"
    payment = initiate(provider, shopper, payment_method=secure, confirm=True, return_url=BACK)
    assert payment["status"] == "requires_more"
    control(f"/payment_intents/{payment['id']}", {"outcome": "authenticated"})
    assert provider("authorizePayment", {"data": payment["data"]})["status"] == "authorized"
    assert told(provider, receiver, control, payment["id"])["requires_action"]["action"] == "requires_more"


def test_a_debit_is_pending_for_days_and_then_captured(
    capturing: Driven, shopper: dict[str, Any], client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    payment = initiate(capturing, shopper, payment_method_types=["sepa_debit"])
    client.v1.payment_intents.confirm(
        payment["id"],
        {
            "payment_method": "pm_sepaDebit_success_de",
            "mandate_data": {"customer_acceptance": {"type": "offline"}},
            "return_url": BACK,
        },
    )
    assert capturing("authorizePayment", {"data": payment["data"]})["status"] == "pending_authorization"
    control(f"/payments/{payment['id']}", {"outcome": "succeeded"})
    assert capturing("authorizePayment", {"data": payment["data"]})["status"] == "captured"
    actions = told(capturing, receiver, control, payment["id"])
    assert actions["processing"]["action"] == "pending_authorization"
    assert actions["succeeded"]["data"]["amount"] == 30.5


def test_the_amount_of_a_payment_changes(provider: Driven, shopper: dict[str, Any]) -> None:
    payment = initiate(provider, shopper)
    asked = {"data": payment["data"], "currency_code": "eur", "amount": 12, "context": shopper}
    assert provider("updatePayment", asked)["data"]["amount"] == 1200
    assert provider("retrievePayment", {"data": payment["data"]})["data"]["amount"] == 12


def test_a_key_makes_one_payment_of_two_requests(provider: Driven, shopper: dict[str, Any]) -> None:
    keyed = {**shopper, "idempotency_key": "payses_1"}
    assert initiate(provider, keyed)["id"] == initiate(provider, keyed)["id"]


def test_a_request_that_is_refused_for_its_rate_is_made_again(
    provider: Driven, shopper: dict[str, Any], control: Control
) -> None:
    control("/faults", {"api": {"fail_next": 1, "status": 429}})
    assert initiate(provider, shopper)["status"] == "pending"


def test_a_shopper_saves_a_card_and_removes_it(
    provider: Driven, shopper: dict[str, Any], client: stripe.StripeClient
) -> None:
    saved = provider("savePaymentMethod", {"context": shopper, "data": {"usage": "off_session"}})
    client.v1.setup_intents.confirm(saved["id"], {"payment_method": CARD, "return_url": BACK})
    (method,) = provider("listPaymentMethods", {"context": shopper})
    assert method["data"]["card"]["last4"] == "4242"
    provider("deletePaymentMethod", {"context": shopper, "data": {"id": method["id"]}})
    assert provider("listPaymentMethods", {"context": shopper}) == []


def test_an_account_holder_is_changed_and_deleted(
    provider: Driven, shopper: dict[str, Any], client: stripe.StripeClient
) -> None:
    customer = {"email": "ada@shop.example", "company_name": "Engines Ltd"}
    changed = provider("updateAccountHolder", {"context": {**shopper, "customer": customer}})
    assert (changed["data"]["email"], changed["data"]["name"]) == ("ada@shop.example", "Engines Ltd")
    provider("deleteAccountHolder", {"context": shopper})
    assert client.v1.customers.retrieve(shopper["account_holder"]["id"]).deleted


def test_a_payment_of_someone_else_is_left_alone(
    provider: Driven, client: stripe.StripeClient, receiver: Receiver, control: Control
) -> None:
    intent = client.v1.payment_intents.create({"amount": 700, "currency": "eur"})
    assert told(provider, receiver, control, intent.id)["created"] == {"action": "not_supported"}


def test_a_forged_webhook_is_refused(provider: Driven) -> None:
    with pytest.raises(Thrown, match="No signatures found matching the expected signature"):
        provider("getWebhookActionAndData", {"data": {}, "rawData": "{}", "headers": {"stripe-signature": "t=1,v1=x"}})

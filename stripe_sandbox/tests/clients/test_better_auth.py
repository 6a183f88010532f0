"""better-auth with its Stripe plugin, pinned in better_auth/package.json: what its database says after each step."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import stripe

from stripe_sandbox import Sandbox

from ..conftest import SECRET, ask
from .auth_person import MASTERCARD, VISA, Person
from .installing import Driven, driven, needs_npm

pytestmark = [pytest.mark.slow, needs_npm]
MONTH = 32 * 86_400


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(port=0, seed=7, webhook_secret=SECRET, any_version=True) as running:
        yield running


@pytest.fixture(scope="module")
def prices(sandbox: Sandbox) -> dict[str, str]:
    """Sell three plans, and let the portal change between them."""
    client = stripe.StripeClient(sandbox.key, base_addresses={"api": sandbox.url})

    def price(product: str, amount: int, interval: Any) -> str:
        params: Any = {
            "product": product,
            "currency": "usd",
            "unit_amount": amount,
            "recurring": {"interval": interval},
        }
        return client.v1.prices.create(params).id

    products = [client.v1.products.create({"name": name}).id for name in ("Starter", "Pro", "Team")]
    starter, pro, team = products
    made = {
        "starter": price(starter, 1000, "month"),
        "yearly": price(starter, 10_000, "year"),
        "pro": price(pro, 3000, "month"),
        "team": price(team, 9000, "month"),
    }
    ask(f"{sandbox.url}/_sandbox/portal", {})
    (portal,) = client.v1.billing_portal.configurations.list().data
    sold: Any = [
        {"product": starter, "prices": [made["starter"], made["yearly"]]},
        {"product": pro, "prices": [made["pro"]]},
    ]
    switching: Any = {"enabled": True, "default_allowed_updates": ["price", "quantity"], "products": sold}
    client.v1.billing_portal.configurations.update(portal.id, {"features": {"subscription_update": switching}})
    return made


@pytest.fixture(scope="module")
def site(sandbox: Sandbox, prices: dict[str, str]) -> Iterator[Driven]:
    starter = {"priceId": prices["starter"], "annualDiscountPriceId": prices["yearly"], "limits": {"projects": 1}}
    plans = [
        {"name": "starter", **starter},
        {"name": "pro", "priceId": prices["pro"], "limits": {"projects": 9}},
        {"name": "team", "priceId": prices["team"], "freeTrial": {"days": 7}},
    ]
    with driven("better_auth", "server.mjs", sandbox.url, SECRET, json.dumps(plans)) as running:
        sandbox.forward = sandbox.state.forward = f"{running('address')}/api/auth/stripe/webhook"
        yield running


@pytest.fixture
def ada(site: Driven, control: Any) -> Person:
    """Somebody new."""
    return Person(site, control, f"ada-{len(site('rows', 'user'))}@example.com")


def moment(shown: str) -> int:
    return int(datetime.fromisoformat(shown).timestamp())


def test_a_subscription_from_sign_up_to_its_deletion(ada: Person, client: stripe.StripeClient, site: Driven) -> None:
    # Sign up
    customer = ada.user()["stripeCustomerId"]
    assert client.v1.customers.retrieve(customer).email == ada.email

    # Upgrade
    session = ada.upgrade("starter")
    assert (ada.subscription()["status"], ada.subscription()["plan"]) == ("incomplete", "starter")
    back = ada.act_on_page(session["url"], **VISA)
    assert back.startswith(f"{ada.address}/api/auth/subscription/success")

    # Webhook
    row = ada.subscription()
    subscription = client.v1.subscriptions.retrieve(row["stripeSubscriptionId"])
    assert (row["status"], row["plan"], row["seats"], row["billingInterval"]) == ("active", "starter", 1, "month")
    assert moment(row["periodEnd"]) == subscription["items"].data[0].current_period_end

    # Change
    portal = ada.upgrade("pro")
    assert ada.act_on_page(portal["url"], action="switch") == f"{ada.address}/account"
    assert (ada.subscription()["plan"], ada.subscription()["status"]) == ("pro", "active")

    # Cancel
    portal = ada.post("subscription/cancel", returnUrl="/account")
    ada.act_on_page(portal["url"], action="cancel")
    assert ada.subscription()["cancelAt"] == row["periodEnd"]
    assert "already set to be canceled" in ada.post("subscription/cancel", returnUrl="/account")["message"]

    # Restore
    ada.post("subscription/restore")
    assert (ada.subscription()["cancelAt"], ada.subscription()["canceledAt"]) == (None, None)
    assert client.v1.subscriptions.retrieve(subscription.id).cancel_at is None

    # Portal
    portal = ada.post("subscription/billing-portal", returnUrl="/account")
    ada.act_on_page(portal["url"], action="card", **MASTERCARD)
    method = client.v1.customers.payment_methods.list(customer).data[0]
    assert method.card.brand == "mastercard"

    # Renewal
    ada.control("/advance", {"seconds": MONTH})
    renewed = ada.subscription()
    assert renewed["periodStart"] == row["periodEnd"]
    assert renewed["status"] == "active"

    # Delete
    client.v1.subscriptions.cancel(subscription.id)
    gone = ada.subscription()
    assert (gone["status"], gone["endedAt"] is not None) == ("canceled", True)
    assert ada.get("subscription/list") == []
    heard = [name for name, _ in site("heard")]
    assert [heard[0], heard[-1]] == ["complete", "deleted"]
    assert {"update", "cancel"} <= set(heard)


def test_a_trial_is_given_once(ada: Person, client: stripe.StripeClient) -> None:
    row = ada.buy("team")
    assert row["status"] == "trialing"
    assert moment(row["trialEnd"]) - moment(row["trialStart"]) == 7 * 86_400
    ada.control("/advance", {"seconds": 8 * 86_400})
    assert ada.subscription()["status"] == "active"
    client.v1.subscriptions.cancel(row["stripeSubscriptionId"])
    assert ada.subscription()["status"] == "canceled"
    assert ada.buy("team")["status"] == "active"


def test_a_declined_card_leaves_the_row_incomplete_until_another_pays(ada: Person) -> None:
    session = ada.upgrade("starter")
    declined = {**VISA, "number": "4000 0000 0000 0002"}
    assert "Your card was declined" in ada.act_on_page(session["url"], **declined)
    assert ada.subscription()["status"] == "incomplete"
    ada.act_on_page(session["url"], **VISA)
    assert ada.subscription()["status"] == "active"


def test_the_return_page_knows_what_no_webhook_told(ada: Person, sandbox: Sandbox) -> None:
    sandbox.forward = sandbox.state.forward = None
    session = ada.upgrade("starter")
    back = ada.act_on_page(session["url"], **VISA)
    assert ada.subscription()["status"] == "incomplete"
    assert ada.get(back.removeprefix(f"{ada.address}/api/auth/"))["location"] == f"{ada.address}/done"
    assert ada.subscription()["status"] == "active"
    sandbox.forward = sandbox.state.forward = f"{ada.address}/api/auth/stripe/webhook"


def test_seats_are_bought_and_changed(ada: Person) -> None:
    assert ada.buy("pro", seats=5)["seats"] == 5
    portal = ada.upgrade("pro", seats=2)
    ada.act_on_page(portal["url"], action="switch")
    assert ada.subscription()["seats"] == 2


def test_a_month_becomes_a_year(ada: Person) -> None:
    ada.buy("starter")
    portal = ada.upgrade("starter", annual=True)
    ada.act_on_page(portal["url"], action="switch")
    row = ada.subscription()
    assert (row["billingInterval"], row["plan"]) == ("year", "starter")
    assert moment(row["periodEnd"]) - moment(row["periodStart"]) >= 365 * 86_400


def test_a_downgrade_waits_for_the_end_of_the_period(ada: Person, client: stripe.StripeClient) -> None:
    ada.buy("pro")
    ada.upgrade("starter", scheduleAtPeriodEnd=True)
    row = ada.subscription()
    assert row["plan"] == "pro"
    assert client.v1.subscription_schedules.retrieve(row["stripeScheduleId"]).status == "active"
    ada.control("/advance", {"seconds": MONTH})
    assert (ada.subscription()["plan"], ada.subscription()["stripeScheduleId"]) == ("starter", row["stripeScheduleId"])
    ada.control("/advance", {"seconds": MONTH})
    assert (ada.subscription()["plan"], ada.subscription()["stripeScheduleId"]) == ("starter", None)


def test_a_downgrade_that_waits_is_taken_back(ada: Person, client: stripe.StripeClient) -> None:
    ada.buy("pro")
    ada.upgrade("starter", scheduleAtPeriodEnd=True)
    schedule = ada.subscription()["stripeScheduleId"]
    ada.post("subscription/restore")
    assert ada.subscription()["stripeScheduleId"] is None
    assert client.v1.subscription_schedules.retrieve(schedule).status == "released"
    ada.control("/advance", {"seconds": MONTH})
    assert ada.subscription()["plan"] == "pro"


def test_a_renewal_that_is_declined_is_past_due_and_then_canceled(ada: Person, client: stripe.StripeClient) -> None:
    row = ada.buy("starter")
    card = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": row["stripeCustomerId"]})
    client.v1.subscriptions.update(row["stripeSubscriptionId"], {"default_payment_method": card.id})
    ada.control("/advance", {"seconds": MONTH})
    assert ada.subscription()["status"] == "past_due"
    ada.control("/advance", {"seconds": 2 * MONTH})
    assert ada.subscription()["status"] == "canceled"


def test_a_cancellation_takes_effect_at_the_end_of_the_period(ada: Person) -> None:
    paid_until = ada.buy("starter")["periodEnd"]
    portal = ada.post("subscription/cancel", returnUrl="/account")
    ada.act_on_page(portal["url"], action="cancel")
    assert ada.subscription()["cancelAt"] == ada.get("subscription/list")[0]["cancelAt"] == paid_until
    ada.control("/advance", {"seconds": MONTH})
    row = ada.subscription()
    assert (row["status"], row["endedAt"]) == ("canceled", paid_until)


def test_events_that_come_twice_and_out_of_order_end_in_the_same_row(ada: Person) -> None:
    ada.control("/faults", {"webhooks": {"duplicate": 1.0, "shuffle": 1.0}})
    row = ada.buy("starter")
    ada.control("/faults", {})
    assert (row["status"], row["plan"]) == ("active", "starter")
    assert len([1 for one in ada.site("rows", "subscription") if one["referenceId"] == ada.id]) == 1


def test_a_subscription_made_by_hand_is_taken_in(
    ada: Person, client: stripe.StripeClient, prices: dict[str, str]
) -> None:
    customer = ada.user()["stripeCustomerId"]
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer})
    (card,) = client.v1.customers.payment_methods.list(customer).data
    made = client.v1.subscriptions.create(
        {"customer": customer, "default_payment_method": card.id, "items": [{"price": prices["pro"], "quantity": 3}]}
    )
    row = ada.subscription()
    assert (row["stripeSubscriptionId"], row["plan"], row["status"], row["seats"]) == (made.id, "pro", "active", 3)


def test_a_new_address_reaches_the_customer(ada: Person, client: stripe.StripeClient) -> None:
    ada.post("change-email", newEmail="countess@example.com")
    assert client.v1.customers.retrieve(ada.user()["stripeCustomerId"]).email == "countess@example.com"


@pytest.mark.parametrize("fault", ["bad_signature", "stale_signature"])
def test_a_forged_webhook_changes_nothing(ada: Person, fault: str) -> None:
    ada.control("/settings", {"delivery_retry_seconds": []})
    ada.control("/faults", {"webhooks": {fault: 1.0}})
    row = ada.buy("starter")
    ada.control("/faults", {})
    assert (row["status"], row.get("stripeSubscriptionId")) == ("incomplete", None)
    statuses = {delivery["status"] for delivery in ada.control("/deliveries", method="GET")["data"][-3:]}
    assert statuses == {400}

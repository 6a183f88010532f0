"""The customer portal: its configuration, and what each feature of it lets a customer do on the page."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import fresh
from .test_pages import Browser


@pytest.fixture
def browser(sandbox: Any) -> Browser:
    return Browser(sandbox.url)


@pytest.fixture
def team(client: stripe.StripeClient) -> stripe.Price:
    product = client.v1.products.create({"name": "Team"})
    return client.v1.prices.create(
        {"product": product.id, "currency": "usd", "unit_amount": 4900, "recurring": {"interval": "month"}}
    )


@pytest.fixture
def configured(client: stripe.StripeClient, price: Any, team: Any) -> Any:
    """A configuration that lets everything be done, changed as a test likes."""

    def make(**update: Any) -> stripe.billing_portal.Configuration:
        products = [{"product": p.product, "prices": [p.id]} for p in (price, team)]
        plans = {"enabled": True, "default_allowed_updates": ["price"], "products": products}
        features: Any = {
            "subscription_update": {**plans, "proration_behavior": "always_invoice", **update},
            "subscription_cancel": {
                "enabled": True,
                "cancellation_reason": {"enabled": True, "options": ["too_expensive", "unused"]},
            },
            "payment_method_update": {"enabled": True},
            "customer_update": {"enabled": True, "allowed_updates": ["email", "name"]},
            "invoice_history": {"enabled": True},
        }
        return client.v1.billing_portal.configurations.create({"features": features})

    return make


def portal(client: stripe.StripeClient, sub: Any, configuration: Any) -> str:
    params: Any = {"customer": sub.customer, "configuration": configuration.id}
    return client.v1.billing_portal.sessions.create(params).url


def test_a_portal_needs_a_configuration(client: stripe.StripeClient, control: Control, customer: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No configuration provided"):
        client.v1.billing_portal.sessions.create({"customer": customer.id})
    saved = control("/portal", {})
    session = client.v1.billing_portal.sessions.create({"customer": customer.id})
    assert (session.configuration, saved["is_default"]) == (saved["id"], True)


def test_a_configuration_that_is_not_active_opens_no_portal(
    client: stripe.StripeClient, customer: Any, configured: Any
) -> None:
    made = configured()
    client.v1.billing_portal.configurations.update(made.id, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="not active"):
        client.v1.billing_portal.sessions.create({"customer": customer.id, "configuration": made.id})


def test_plans_to_switch_to_are_recurring_prices_of_their_products(
    client: stripe.StripeClient, price: Any, team: Any
) -> None:
    wrong: Any = {"enabled": True, "default_allowed_updates": ["price"]}
    wrong["products"] = [{"product": price.product, "prices": [team.id]}]
    with pytest.raises(stripe.InvalidRequestError, match="not a recurring price of the product"):
        client.v1.billing_portal.configurations.create({"features": {"subscription_update": wrong}})


def test_switching_to_a_dearer_plan_is_paid_at_once(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any, team: Any
) -> None:
    sub = subscribed()
    url = portal(client, sub, configured())
    assert all(words in browser.ask("GET", url)[1] for words in ("Team", "$49.00", "charged or credited now"))
    assert browser.ask("POST", url, action="switch", subscription=sub.id, price=team.id)[0] == 303
    changed = fresh(client, sub)
    assert changed["items"]["data"][0].price.id == team.id
    assert (changed.latest_invoice.billing_reason, changed.latest_invoice.status) == ("subscription_update", "paid")


def test_a_cheaper_plan_can_wait_for_the_end_of_the_period(
    browser: Browser, client: stripe.StripeClient, control: Control, subscribed: Any, configured: Any, team: Any,
    price: Any,
) -> None:  # fmt: skip
    sub = subscribed(line_items=[{"price": team.id, "quantity": 1}])
    later = {"conditions": [{"type": "decreasing_item_amount"}]}
    url = portal(client, sub, configured(schedule_at_period_end=later))
    browser.ask("POST", url, action="switch", subscription=sub.id, price=price.id)
    waiting = fresh(client, sub)
    assert (waiting["items"]["data"][0].price.id, bool(waiting.schedule)) == (team.id, True)
    control("/advance", {"to": waiting["items"]["data"][0].current_period_end + 7200})
    assert fresh(client, sub)["items"]["data"][0].price.id == price.id


def test_a_plan_that_is_not_offered_is_refused(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any
) -> None:
    sub = subscribed()
    url = portal(client, sub, configured())
    status, body, _ = browser.ask("POST", url, action="switch", subscription=sub.id, price="price_other")
    assert (status, "does not offer that plan" in body) == (400, True)


def test_a_plan_is_not_switched_when_its_payment_fails(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any, team: Any, price: Any
) -> None:
    sub = subscribed("pm_card_chargeCustomerFail")
    url = portal(client, sub, configured())
    assert browser.ask("POST", url, action="switch", subscription=sub.id, price=team.id)[0] == 402
    assert fresh(client, sub)["items"]["data"][0].price.id == price.id


def test_cancelling_tells_why(browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any) -> None:
    sub = subscribed()
    url = portal(client, sub, configured())
    browser.ask("POST", url, action="cancel", subscription=sub.id, feedback="too_expensive")
    asked = fresh(client, sub)
    assert (asked.cancellation_details.feedback, asked.cancel_at_period_end) == ("too_expensive", False)
    assert "plan ends on" in browser.ask("GET", url)[1]


def test_a_portal_without_a_feature_does_not_do_it(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, team: Any
) -> None:
    sub = subscribed()
    bare = client.v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    url = portal(client, sub, bare)
    for action in ("cancel", "resume", "card", "switch", "details"):
        asked = browser.ask("POST", url, action=action, subscription=sub.id, price=team.id, name="x")
        assert asked[0] == 400, action


def test_a_card_is_entered_with_its_expiry_and_code(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any
) -> None:
    sub = subscribed()
    url = portal(client, sub, configured())
    good = {"action": "card", "number": "5555 5555 5555 4444", "expiry": "07 / 44", "cvc": "123"}
    for wrong in ({"expiry": "07"}, {"expiry": "13 / 44"}, {"expiry": "01 / 20"}, {"cvc": "12"}, {"number": "1"}):
        assert browser.ask("POST", url, **{**good, **wrong})[0] == 402, wrong
    assert browser.ask("POST", url, **good)[0] == 303
    method = client.v1.payment_methods.retrieve(fresh(client, sub).default_payment_method)
    assert (method.card.last4, method.card.exp_month, method.card.exp_year) == ("4444", 7, 2044)


def test_a_card_that_asks_for_3d_secure_is_saved_once_it_is_passed(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any
) -> None:
    sub = subscribed()
    url = portal(client, sub, configured())
    card = {"action": "card", "number": "4000002500003155", "expiry": "07 / 44", "cvc": "123"}
    assert "Complete authentication" in browser.ask("POST", url, **card)[1]
    assert browser.ask("POST", url, **card, outcome="authentication_failed")[0] == 402
    assert browser.ask("POST", url, **card, outcome="authenticated")[0] == 303


def test_the_customers_details_are_saved(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any
) -> None:
    sub = subscribed()
    url = portal(client, sub, configured())
    browser.ask("POST", url, action="details", name="Ada", email="ada@example.org", phone="1")
    customer = client.v1.customers.retrieve(sub.customer)
    assert (customer.name, customer.email, customer.phone) == ("Ada", "ada@example.org", None)

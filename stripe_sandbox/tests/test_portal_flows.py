"""Deep links into the portal: one thing to do, and where it leads when that is done."""

from typing import Any

import pytest
import stripe

from .test_billing_cycle import fresh
from .test_pages import Browser
from .test_portal import browser, configured, team

__all__ = ["browser", "configured", "team"]


def link(
    client: stripe.StripeClient,
    sub: Any,
    configuration: Any,
    kind: str,
    done: Any = None,
    of: bool = False,
    **details: Any,
) -> Any:
    flow: Any = {"type": kind, "after_completion": done or {"type": "portal_homepage"}}
    if of or details:
        flow[kind] = {"subscription": sub.id, **details}
    params: Any = {"customer": sub.customer, "configuration": configuration.id, "flow_data": flow}
    return client.v1.billing_portal.sessions.create({**params, "return_url": "http://127.0.0.1/home"})


def test_cancelling_leads_back_to_the_site(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any
) -> None:
    sub, back = subscribed(), {"type": "redirect", "redirect": {"return_url": "http://127.0.0.1/bye"}}
    session = link(client, sub, configured(), "subscription_cancel", back, of=True)
    assert (session.flow.type, session.flow.subscription_cancel.subscription) == ("subscription_cancel", sub.id)
    page = browser.ask("GET", session.url)[1]
    assert ("Cancel Pro" in page, "Payment method" in page) == (True, False)
    assert browser.ask("POST", session.url, action="cancel", feedback="unused")[2] == "http://127.0.0.1/bye"
    assert fresh(client, sub).cancellation_details.feedback == "unused"
    with pytest.raises(stripe.InvalidRequestError, match="already set to be canceled"):
        link(client, sub, configured(), "subscription_cancel", back, of=True)


def test_a_flow_is_for_one_thing_only(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any
) -> None:
    sub = subscribed()
    session = link(client, sub, configured(), "subscription_update", of=True)
    assert browser.ask("POST", session.url, action="cancel", subscription=sub.id)[0] == 400
    assert fresh(client, sub).cancel_at is None


def test_a_plan_is_chosen_and_the_portal_follows(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any, team: Any
) -> None:
    sub = subscribed()
    session = link(client, sub, configured(), "subscription_update", of=True)
    assert "Update your plan" in browser.ask("GET", session.url)[1]
    assert browser.ask("POST", session.url, action="switch", price=team.id)[2] == f"/p/{session.id}?done=switch"
    assert fresh(client, sub)["items"]["data"][0].price.id == team.id
    assert "Manage your subscription" in browser.ask("GET", session.url)[1]


def test_a_change_is_confirmed_as_it_was_proposed(
    browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any, team: Any, price: Any
) -> None:
    sub, item = subscribed(), {"price": team.id}
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    items = [{"id": sub["items"]["data"][0].id, **item}]
    done = {"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Welcome to Team."}}
    session = link(client, sub, configured(), "subscription_update_confirm", done, items=items,
                   discounts=[{"coupon": coupon.id}])  # fmt: skip
    page = browser.ask("GET", session.url)[1]
    assert ("$49.00" in page, "Due today" in page) == (True, True)
    status, body, _ = browser.ask("POST", session.url, action="switch", price=price.id)
    assert (status, "Welcome to Team." in body) == (200, True)
    changed = client.v1.subscriptions.retrieve(sub.id, {"expand": ["discounts"]})
    assert (changed["items"]["data"][0].price.id, changed.discounts[0].source.coupon) == (team.id, coupon.id)


def test_a_card_is_changed(browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any) -> None:
    sub, back = subscribed(), {"type": "redirect", "redirect": {"return_url": "http://127.0.0.1/thanks"}}
    session = link(client, sub, configured(), "payment_method_update", back)
    card = {"action": "card", "number": "4000002500003155", "expiry": "07 / 44", "cvc": "123"}
    assert "Change your card" in browser.ask("GET", session.url)[1]
    assert "Complete authentication" in browser.ask("POST", session.url, **card)[1]
    assert browser.ask("POST", session.url, **card, outcome="authenticated")[2] == "http://127.0.0.1/thanks"


def test_details_are_changed(browser: Browser, client: stripe.StripeClient, subscribed: Any, configured: Any) -> None:
    session = link(client, subscribed(), configured(), "customer_update")
    assert "Your billing information" in browser.ask("GET", session.url)[1]
    assert browser.ask("POST", session.url, action="details", name="Ada")[0] == 303


def test_a_link_that_could_not_be_gone_through_is_not_made(
    client: stripe.StripeClient, subscribed: Any, configured: Any, team: Any, price: Any
) -> None:
    sub, whole = subscribed(), configured()
    item = {"id": sub["items"]["data"][0].id}
    bare = client.v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}})
    with pytest.raises(stripe.InvalidRequestError, match="needs the feature"):
        link(client, sub, bare, "subscription_cancel", of=True)
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param"):
        link(client, sub, whole, "subscription_cancel")
    for items, message in (
        ([{**item, "price": "price_other"}], "does not offer"),
        ([{**item, "price": price.id}], "plan you have"),
        ([{**item, "price": team.id, "quantity": 3}], "quantity"),
        ([{"id": "si_other", "price": team.id}], "one item"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=message):
            link(client, sub, whole, "subscription_update_confirm", items=items)

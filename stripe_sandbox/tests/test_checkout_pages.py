"""A Checkout embedded in the site's own page, recovered after it expired, with saved cards, over a held amount."""

from typing import Any
from urllib.request import urlopen

import pytest
import stripe

from .conftest import Checked, Control, Receiver
from .test_pages import Browser

HOUR, DAY = 3600, 86400
EMBEDDED: Any = {"ui_mode": "embedded_page"}
RETURN = "https://example.com/return?session_id={CHECKOUT_SESSION_ID}"
BOOK: Any = {
    "price_data": {"currency": "usd", "unit_amount": 3500, "product_data": {"name": "Handbook"}},
    "quantity": 1,
}


@pytest.fixture
def selling(client: stripe.StripeClient, price: stripe.Price, customer: stripe.Customer) -> Any:
    """Starts a Checkout of a subscription, with no more than what is given."""

    def start(**more: Any) -> stripe.checkout.Session:
        line = {"price": price.id, "quantity": 1}
        params: Any = {"mode": "subscription", "customer": customer.id, "line_items": [line], **more}
        return client.v1.checkout.sessions.create(params)

    return start


@pytest.fixture
def browser(sandbox: Checked) -> Browser:
    return Browser(sandbox.url)


def test_an_embedded_session_has_a_secret_and_no_address(client: stripe.StripeClient, selling: Any) -> None:
    session = selling(**EMBEDDED, return_url=RETURN)
    assert str(session.client_secret).startswith(f"{session.id}_secret_")
    assert (session.url, session.success_url, session.return_url) == (None, None, RETURN)
    assert (session.ui_mode, session.redirect_on_completion) == ("embedded_page", "always")
    hosted = selling(success_url="https://example.com/")
    assert hosted.client_secret is None
    assert not hasattr(client.v1.checkout.sessions.retrieve(hosted.id), "return_url")


@pytest.mark.parametrize(
    ("params", "says"),
    [
        (EMBEDDED, "Missing required param: return_url"),
        ({**EMBEDDED, "return_url": RETURN, "success_url": RETURN}, "`success_url` can only be set"),
        ({**EMBEDDED, "return_url": RETURN, "cancel_url": RETURN}, "`cancel_url` can only be set"),
        ({**EMBEDDED, "return_url": RETURN, "redirect_on_completion": "never"}, "`return_url` cannot be set"),
        ({"return_url": RETURN, "success_url": RETURN}, "`return_url` can only be set"),
        ({"ui_mode": "form", "return_url": RETURN}, "does not cover the parameter ui_mode=form"),
        ({"ui_mode": "elements"}, "Missing required param: return_url"),
        ({"ui_mode": "elements", "return_url": RETURN, "submit_type": "book"}, "`submit_type` can only be set when"),
        ({"ui_mode": "elements", "return_url": RETURN, "success_url": RETURN}, "`success_url` can only be set when"),
    ],
)
def test_addresses_that_do_not_fit_the_page_are_refused(selling: Any, params: dict[str, Any], says: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=says):
        selling(**params)


def test_an_embedded_page_may_be_framed_and_tells_the_page_around_it_where_to_go(
    sandbox: Checked, browser: Browser, selling: Any
) -> None:
    session = selling(**EMBEDDED, return_url=RETURN)
    path = f"{sandbox.url}/c/{session.id}"
    for address, ancestors in ((path, "*"), (selling(success_url=RETURN).url, "'none'")):
        with urlopen(address) as answer:
            assert f"frame-ancestors {ancestors}" in answer.headers["Content-Security-Policy"]
    status, page, _ = browser.ask("POST", path, number="4242424242424242")
    assert (status, f'data-complete="https://example.com/return?session_id={session.id}"' in page) == (200, True)
    stays = selling(**EMBEDDED, redirect_on_completion="if_required", return_url=RETURN)
    assert 'data-complete=""' in browser.ask("POST", f"{sandbox.url}/c/{stays.id}", number="4242424242424242")[1]
    never = selling(**EMBEDDED, redirect_on_completion="never")
    assert 'data-complete=""' in browser.ask("POST", f"{sandbox.url}/c/{never.id}", number="4242424242424242")[1]
    assert "createEmbeddedCheckoutPage" in browser.ask("GET", f"{sandbox.url}/stripe.js")[1]


def test_an_expired_session_is_recovered_by_its_address(
    client: stripe.StripeClient, control: Control, browser: Browser, selling: Any, forwarding: Receiver
) -> None:
    recovery = {"recovery": {"enabled": True, "allow_promotion_codes": True}}
    session = selling(success_url=RETURN, after_expiration=recovery, metadata={"cart": "7"}, client_reference_id="42")
    assert session.after_expiration.recovery.url is None
    control("/advance", {"seconds": DAY + 60})
    control("/settle")
    (expired,) = [event for event in forwarding.events() if event["type"] == "checkout.session.expired"]
    shown = expired["data"]["object"]["after_expiration"]["recovery"]
    assert shown["expires_at"] == session.expires_at + 30 * DAY
    status, _, location = browser.ask("GET", shown["url"])
    copy = client.v1.checkout.sessions.retrieve(str(location).rpartition("/")[2])
    assert (status, copy.status, copy.recovered_from) == (303, "open", session.id)
    assert (copy.amount_total, copy.metadata["cart"], copy.client_reference_id) == (2000, "7", "42")
    assert copy.allow_promotion_codes is True
    assert control(f"/checkout/{copy.id}/complete")["outcome"] == "paid"
    control("/advance", {"seconds": 31 * DAY})
    assert browser.ask("GET", shown["url"])[0] == 410


@pytest.mark.parametrize(
    ("embedded", "leads_to"),
    [({"return_url": RETURN}, RETURN), ({"redirect_on_completion": "never"}, "https://stripe.com")],
)
def test_an_embedded_session_is_recovered_on_a_hosted_page(
    client: stripe.StripeClient, browser: Browser, selling: Any, embedded: dict[str, str], leads_to: str
) -> None:
    session = selling(**EMBEDDED, **embedded, after_expiration={"recovery": {"enabled": True}})
    shown = client.v1.checkout.sessions.expire(session.id).after_expiration.recovery
    _, _, location = browser.ask("GET", shown.url)
    copy = client.v1.checkout.sessions.retrieve(str(location).rpartition("/")[2])
    assert (copy.ui_mode, copy.success_url, copy.recovered_from) == ("hosted_page", leads_to, session.id)


def test_a_session_that_no_one_recovers_has_no_address(client: stripe.StripeClient, selling: Any) -> None:
    session = selling(success_url=RETURN, after_expiration={"recovery": {"enabled": False}})
    expired = client.v1.checkout.sessions.expire(session.id)
    assert (expired.after_expiration.recovery.url, expired.after_expiration.recovery.enabled) == (None, False)
    assert client.v1.checkout.sessions.expire(selling(success_url=RETURN).id).after_expiration is None


@pytest.mark.parametrize(("seconds", "says"), [(20 * 60, "at least 30 minutes"), (25 * HOUR, "less than 24 hours")])
def test_a_session_expires_within_bounds(sandbox: Checked, selling: Any, seconds: int, says: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=says) as refused:
        selling(success_url=RETURN, expires_at=sandbox.state.now() + seconds)
    assert refused.value.param == "expires_at"


def test_a_session_expires_when_it_says(client: stripe.StripeClient, control: Control, selling: Any) -> None:
    session = selling(success_url=RETURN, expires_at=client.v1.events.list().data[0].created + HOUR)
    control("/advance", {"seconds": HOUR + 5})
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_a_trial_without_a_card_ends_as_its_settings_say(
    client: stripe.StripeClient, control: Control, selling: Any
) -> None:
    for then, status in (("cancel", "canceled"), ("pause", "paused")):
        data = {"trial_period_days": 3, "trial_settings": {"end_behavior": {"missing_payment_method": then}}}
        session = selling(success_url=RETURN, payment_method_collection="if_required", subscription_data=data)
        done = control(f"/checkout/{session.id}/complete")["session"]
        assert (done["payment_status"], done["amount_total"]) == ("no_payment_required", 0)
        assert client.v1.subscriptions.retrieve(done["subscription"]).default_payment_method is None
        control("/advance", {"seconds": 3 * DAY + 2 * HOUR})
        assert client.v1.subscriptions.retrieve(done["subscription"]).status == status


def keep(client: stripe.StripeClient, customer: str, token: str, shown: Any) -> str:
    method = client.v1.payment_methods.attach(token, {"customer": customer})
    return client.v1.payment_methods.update(method.id, {"allow_redisplay": shown}).id


def test_a_saved_card_that_may_be_shown_again_pays(
    client: stripe.StripeClient, control: Control, browser: Browser, selling: Any, customer: stripe.Customer
) -> None:
    shown = keep(client, customer.id, "pm_card_mastercard", "always")
    hidden = keep(client, customer.id, "pm_card_amex", "limited")
    session = selling(success_url=RETURN)
    page = browser.ask("GET", session.url)[1]
    assert ("ending in 4444" in page, "ending in 0005" in page, "Remove the card" in page) == (True, False, False)
    assert (
        control(f"/checkout/{session.id}/complete", {"payment_method": hidden})["error"]["code"] == "resource_missing"
    )
    assert browser.ask("POST", session.url, saved=shown)[0] == 303
    done = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]})
    assert done.subscription.default_payment_method == shown
    wide: Any = {"allow_redisplay_filters": ["always", "limited"], "payment_method_remove": "enabled"}
    other = selling(success_url=RETURN, saved_payment_method_options=wide)
    assert "Remove the card ending in 0005" in browser.ask("GET", other.url)[1]
    assert "ending in 0005" not in browser.ask("POST", other.url, forget=hidden)[1]
    assert client.v1.payment_methods.retrieve(hidden).customer is None


def test_a_buyer_saves_a_card_for_later_by_a_tick(
    client: stripe.StripeClient, control: Control, customer: stripe.Customer
) -> None:
    params: Any = {"mode": "payment", "line_items": [BOOK], "success_url": RETURN, "customer": customer.id}
    params["saved_payment_method_options"] = {"payment_method_save": "enabled"}
    first = client.v1.checkout.sessions.create(params)
    assert first.saved_payment_method_options.payment_method_save == "enabled"
    control(f"/checkout/{first.id}/complete")
    assert client.v1.customers.payment_methods.list(customer.id).data == []
    second = client.v1.checkout.sessions.create(params)
    control(f"/checkout/{second.id}/complete", {"save_payment_method": True})
    (method,) = client.v1.customers.payment_methods.list(customer.id).data
    assert method.allow_redisplay == "always"


def held(client: stripe.StripeClient, control: Control, card: str = "pm_card_visa") -> tuple[str, str]:
    """Complete a Checkout over an amount that is held; the session and its payment."""
    params: Any = {"mode": "payment", "line_items": [BOOK], "success_url": RETURN}
    params["payment_intent_data"] = {"capture_method": "manual"}
    session = client.v1.checkout.sessions.create(params)
    done = control(f"/checkout/{session.id}/complete", {"payment_method": card})["session"]
    return session.id, done["payment_intent"]


def types_since(forwarding: Receiver, control: Control) -> list[str]:
    control("/settle")
    types = forwarding.types()
    forwarding.received.clear()
    return types


def test_a_held_amount_is_captured_in_part(client: stripe.StripeClient, control: Control, forwarding: Receiver) -> None:
    session, payment = held(client, control)
    told = types_since(forwarding, control)
    assert told[-4:] == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.amount_capturable_updated",
        "checkout.session.completed",
    ]
    assert client.v1.payment_intents.retrieve(payment).amount_capturable == 3500
    assert client.v1.checkout.sessions.retrieve(session).payment_status == "unpaid"
    client.v1.payment_intents.capture(payment, {"amount_to_capture": 2000})
    assert types_since(forwarding, control) == ["charge.captured", "payment_intent.succeeded"]
    intent = client.v1.payment_intents.retrieve(payment, {"expand": ["latest_charge"]})
    assert (intent.amount_received, intent.latest_charge.amount_captured) == (2000, 2000)
    assert intent.latest_charge.amount_refunded == 1500
    assert client.v1.checkout.sessions.retrieve(session).payment_status == "paid"


def test_a_held_amount_is_let_go(client: stripe.StripeClient, control: Control, forwarding: Receiver) -> None:
    session, payment = held(client, control)
    types_since(forwarding, control)
    client.v1.payment_intents.cancel(payment, {"cancellation_reason": "requested_by_customer"})
    assert types_since(forwarding, control) == ["charge.refunded", "payment_intent.canceled"]
    assert client.v1.checkout.sessions.retrieve(session).payment_status == "unpaid"


def test_a_held_amount_that_nobody_captures_lapses_after_a_week(
    client: stripe.StripeClient, control: Control, forwarding: Receiver
) -> None:
    _, payment = held(client, control)
    types_since(forwarding, control)
    control("/advance", {"seconds": 7 * DAY + 60})
    assert types_since(forwarding, control) == ["charge.expired", "payment_intent.canceled"]
    intent = client.v1.payment_intents.retrieve(payment)
    assert (intent.status, intent.cancellation_reason, intent.amount_capturable) == ("canceled", "automatic", 0)


def test_a_held_amount_is_refunded_and_disputed_only_once_it_is_captured(
    client: stripe.StripeClient, control: Control
) -> None:
    _, payment = held(client, control)
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge to refund"):
        client.v1.refunds.create({"payment_intent": payment})
    charge = client.v1.payment_intents.retrieve(payment).latest_charge
    assert "cannot be disputed" in control("/disputes", {"charge": charge})["error"]["message"]
    client.v1.payment_intents.capture(payment, {"amount_to_capture": 2000})
    assert control("/disputes", {"charge": charge})["amount"] == 2000
    _, other = held(client, control)
    client.v1.payment_intents.capture(other, {"amount_to_capture": 2000})
    assert client.v1.refunds.create({"payment_intent": other}).amount == 2000


def test_a_held_amount_is_disputed_by_its_test_card_after_the_capture(
    client: stripe.StripeClient, control: Control
) -> None:
    _, payment = held(client, control, "pm_card_createDispute")
    control("/advance", {"seconds": 60})
    assert client.v1.disputes.list().data == []
    client.v1.payment_intents.capture(payment)
    control("/advance", {"seconds": 60})
    assert [row.amount for row in client.v1.disputes.list().data] == [3500]


def test_a_held_amount_makes_no_invoice(client: stripe.StripeClient) -> None:
    params: Any = {
        "mode": "payment",
        "line_items": [BOOK],
        "success_url": RETURN,
        "invoice_creation": {"enabled": True},
    }
    with pytest.raises(stripe.InvalidRequestError, match="cannot enable `invoice_creation`"):
        client.v1.checkout.sessions.create({**params, "payment_intent_data": {"capture_method": "manual"}})


def test_the_site_says_where_to_ship_while_the_page_is_open(
    client: stripe.StripeClient, control: Control, selling: Any
) -> None:
    params: Any = {"mode": "payment", "line_items": [BOOK], "return_url": RETURN, **EMBEDDED}
    allowed: Any = {"permissions": {"update_shipping_details": "server_only"}}
    session = client.v1.checkout.sessions.create({**params, **allowed})
    home: Any = {"name": "Alice", "address": {"country": "DE", "line1": "Hauptstraße 1"}}
    rate: Any = {"display_name": "Van", "type": "fixed_amount", "fixed_amount": {"amount": 700, "currency": "usd"}}
    given: Any = {"collected_information": {"shipping_details": home}, "metadata": {"zone": "2"}}
    rate |= {"metadata": {"by": "van"}, "delivery_estimate": {"maximum": {"unit": "day", "value": 2}}}
    fast: Any = {"display_name": "Air", "type": "fixed_amount", "fixed_amount": {"amount": 900, "currency": "usd"}}
    air = client.v1.shipping_rates.create(fast)
    given["shipping_options"] = [{"shipping_rate_data": rate}, {"shipping_rate": air.id}]
    changed = client.v1.checkout.sessions.update(session.id, given)
    assert (changed.amount_total, changed.metadata["zone"]) == (4200, "2")
    van = client.v1.shipping_rates.retrieve(str(changed.shipping_options[0].shipping_rate))
    assert (van.metadata["by"], van.delivery_estimate.maximum.value) == ("van", 2)
    assert changed.shipping_options[1].shipping_rate == air.id
    payment = control(f"/checkout/{session.id}/complete")["session"]["payment_intent"]
    assert client.v1.payment_intents.retrieve(payment).shipping.address.line1 == "Hauptstraße 1"
    for other in (selling(success_url=RETURN), client.v1.checkout.sessions.create(params), session):
        with pytest.raises(stripe.InvalidRequestError, match="server_only"):
            client.v1.checkout.sessions.update(other.id, {"shipping_options": given["shipping_options"]})

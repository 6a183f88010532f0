"""Payment links: an address that many open, a session for each visit, and its limits."""

from typing import Any

import pytest
import stripe

from .conftest import Checked, Control, Receiver
from .test_checkout_fields import SEATS
from .test_checkout_pages import types_since
from .test_pages import Browser

DAY = 86400


@pytest.fixture
def browser(sandbox: Checked) -> Browser:
    return Browser(sandbox.url)


@pytest.fixture
def book(client: stripe.StripeClient) -> stripe.Price:
    product = client.v1.products.create({"name": "Handbook"})
    return client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 3500})


@pytest.fixture
def linked(client: stripe.StripeClient, book: stripe.Price) -> Any:
    def make(price: stripe.Price = book, **more: Any) -> stripe.PaymentLink:
        params: Any = {"line_items": [{"price": price.id, "quantity": 1}], **more}
        return client.v1.payment_links.create(params)

    return make


@pytest.fixture
def visited(client: stripe.StripeClient, browser: Browser) -> Any:
    """Opens a link, as a visitor does; the session that was made for them."""

    def visit(link: stripe.PaymentLink, query: str = "") -> stripe.checkout.Session:
        status, body, location = browser.ask("GET", link.url + query)
        assert status == 303, body
        return client.v1.checkout.sessions.retrieve(str(location).rpartition("/")[2])

    return visit


def test_each_visit_makes_a_session_of_its_own(
    client: stripe.StripeClient, control: Control, linked: Any, visited: Any, forwarding: Receiver
) -> None:
    link = linked(metadata={"from": "leaflet"})
    assert (link.active, link.after_completion.type, link.currency) == (True, "hosted_confirmation", "usd")
    assert types_since(forwarding, control)[-1] == "payment_link.created"
    first, second = visited(link), visited(link, "?client_reference_id=r1&prefilled_email=eve%40example.com")
    assert (first.id == second.id, first.payment_link, first.mode) == (False, link.id, "payment")
    assert (first.metadata["from"], second.client_reference_id, first.success_url) == (
        "leaflet",
        "r1",
        "https://stripe.com",
    )
    assert (first.customer_creation, first.submit_type, first.locale) == ("if_required", "auto", "auto")
    types_since(forwarding, control)
    done = control(f"/checkout/{second.id}/complete", {"email": "eve@example.com"})["session"]
    assert (done["payment_status"], done["payment_link"]) == ("paid", link.id)
    assert types_since(forwarding, control) == [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ]
    found = client.v1.checkout.sessions.list({"payment_link": link.id, "status": "open"}).data
    assert [row.id for row in found] == [first.id]


def test_a_link_to_a_subscription_collects_and_tries(
    client: stripe.StripeClient, control: Control, linked: Any, visited: Any, price: stripe.Price
) -> None:
    ends = {"end_behavior": {"missing_payment_method": "cancel"}}
    data = {"trial_period_days": 7, "metadata": {"plan": "pro"}, "trial_settings": ends, "description": "The plan"}
    more: dict[str, Any] = {
        "subscription_data": data,
        "payment_method_collection": "if_required",
        "custom_fields": [SEATS],
        "phone_number_collection": {"enabled": True},
        "consent_collection": {"terms_of_service": "required"},
        "name_collection": {"individual": {"enabled": True}},
        "custom_text": {"submit": {"message": "Renews."}},
    }
    link = linked(price, **more)
    assert (link.subscription_data.trial_period_days, link.payment_intent_data) == (7, None)
    session = visited(link)
    assert (session.mode, session.amount_total, session.custom_text.submit.message) == ("subscription", 0, "Renews.")
    entries: Any = {"phone": "+15555550100", "custom_fields": {"seats": "3"}, "terms_of_service": True}
    done = control(f"/checkout/{session.id}/complete", {**entries, "individual_name": "Eve"})["session"]
    sub = client.v1.subscriptions.retrieve(done["subscription"])
    assert (sub.status, sub.metadata["plan"], sub.description) == ("trialing", "pro", "The plan")
    control("/advance", {"seconds": 7 * DAY + 3600})
    assert client.v1.subscriptions.retrieve(sub.id).status == "canceled"


def test_the_page_ends_where_the_link_says(browser: Browser, linked: Any, visited: Any) -> None:
    thanks = linked(after_completion={"type": "hosted_confirmation", "hosted_confirmation": {"custom_message": "Ta!"}})
    card = {"number": "4242424242424242", "email": "eve@example.com"}
    status, page, _ = browser.ask("POST", visited(thanks).url, **card)
    assert (status, "Ta!" in page) == (200, True)
    away = {"type": "redirect", "redirect": {"url": "https://example.com/done?s={CHECKOUT_SESSION_ID}"}}
    session = visited(linked(after_completion=away))
    status, _, location = browser.ask("POST", session.url, **card)
    assert (status, location) == (303, f"https://example.com/done?s={session.id}")


def test_a_link_with_a_limit_closes_itself(
    client: stripe.StripeClient, control: Control, browser: Browser, linked: Any, visited: Any, forwarding: Receiver
) -> None:
    link = linked(restrictions={"completed_sessions": {"limit": 1}}, inactive_message="All sold.")
    session = visited(link)
    types_since(forwarding, control)
    control(f"/checkout/{session.id}/complete")
    assert types_since(forwarding, control)[-1] == "payment_link.updated"
    closed = client.v1.payment_links.retrieve(link.id)
    assert (closed.active, closed.restrictions.completed_sessions.count) == (False, 1)
    status, page, _ = browser.ask("GET", link.url)
    assert (status, "All sold." in page) == (410, True)
    assert [row.id for row in client.v1.payment_links.list({"active": False}).data] == [link.id]


def test_a_change_of_a_link_counts_for_the_next_visit(
    client: stripe.StripeClient, linked: Any, visited: Any, price: stripe.Price, browser: Browser
) -> None:
    link = linked(price, optional_items=[{"price": price.id, "quantity": 1}], submit_type="book")
    before = visited(link)
    (line,) = client.v1.payment_links.line_items.list(link.id).data
    counted: Any = {"enabled": True, "maximum": 5}
    changed = client.v1.payment_links.update(
        link.id,
        {
            "line_items": [{"id": line.id, "quantity": 2, "adjustable_quantity": counted}],
            "metadata": {"v": "2"},
            "optional_items": "",
            "submit_type": "subscribe",
            "allow_promotion_codes": True,
            "subscription_data": {"metadata": {"v": "2"}},
        },
    )
    assert (changed.metadata["v"], changed.optional_items, changed.submit_type) == ("2", None, "subscribe")
    after = visited(link)
    assert (before.amount_total, after.amount_total, after.allow_promotion_codes) == (2000, 4000, True)
    (row,) = client.v1.checkout.sessions.line_items.list(after.id, {"limit": 1}).data
    assert (row.quantity, row.adjustable_quantity.maximum) == (2, 5)
    expanded = client.v1.payment_links.retrieve(link.id, {"expand": ["line_items"]})
    assert expanded.line_items.data[0].quantity == 2
    client.v1.payment_links.update(link.id, {"active": False})
    assert browser.ask("GET", link.url)[0] == 410
    with pytest.raises(stripe.InvalidRequestError, match="No such line item"):
        client.v1.payment_links.update(link.id, {"line_items": [{"id": "li_none"}]})


def test_everything_that_a_one_off_link_says_can_be_changed(
    client: stripe.StripeClient, control: Control, browser: Browser, linked: Any, visited: Any
) -> None:
    link = linked(payment_intent_data={"description": "Old"}, custom_text={"submit": {"message": "Old."}})
    fields: Any = [{"name": "Order", "value": "7"}]
    invoice: Any = {"description": "Thanks", "footer": "Bye", "custom_fields": fields, "metadata": {"k": "v"}}
    away: Any = {"type": "redirect", "redirect": {"url": "https://example.com/done"}}
    changes: Any = {
        "after_completion": away,
        "billing_address_collection": "required",
        "consent_collection": {"terms_of_service": "required", "promotions": "auto"},
        "custom_fields": [SEATS],
        "custom_text": {"submit": "", "after_submit": {"message": "New."}},
        "customer_creation": "always",
        "inactive_message": "Gone.",
        "invoice_creation": {"enabled": True, "invoice_data": invoice},
        "name_collection": {"business": {"enabled": True}},
        "payment_intent_data": {"metadata": {"k": "v"}, "setup_future_usage": "off_session"},
        "payment_method_types": ["card"],
        "phone_number_collection": {"enabled": True},
        "restrictions": {"completed_sessions": {"limit": 1}},
        "shipping_address_collection": {"allowed_countries": ["DE"]},
    }
    changed = client.v1.payment_links.update(link.id, changes)
    assert (changed.payment_intent_data.description, changed.custom_text.submit) == ("Old", None)
    session = visited(link)
    home = {"country": "DE", "line1": "Hauptstraße 1"}
    entries = {
        "email": "eve@example.com",
        "phone": "+15555550100",
        "business_name": "Eve & Co",
        "billing_address": home,
        "shipping": {"name": "Eve", "address": home},
        "custom_fields": {"seats": "3"},
        "terms_of_service": True,
    }
    done = control(f"/checkout/{session.id}/complete", entries)["session"]
    made = client.v1.invoices.retrieve(done["invoice"])
    assert (made.description, made.footer, made.custom_fields[0].value, made.metadata["k"]) == (
        "Thanks",
        "Bye",
        "7",
        "v",
    )
    intent = client.v1.payment_intents.retrieve(done["payment_intent"])
    assert (intent.description, intent.metadata["k"], intent.setup_future_usage) == ("Old", "v", "off_session")
    assert (done["consent"]["promotions"], done["custom_text"]["after_submit"]["message"]) == ("opt_out", "New.")
    assert (done["success_url"], done["customer_details"]["business_name"]) == ("https://example.com/done", "Eve & Co")
    assert (done["payment_method_configuration_details"], done["payment_method_types"]) == (None, ["card"])
    assert "Gone." in browser.ask("GET", link.url)[1]
    data: Any = {"description": "New", "setup_future_usage": ""}
    last = client.v1.payment_links.update(link.id, {"payment_intent_data": data}).payment_intent_data
    assert (last.description, last.setup_future_usage, last.metadata["k"]) == ("New", None, "v")


def test_the_trial_of_a_link_is_changed_and_ended(
    client: stripe.StripeClient, linked: Any, visited: Any, price: stripe.Price
) -> None:
    link = linked(price, subscription_data={"trial_period_days": 7, "metadata": {"kept": "yes"}})
    ends: Any = {"end_behavior": {"missing_payment_method": "pause"}}
    data: Any = {"trial_period_days": 14, "trial_settings": ends}
    changed = client.v1.payment_links.update(
        link.id, {"subscription_data": data, "payment_method_collection": "if_required"}
    )
    assert (changed.subscription_data.trial_period_days, changed.subscription_data.metadata["kept"]) == (14, "yes")
    assert visited(link).payment_method_collection == "if_required"
    ended = client.v1.payment_links.update(link.id, {"subscription_data": {"trial_period_days": ""}})
    assert (ended.subscription_data.trial_period_days, visited(link).amount_total) == (None, 2000)


def test_a_promotion_code_stands_in_the_address(client: stripe.StripeClient, linked: Any, visited: Any) -> None:
    coupon = client.v1.coupons.create({"percent_off": 20, "duration": "once"})
    client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}, "code": "TWENTY"})
    session = visited(linked(allow_promotion_codes=True), "?prefilled_promo_code=TWENTY")
    assert session.amount_total == 2800


def test_a_one_off_link_passes_on_what_its_payment_is_made_with(
    client: stripe.StripeClient, control: Control, linked: Any, visited: Any
) -> None:
    rate = client.v1.shipping_rates.create(
        {"display_name": "Van", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "usd"}}
    )
    data = {
        "description": "A book",
        "metadata": {"b": "1"},
        "capture_method": "manual",
        "setup_future_usage": "off_session",
    }
    link = linked(
        payment_intent_data=data,
        shipping_address_collection={"allowed_countries": ["DE"]},
        shipping_options=[{"shipping_rate": rate.id}],
        billing_address_collection="required",
        customer_creation="always",
        payment_method_types=["card"],
    )
    assert (link.shipping_options[0].shipping_amount, link.payment_intent_data.capture_method) == (500, "manual")
    session = visited(link, "?locked_prefilled_email=eve%40example.com&locale=de")
    assert (session.customer_email, session.locale, session.amount_total) == ("eve@example.com", "de", 4000)
    home = {"country": "DE", "line1": "Hauptstraße 1"}
    entries = {"shipping": {"name": "Eve", "address": home}, "billing_address": home}
    done = control(f"/checkout/{session.id}/complete", entries)["session"]
    intent = client.v1.payment_intents.retrieve(done["payment_intent"])
    assert (intent.status, intent.description, intent.metadata["b"]) == ("requires_capture", "A book", "1")
    assert client.v1.customers.retrieve(done["customer"]).address.country == "DE"


def test_a_link_makes_prices_on_the_spot_and_invoices(
    client: stripe.StripeClient, control: Control, visited: Any
) -> None:
    product = client.v1.products.create({"name": "Sticker"})
    lines: Any = [
        {
            "price_data": {"currency": "eur", "unit_amount": 900, "product_data": {"name": "Sticker"}},
            "quantity": 3,
            "adjustable_quantity": {"enabled": True, "maximum": 9},
        },
        {"price_data": {"currency": "eur", "unit_amount": 100, "product": product.id}, "quantity": 1},
    ]
    fields: Any = [{"name": "Order", "value": "7"}]
    data: Any = {"description": "Thanks", "metadata": {"k": "v"}, "footer": "Bye", "custom_fields": fields}
    invoice: Any = {"enabled": True, "invoice_data": data}
    consent: Any = {"promotions": "auto"}
    link = client.v1.payment_links.create(
        {"line_items": lines, "invoice_creation": invoice, "currency": "eur", "consent_collection": consent}
    )
    session = visited(link)
    row = client.v1.checkout.sessions.line_items.list(session.id).data[0]
    entries = {"email": "eve@example.com", "quantities": {row.id: 4}, "promotions": True}
    done = control(f"/checkout/{session.id}/complete", entries)["session"]
    made = client.v1.invoices.retrieve(done["invoice"])
    assert (made.amount_paid, made.currency, made.description, made.metadata["k"]) == (3700, "eur", "Thanks", "v")
    assert (made.footer, made.custom_fields[0].value, done["consent"]["promotions"]) == ("Bye", "7", "opt_in")


def test_a_link_makes_a_recurring_price_on_the_spot(client: stripe.StripeClient, visited: Any) -> None:
    data: Any = {
        "currency": "eur",
        "unit_amount": 900,
        "recurring": {"interval": "year"},
        "product_data": {"name": "Club"},
    }
    link = client.v1.payment_links.create({"line_items": [{"price_data": data, "quantity": 1}]})
    assert visited(link).mode == "subscription"


def test_a_link_takes_no_parameter_of_another_mode(client: stripe.StripeClient, linked: Any, price: Any) -> None:
    link = linked(price)
    with pytest.raises(stripe.InvalidRequestError, match="can not pass `payment_intent_data` in `subscription` mode"):
        client.v1.payment_links.update(link.id, {"payment_intent_data": {"description": "A book"}})
    with pytest.raises(stripe.InvalidRequestError, match="can not pass `subscription_data` in `payment` mode"):
        linked(subscription_data={"trial_period_days": 7})
    assert client.v1.payment_links.retrieve(link.id).payment_intent_data is None


@pytest.mark.parametrize("redirect", [{}, {"redirect": {"url": "nowhere"}}])
def test_a_link_that_leads_away_needs_an_address(linked: Any, redirect: dict[str, Any]) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        linked(after_completion={"type": "redirect", **redirect})
    assert refused.value.param == "after_completion[redirect][url]"

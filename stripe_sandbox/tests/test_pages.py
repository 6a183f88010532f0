"""The hosted pages, as a browser asks for them."""

import http.client
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import HOUR, fresh, use_card


class Browser:
    def __init__(self, base: str) -> None:
        self.host = urlsplit(base).netloc

    def ask(self, method: str, address: str, **form: str) -> tuple[int, str, str | None]:
        connection = http.client.HTTPConnection(self.host, timeout=5)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        parts = urlsplit(address)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        connection.request(method, path, urlencode(form), headers)
        answer = connection.getresponse()
        body = answer.read().decode("latin-1" if "pdf" in (answer.getheader("Content-Type") or "") else "utf-8")
        connection.close()
        return answer.status, body, answer.getheader("Location")


@pytest.fixture(autouse=True)
def saved_portal(control: Control) -> None:
    control("/portal", {})


@pytest.fixture
def browser(sandbox: Any) -> Browser:
    return Browser(sandbox.url)


def test_checkout_shows_the_price_the_test_cards_and_that_it_is_a_sandbox(browser: Browser, checkout: Any) -> None:
    status, body, _ = browser.ask("GET", checkout().url)
    assert status == 200
    assert all(words in body for words in ("$20.00", "4000 0027 6000 3184", "SANDBOX", "alice@example.com"))
    assert "http" not in body.replace("http-equiv", "")


def test_paying_leads_back_to_the_site_with_the_session(browser: Browser, checkout: Any) -> None:
    session = checkout()
    status, _, location = browser.ask("POST", session.url, number="4242 4242 4242 4242")
    assert (status, location) == (303, f"http://127.0.0.1/return?session={session.id}")
    assert browser.ask("GET", session.url)[0] == 303


def test_a_declined_card_says_so_and_can_be_replaced(browser: Browser, checkout: Any) -> None:
    session = checkout()
    status, body, _ = browser.ask("POST", session.url, number="4000000000009995")
    assert (status, "insufficient funds" in body) == (402, True)
    assert browser.ask("POST", session.url, number="4242424242424242")[0] == 303


def test_a_number_that_is_no_test_card_is_refused(browser: Browser, checkout: Any) -> None:
    status, body, _ = browser.ask("POST", checkout().url, number="1234")
    assert (status, "card number is incorrect" in body) == (402, True)


def test_3d_secure_at_checkout_can_be_failed_and_passed(browser: Browser, checkout: Any) -> None:
    session = checkout()
    number = "4000002760003184"
    assert "Complete authentication" in browser.ask("POST", session.url, number=number)[1]
    assert browser.ask("POST", session.url, number=number, outcome="authentication_failed")[0] == 402
    assert browser.ask("POST", session.url, number=number, outcome="authenticated")[0] == 303


def test_an_invoice_that_waits_for_3d_secure_is_paid_on_its_page(
    browser: Browser, client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    sub = subscribed("pm_card_authenticationRequired")
    control("/advance", {"to": sub["items"]["data"][0].current_period_end + HOUR})
    page = fresh(client, sub).latest_invoice.hosted_invoice_url
    assert "Your bank wants you to confirm" in browser.ask("GET", page)[1]
    assert "Complete authentication" in browser.ask("POST", page, number="")[1]
    assert browser.ask("POST", page, number="", outcome="authenticated")[0] == 303
    assert fresh(client, sub).status == "active"
    assert "nothing to pay" in browser.ask("GET", page)[1]


def test_an_invoice_has_a_pdf_and_a_charge_a_receipt(
    browser: Browser, client: stripe.StripeClient, subscribed: Any
) -> None:
    invoice = client.v1.invoices.retrieve(subscribed().latest_invoice)
    charge = client.v1.charges.list().data[0]
    assert browser.ask("GET", invoice.invoice_pdf)[1].startswith("%PDF-1.4")
    assert "$20.00 paid" in browser.ask("GET", charge.receipt_url)[1]


def test_the_portals_new_card_pays_what_is_open(
    browser: Browser, client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    sub = subscribed()
    use_card(client, sub, "pm_card_chargeCustomerFail")
    control("/advance", {"to": sub["items"]["data"][0].current_period_end + HOUR})
    portal = client.v1.billing_portal.sessions.create({"customer": sub.customer, "return_url": "http://127.0.0.1/"})
    assert "past due" in browser.ask("GET", portal.url)[1]
    assert browser.ask("POST", portal.url, action="card", number="5555555555554444")[0] == 303
    assert fresh(client, sub).status == "active"


def test_the_portal_cancels_by_cancel_at_alone_and_resumes(
    browser: Browser, client: stripe.StripeClient, subscribed: Any
) -> None:
    sub = subscribed()
    portal = client.v1.billing_portal.sessions.create({"customer": sub.customer})
    browser.ask("POST", portal.url, action="cancel", subscription=sub.id)
    asked = fresh(client, sub)
    assert (asked.cancel_at, asked.cancel_at_period_end) == (sub["items"]["data"][0].current_period_end, False)
    browser.ask("POST", portal.url, action="resume", subscription=sub.id)
    assert fresh(client, sub).cancel_at is None


def test_a_stranger_page_is_a_clear_404(browser: Browser) -> None:
    for path in ("/c/cs_test_nothing", "/i/in_nothing", "/p/bps_nothing", "/x/y", "/c"):
        status, body, _ = browser.ask("GET", path)
        assert (status, "That did not work" in body) == (404, True)


def test_the_overview_lists_events_deliveries_and_calls(browser: Browser, subscribed: Any) -> None:
    subscribed()
    body = browser.ask("GET", "/")[1]
    assert all(words in body for words in ("customer.subscription.created", "/v1/checkout/sessions", "invoice"))


def test_each_object_event_delivery_and_call_has_a_page_with_its_json(
    browser: Browser, forwarding: Any, control: Control, customer: Any
) -> None:
    control("/settle")
    for tab, kind in (("events", "customer.created"), ("deliveries", "customer.created"), ("calls", "/v1/customers")):
        body = browser.ask("GET", f"/{tab}")[1]
        link = next(part.split('"')[0] for part in body.split('href="')[1:] if part.startswith(f"/{tab}/"))
        status, body, _ = browser.ask("GET", link)
        assert (status, kind in body, f'<a href="/objects/{customer.id}">' in body) == (200, True, True), tab
    assert f"/objects/{customer.id}" in browser.ask("GET", "/objects/customer")[1]
    assert "alice@example.com" in browser.ask("GET", f"/objects/{customer.id}")[1]
    assert [browser.ask("GET", f"/{tab}/none")[0] for tab in ("objects", "events", "deliveries", "calls")] == [404] * 4


def test_markup_in_an_object_stays_text(browser: Browser, client: stripe.StripeClient) -> None:
    made = client.v1.customers.create({"name": "<script>alert(1)</script>"})
    for path in (f"/objects/{made.id}", "/objects/customer"):
        assert "<script>alert" not in browser.ask("GET", path)[1]


def test_one_off_payments_and_saved_cards_have_their_own_words(browser: Browser, client: stripe.StripeClient) -> None:
    data: Any = {"currency": "usd", "unit_amount": 500, "product_data": {"name": "Book"}}
    back = {"success_url": "http://127.0.0.1/"}
    paying = client.v1.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"price_data": data, "quantity": 1}], **back}
    )
    assert "Pay $5.00" in browser.ask("GET", paying.url)[1]
    assert browser.ask("POST", paying.url, number="4242424242424242", email="nobody")[0] == 400
    assert browser.ask("POST", paying.url, number="4242424242424242", email="bob@example.com")[0] == 303
    assert client.v1.checkout.sessions.retrieve(paying.id).customer_details.email == "bob@example.com"
    saving = client.v1.checkout.sessions.create({"mode": "setup", "currency": "usd", **back})
    assert "Save card" in browser.ask("GET", saving.url)[1]
    assert browser.ask("POST", saving.url, number="4242424242424242")[0] == 303


@pytest.mark.parametrize(("outcome", "result"), [("authenticated", "succeeded"), ("authentication_failed", "failed")])
def test_the_bank_leads_back_to_where_the_payment_began(
    browser: Browser, client: stripe.StripeClient, outcome: str, result: str
) -> None:
    """https://docs.stripe.com/payments/payment-intents/verifying-status: what is added to a `return_url`."""
    paying: Any = {"amount": 900, "currency": "usd", "payment_method": "pm_card_authenticationRequired"}
    intent = client.v1.payment_intents.create({**paying, "confirm": True, "return_url": "https://example.com/back?a=1"})
    page = intent.next_action.redirect_to_url.url
    assert "$9.00" in browser.ask("GET", page)[1]
    status, _, location = browser.ask("POST", page, outcome=outcome)
    assert (status, str(location).startswith("https://example.com/back?a=1&payment_intent=" + intent.id)) == (303, True)
    assert str(location).endswith(f"&redirect_status={result}")
    assert browser.ask("GET", page)[0] == 400


def test_the_bank_confirms_a_card_that_is_saved(browser: Browser, client: stripe.StripeClient) -> None:
    intent = client.v1.setup_intents.create({"payment_method": "pm_card_authenticationRequired", "confirm": True})
    page = intent.next_action.use_stripe_sdk["stripe_js"]
    assert "saving the card" in browser.ask("GET", page)[1]
    assert browser.ask("POST", page, outcome="authenticated")[0] == 200
    assert client.v1.setup_intents.retrieve(intent.id).status == "succeeded"
    assert browser.ask("GET", page.replace("seti_", "in_"))[0] == 404

"""Discounts at a Checkout: given with the session, or by a code the buyer enters."""

from typing import Any

import pytest
import stripe

from .conftest import Control, ask
from .test_billing_cycle import fresh, renew
from .test_pages import Browser


@pytest.fixture
def half(client: stripe.StripeClient) -> Any:
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once", "name": "Half"})
    promotion: Any = {"type": "coupon", "coupon": coupon.id}
    return client.v1.promotion_codes.create({"promotion": promotion, "code": "HALF"})


def test_a_session_with_a_discount_costs_less(
    client: stripe.StripeClient, control: Control, checkout: Any, half: Any
) -> None:
    session = checkout(discounts=[{"coupon": half.promotion.coupon}])
    assert (session.amount_subtotal, session.amount_total, session.total_details.amount_discount) == (2000, 1000, 1000)
    assert session.discounts[0].coupon == half.promotion.coupon
    done = control(f"/checkout/{session.id}/complete")["session"]
    sub = client.v1.subscriptions.retrieve(done["subscription"], {"expand": ["latest_invoice"]})
    assert sub.latest_invoice.amount_paid == 1000
    paths = ["total_details.breakdown", "line_items.data.discounts"]
    shown = client.v1.checkout.sessions.retrieve(session.id, {"expand": paths})
    discount = shown.total_details.breakdown.discounts[0]
    assert (discount.amount, discount.discount.checkout_session) == (1000, session.id)
    assert shown.line_items.data[0].discounts[0].amount == 1000
    renew(control, sub)
    assert fresh(client, sub).latest_invoice.amount_paid == 2000


def test_the_buyer_enters_a_code(client: stripe.StripeClient, control: Control, checkout: Any, half: Any) -> None:
    session = checkout(allow_promotion_codes=True)
    assert session.amount_total == 2000
    done = control(f"/checkout/{session.id}/complete", {"promotion_code": "half"})["session"]
    assert (done["amount_total"], done["discounts"][0]["promotion_code"]) == (1000, half.id)
    assert client.v1.promotion_codes.retrieve(half.id).times_redeemed == 1


def test_a_code_that_is_not_one_leaves_the_session_open(
    client: stripe.StripeClient, sandbox: Any, checkout: Any, half: Any
) -> None:
    closed, asking = checkout(), checkout(allow_promotion_codes=True)
    for session, code in ((closed, "HALF"), (asking, "DOUBLE")):
        url = f"{sandbox.url}/_sandbox/checkout/{session.id}/complete"
        assert ask(url, {"promotion_code": code})[0] == 400
        assert client.v1.checkout.sessions.retrieve(session.id).status == "open"


def test_one_way_of_discounting_a_session(checkout: Any, half: Any) -> None:
    for more in ({"allow_promotion_codes": True}, {"discounts": [{"coupon": half.promotion.coupon}] * 2}):
        with pytest.raises(stripe.InvalidRequestError):
            checkout(**{"discounts": [{"promotion_code": half.id}], **more})


def test_everything_off_needs_no_payment(client: stripe.StripeClient, control: Control, checkout: Any) -> None:
    free = client.v1.coupons.create({"percent_off": 100, "duration": "forever"})
    session = checkout(discounts=[{"coupon": free.id}])
    done = control(f"/checkout/{session.id}/complete")["session"]
    assert (done["amount_total"], done["payment_status"]) == (0, "no_payment_required")
    sub = client.v1.subscriptions.retrieve(done["subscription"])
    assert sub.status == "active"
    assert client.v1.charges.list({"customer": sub.customer}).data == []


@pytest.fixture
def gadget(client: stripe.StripeClient) -> Any:
    product = client.v1.products.create({"name": "Gadget"})
    return client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 3000})


@pytest.mark.parametrize("invoiced", [False, True])
def test_a_one_off_payment_is_discounted(
    client: stripe.StripeClient, control: Control, gadget: Any, half: Any, invoiced: bool
) -> None:
    params: Any = {"mode": "payment", "line_items": [{"price": gadget.id, "quantity": 1}], "success_url": "http://x/"}
    session = client.v1.checkout.sessions.create(
        {**params, "discounts": [{"promotion_code": half.id}], "invoice_creation": {"enabled": invoiced}}
    )
    done = control(f"/checkout/{session.id}/complete")["session"]
    assert client.v1.payment_intents.retrieve(done["payment_intent"]).amount_received == 1500
    shown = client.v1.checkout.sessions.retrieve(session.id, {"expand": ["total_details.breakdown"]})
    assert shown.total_details.breakdown.discounts[0].discount.promotion_code == half.id
    assert client.v1.promotion_codes.retrieve(half.id).times_redeemed == 1
    if invoiced:
        invoice = client.v1.invoices.retrieve(done["invoice"])
        assert (invoice.subtotal, invoice.total, invoice.amount_paid) == (3000, 1500, 1500)


def test_a_session_that_saves_a_card_has_nothing_to_discount(client: stripe.StripeClient, half: Any) -> None:
    params: Any = {"mode": "setup", "currency": "usd", "success_url": "http://x/", "allow_promotion_codes": True}
    with pytest.raises(stripe.InvalidRequestError, match="in `setup` mode"):
        client.v1.checkout.sessions.create(params)


def test_the_page_shows_the_new_total_or_says_why_not(
    client: stripe.StripeClient, sandbox: Any, checkout: Any, half: Any, subscribed: Any
) -> None:
    browser, session = Browser(sandbox.url), checkout(allow_promotion_codes=True)
    promotion: Any = {"type": "coupon", "coupon": half.promotion.coupon}
    asked: dict[str, Any] = {
        "GONE": {"active": False},
        "LARGE": {"restrictions": {"minimum_amount": 90000, "minimum_amount_currency": "usd"}},
        "FIRST": {"restrictions": {"first_time_transaction": True}},
        "HERS": {"customer": client.v1.customers.create({}).id},
    }
    for code, more in asked.items():
        client.v1.promotion_codes.create({"promotion": promotion, "code": code, **more})
    subscribed()
    told = {"NONE": "is invalid", "HERS": "is invalid", "GONE": "inactive", "LARGE": "larger purchase",
            "FIRST": "prior transactions"}  # fmt: skip
    for code, words in told.items():
        status, body, _ = browser.ask("POST", f"/c/{session.id}", promotion="apply", promotion_code=code)
        assert (status, words in body, "$20.00" in body) == (400, True, True), code
    assert browser.ask("POST", f"/c/{session.id}", promotion="apply", promotion_code="half")[0] == 200
    page = browser.ask("GET", f"/c/{session.id}")[1]
    assert page.count("$10.00") >= 2

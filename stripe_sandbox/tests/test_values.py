"""Values that Stripe refuses, with its codes, parameters and forms of words."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import fresh


@pytest.mark.parametrize(
    ("address", "is_right"),
    [
        ("ada@example.com", True),
        ("a.b+c@ex-ample.co.uk", True),
        ("ada", False),
        ("ada@", False),
        ("ada@home", False),
    ],
)
def test_an_email_address_looks_like_one(client: stripe.StripeClient, address: str, is_right: bool) -> None:
    """https://docs.stripe.com/error-codes#email-invalid"""
    if is_right:
        assert client.v1.customers.create({"email": address}).email == address
        return
    with pytest.raises(stripe.InvalidRequestError, match=f"Invalid email address: {address}") as refused:
        client.v1.customers.create({"email": address})
    assert (refused.value.code, refused.value.param) == ("email_invalid", "email")
    assert client.v1.customers.list().data == []


@pytest.mark.parametrize("name", ["success_url", "cancel_url"])
def test_an_address_of_the_web_looks_like_one(checkout: Any, name: str) -> None:
    """https://docs.stripe.com/error-codes#url-invalid"""
    with pytest.raises(stripe.InvalidRequestError, match="Not a valid URL") as refused:
        checkout(**{name: "/return"})
    assert (refused.value.code, refused.value.param) == ("url_invalid", name)
    assert checkout(**{name: "myapp://return"}).status == "open"


def test_every_other_address_of_the_web_looks_like_one_too(client: stripe.StripeClient, price: Any) -> None:
    line: Any = [{"price": price.id, "quantity": 1}]
    after: Any = {"type": "redirect", "redirect": {"url": "example"}}
    portal: Any = {"features": {"invoice_history": {"enabled": True}}, "default_return_url": "example"}
    for path, call in (
        ("url", lambda: client.v1.products.create({"name": "Pro", "url": "example"})),
        (
            "after_completion[redirect][url]",
            lambda: client.v1.payment_links.create({"line_items": line, "after_completion": after}),
        ),
        ("default_return_url", lambda: client.v1.billing_portal.configurations.create(portal)),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="Not a valid URL") as refused:
            call()
        assert (refused.value.code, refused.value.param) == ("url_invalid", path)


def test_a_currency_is_one_of_stripes(client: stripe.StripeClient, price: Any) -> None:
    wanted: Any = {"product": price.product, "unit_amount": 100}
    with pytest.raises(stripe.InvalidRequestError, match="Invalid currency: zzz") as refused:
        client.v1.prices.create({**wanted, "currency": "zzz"})
    assert refused.value.param == "currency"
    with pytest.raises(stripe.InvalidRequestError, match="Invalid currency"):
        client.v1.payment_intents.create({"amount": 100, "currency": "xx"})
    assert client.v1.prices.create({**wanted, "currency": "GBP"}).currency == "gbp"


def test_a_name_that_must_be_there_is_not_empty(client: stripe.StripeClient, price: Any) -> None:
    for call in (
        lambda: client.v1.products.create({"name": ""}),
        lambda: client.v1.products.update(price.product, {"name": ""}),
    ):
        with pytest.raises(stripe.InvalidRequestError, match="You passed an empty string for 'name'") as refused:
            call()
        assert (refused.value.code, refused.value.param) == ("parameter_invalid_empty", "name")


def test_an_empty_name_of_a_customer_is_no_name(client: stripe.StripeClient) -> None:
    """Recorded."""
    assert client.v1.customers.create({"name": ""}).name is None


def test_a_line_at_checkout_has_a_quantity(checkout: Any, price: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        checkout(line_items=[{"price": price.id}])
    assert (refused.value.code, refused.value.param) == ("parameter_missing", "line_items[0][quantity]")


@pytest.mark.parametrize(("interval", "most"), [("day", 1095), ("week", 156), ("month", 36), ("year", 3)])
def test_a_price_recurs_every_three_years_at_the_latest(
    client: stripe.StripeClient, price: Any, interval: Any, most: int
) -> None:
    """The SDK: "Maximum of three years interval allowed (3 years, 36 months, or 156 weeks)."""

    def every(count: int) -> Any:
        recurring: Any = {"interval": interval, "interval_count": count}
        wanted: Any = {"product": price.product, "unit_amount": 100, "currency": "usd", "recurring": recurring}
        return client.v1.prices.create(wanted)

    assert every(most).recurring.interval_count == most
    for count in (0, most + 1):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            every(count)
        assert refused.value.param == "recurring[interval_count]"


@pytest.mark.parametrize(
    ("path", "words", "param"),
    [
        ("customers/cus_x", "No such customer: 'cus_x'", "id"),
        ("payment_intents/pi_x", "No such payment_intent: 'pi_x'", "intent"),
        ("setup_intents/seti_x", "No such setupintent: 'seti_x'", "intent"),
        ("payment_methods/pm_x", "No such PaymentMethod: 'pm_x'", "id"),
        ("prices/price_x", "No such price: 'price_x'", "price"),
        ("coupons/TEN", "No such coupon: 'TEN'", "coupon"),
        ("customers/cus_x/payment_methods", "No such customer: 'cus_x'", "id"),
        ("invoices/in_x/lines", "No such invoice: 'in_x'", "id"),
    ],
)
def test_an_unknown_id_in_a_path_is_404(client: stripe.StripeClient, path: str, words: str, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.deserialize(client.raw_request("get", f"/v1/{path}"), api_mode="V1")
    error = refused.value
    assert (error.http_status, error.code, error.user_message, error.param) == (404, "resource_missing", words, param)


def test_an_unknown_id_in_a_parameter_is_400(client: stripe.StripeClient, price: Any) -> None:
    """Recorded, for a price."""
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.create({"customer": "cus_x", "items": [{"price": price.id}]})
    assert (refused.value.http_status, refused.value.param) == (400, "customer")


@pytest.mark.parametrize(
    "change", [{"items": [{"quantity": 2}]}, {"trial_end": "now"}, {"billing_cycle_anchor": "now"}]
)
def test_the_items_of_an_incomplete_subscription_cannot_change(
    client: stripe.StripeClient, customer: Any, price: Any, change: Any
) -> None:
    """The SDK, of `status`: "A subscription in this status can only have metadata and default_source updated."""
    sub = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "payment_behavior": "default_incomplete"}
    )
    if "items" in change:
        change = {"items": [{"id": sub["items"]["data"][0].id, "quantity": 2}]}
    with pytest.raises(stripe.InvalidRequestError, match="incomplete"):
        client.v1.subscriptions.update(sub.id, change)
    assert client.v1.subscriptions.update(sub.id, {"metadata": {"a": "b"}}).metadata.to_dict() == {"a": "b"}


def test_cancelling_clears_the_end_that_was_asked_for(client: stripe.StripeClient, subscribed: Any) -> None:
    """Recorded: `cancel_at` is null again, and the moment of asking stays."""
    sub = subscribed()
    asked = client.v1.subscriptions.update(sub.id, {"cancel_at_period_end": True})
    assert (asked.cancel_at_period_end, asked.cancel_at is None) == (True, False)
    over = client.v1.subscriptions.cancel(sub.id)
    assert (over.status, over.cancel_at, over.cancel_at_period_end) == ("canceled", None, False)
    assert over.canceled_at == asked.canceled_at


def test_the_end_that_was_asked_for_comes(client: stripe.StripeClient, control: Control, subscribed: Any) -> None:
    sub = subscribed()
    asked = client.v1.subscriptions.update(sub.id, {"cancel_at_period_end": True})
    control("/advance", {"to": asked.cancel_at + 1})
    over = fresh(client, sub)
    assert (over.status, over.cancel_at, over.ended_at) == ("canceled", asked.cancel_at, asked.cancel_at)


def test_a_promotion_code_for_newcomers_is_for_those_who_have_not_paid_at_all(
    client: stripe.StripeClient, customer: Any, price: Any
) -> None:
    """The SDK: `first_time_transaction` is for customers without any successful payments or invoices."""
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "once"})
    code = client.v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": coupon.id}, "restrictions": {"first_time_transaction": True}}
    )
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    wanted: Any = {"items": [{"price": price.id}], "discounts": [{"promotion_code": code.id}]}
    paid: Any = {"amount": 900, "currency": "usd", "customer": customer.id, "payment_method": card.id}
    client.v1.payment_intents.create({**paid, "confirm": True, "return_url": "https://example.com/"})
    with pytest.raises(stripe.InvalidRequestError, match="prior transactions"):
        client.v1.subscriptions.create({"customer": customer.id, "default_payment_method": card.id, **wanted})
    newcomer = client.v1.customers.create({"email": "bob@example.com"})
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": newcomer.id})
    client.v1.subscriptions.create({"customer": newcomer.id, "default_payment_method": card.id, **wanted})
    assert client.v1.promotion_codes.retrieve(code.id).times_redeemed == 1


def test_a_promotion_code_ends_with_its_coupon(client: stripe.StripeClient, customer: Any, price: Any) -> None:
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "once", "max_redemptions": 1})
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    wanted: Any = {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": card.id}
    client.v1.subscriptions.create({**wanted, "discounts": [{"coupon": coupon.id}]})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.subscriptions.create({**wanted, "discounts": [{"promotion_code": code.id}]})
    assert refused.value.code == "promotion_code_expired"


@pytest.mark.parametrize("ended_by", ["use", "time", "deletion"])
def test_a_promotion_code_is_active_as_long_as_its_coupon_is_valid(
    client: stripe.StripeClient, control: Control, subscribed: Any, ended_by: str
) -> None:
    """The SDK says so of `active`: "A promotion code is only active if the coupon is also valid."""
    soon = control("/", method="GET")["now"] + 60
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "once", "max_redemptions": 1, "redeem_by": soon})
    promotion: Any = {"type": "coupon", "coupon": coupon.id}
    codes = [client.v1.promotion_codes.create({"promotion": promotion, "code": code}).id for code in ("ONE", "TWO")]
    other = client.v1.coupons.create({"percent_off": 10, "duration": "once"})
    kept = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": other.id}, "code": "THREE"}).id
    if ended_by == "use":
        subscribed(discounts=[{"promotion_code": codes[0]}])
    elif ended_by == "time":
        control("/advance", {"seconds": 61})
    else:
        client.v1.coupons.delete(coupon.id)
    active = [client.v1.promotion_codes.retrieve(code).active for code in (*codes, kept)]
    assert active == [False, False, True]
    told = [event.data.object["id"] for event in client.v1.events.list({"type": "promotion_code.updated"}).data]
    assert set(told) == set(codes)

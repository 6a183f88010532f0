"""A customer has a discount of their own, for whatever has none."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from .conftest import Checked, Control

DAY = 86_400
Give = Callable[..., stripe.Coupon]


@pytest.fixture
def alice(client: stripe.StripeClient) -> str:
    return client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    ).id


@pytest.fixture
def given(client: stripe.StripeClient, control: Control, alice: str) -> Give:
    def give(**params: Any) -> stripe.Coupon:
        coupon = client.v1.coupons.create({"percent_off": 25, "duration": "forever", **params})
        control(f"/customers/{alice}/discount", {"coupon": coupon.id})
        return coupon

    return give


def begun(client: stripe.StripeClient, customer: str, price: Any, **more: Any) -> Any:
    params: Any = {"customer": customer, "items": [{"price": price.id}], "expand": ["latest_invoice"], **more}
    return client.v1.subscriptions.create(params)


def test_it_counts_for_a_subscription_that_has_none(
    client: stripe.StripeClient, alice: str, price: Any, given: Give, control: Control, sandbox: Checked
) -> None:
    coupon = given()
    discount = client.v1.customers.retrieve(alice).discount
    assert (discount.source.coupon, discount.customer, discount.subscription) == (coupon.id, alice, None)
    assert [event["type"] for event in sandbox.events()].count("customer.discount.created") == 1
    sub = begun(client, alice, price)
    assert (sub.latest_invoice.total, sub.latest_invoice.discounts, sub.discounts) == (1500, [discount.id], [])
    assert client.v1.invoices.create_preview({"subscription": sub.id}).total == 1500
    control("/advance", {"seconds": 32 * DAY})
    renewed: Any = client.v1.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})
    assert renewed.latest_invoice.amount_paid == 1500
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 1


def test_a_change_is_prorated_net_of_it(
    client: stripe.StripeClient, alice: str, price: Any, given: Give, control: Control
) -> None:
    given()
    sub = begun(client, alice, price)
    control("/advance", {"seconds": 60})
    item = sub["items"]["data"][0].id
    client.v1.subscriptions.update(sub.id, {"items": [{"id": item, "quantity": 2}]})
    amounts = sorted(row.amount for row in client.v1.invoice_items.list({"customer": alice}).data)
    assert amounts == [pytest.approx(-1500, abs=2), pytest.approx(3000, abs=2)]


def test_a_subscriptions_own_discount_takes_its_place(
    client: stripe.StripeClient, alice: str, price: Any, given: Give
) -> None:
    given()
    half = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    assert begun(client, alice, price, discounts=[{"coupon": half.id}]).latest_invoice.total == 1000


def test_it_is_named_for_a_subscription_beside_others(
    client: stripe.StripeClient, alice: str, price: Any, given: Give, sandbox: Checked
) -> None:
    given()
    own = client.v1.customers.retrieve(alice).discount.id
    half = client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    sub = begun(client, alice, price, discounts=[{"discount": own}, {"coupon": half.id}])
    assert (sub.latest_invoice.total, sub.discounts[0]) == (750, own)
    client.v1.subscriptions.update(sub.id, {"discounts": ""})
    assert client.v1.customers.retrieve(alice).discount.id == own
    deleted = [e["data"]["object"]["id"] for e in sandbox.events() if e["type"] == "customer.discount.deleted"]
    assert deleted == [sub.discounts[1]]


def test_it_counts_for_an_invoice_by_hand_unless_that_is_declined(
    client: stripe.StripeClient, alice: str, given: Give
) -> None:
    given()
    totals = []
    for more in ({}, {"discounts": ""}):
        params: Any = {"customer": alice, "auto_advance": False, **more}
        draft = client.v1.invoices.create(params)
        client.v1.invoice_items.create({"customer": alice, "invoice": draft.id, "amount": 1000, "currency": "usd"})
        totals.append(client.v1.invoices.retrieve(draft.id).total)
    assert totals == [750, 1000]


def test_once_is_for_one_invoice(client: stripe.StripeClient, alice: str, price: Any, given: Give) -> None:
    given(duration="once")
    assert begun(client, alice, price).latest_invoice.total == 1500
    assert client.v1.customers.retrieve(alice).discount is None
    assert begun(client, alice, price).latest_invoice.total == 2000


def test_it_ends_with_its_months(
    client: stripe.StripeClient, alice: str, price: Any, given: Give, control: Control, sandbox: Checked
) -> None:
    given(duration="repeating", duration_in_months=1)
    sub = begun(client, alice, price)
    assert client.v1.invoices.create_preview({"subscription": sub.id}).total == 2000
    control("/advance", {"seconds": 32 * DAY})
    assert client.v1.customers.retrieve(alice).discount is None
    assert [event["type"] for event in sandbox.events()].count("customer.discount.deleted") == 1


def test_it_is_taken_away(client: stripe.StripeClient, alice: str, given: Give, sandbox: Checked) -> None:
    given()
    before = client.v1.customers.retrieve(alice).discount
    gone = client.v1.customers.delete_discount(alice)
    assert (gone.deleted, gone.id) == (True, before.id)
    assert client.v1.customers.retrieve(alice).discount is None
    with pytest.raises(stripe.InvalidRequestError, match="No active discount for customer"):
        client.v1.customers.delete_discount(alice)


def test_another_one_takes_the_place_of_it(
    client: stripe.StripeClient, alice: str, given: Give, control: Control, sandbox: Checked
) -> None:
    given()
    ten = client.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    promotion: Any = {"type": "coupon", "coupon": ten.id}
    code = client.v1.promotion_codes.create({"promotion": promotion, "code": "TEN"})
    control(f"/customers/{alice}/discount", {"promotion_code": code.id})
    discount = client.v1.customers.retrieve(alice).discount
    assert (discount.promotion_code, discount.source.coupon) == (code.id, ten.id)
    assert [event["type"] for event in sandbox.events()].count("customer.discount.deleted") == 1


def test_a_customer_without_a_coupon_to_get_is_refused(alice: str, control: Control) -> None:
    assert control(f"/customers/{alice}/discount", {"coupon": "none"})["error"]["code"] == "resource_missing"
    assert control(f"/customers/{alice}/discount", {"percent": 5})["error"]["code"] == "parameter_unknown"


def test_it_is_named_for_what_is_the_customers(
    client: stripe.StripeClient, alice: str, price: Any, given: Give, control: Control
) -> None:
    given()
    own: Any = [{"discount": client.v1.customers.retrieve(alice).discount.id}]
    draft = client.v1.invoices.create({"customer": alice, "auto_advance": False, "discounts": ""})
    client.v1.invoice_items.create(
        {"customer": alice, "invoice": draft.id, "amount": 1000, "currency": "usd", "discounts": own}
    )
    added = client.v1.invoices.add_lines(draft.id, {"lines": [{"amount": 600, "discounts": own}]})
    assert added.total == 750 + 450

    item: Any = {"price": price.id, "discounts": own}
    bought: Any = {"customer": alice, "items": [item], "discounts": own, "expand": ["latest_invoice"]}
    sub = client.v1.subscriptions.create(bought)
    phases: Any = [{"items": [item], "discounts": own}]
    schedule = client.v1.subscription_schedules.create({"customer": alice, "start_date": "now", "phases": phases})
    later = client.v1.subscriptions.retrieve(str(schedule.subscription), {"expand": ["latest_invoice"]})
    assert (sub.latest_invoice.total, later.latest_invoice.total) == (1125, 1125)

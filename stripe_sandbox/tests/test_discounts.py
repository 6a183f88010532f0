"""Coupons and promotion codes: what they take off, for how long, and who may use them."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import DAY, HOUR, fresh, renew
from .test_changes import half_way, swap, team
from .test_schedules import types

__all__ = ["team"]


@pytest.fixture
def member(client: stripe.StripeClient, customer: Any, price: Any) -> Any:
    """Subscribes Alice by the API with her card."""
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})

    def subscribe(**more: Any) -> Any:
        return client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}], **more})

    return subscribe


def quarter(client: stripe.StripeClient, **more: Any) -> Any:
    return client.v1.coupons.create({"percent_off": 25, "duration": "forever", **more})


def paid(client: stripe.StripeClient, sub: Any) -> list[int]:
    return [row.amount_paid for row in client.v1.invoices.list({"subscription": sub.id, "limit": 100}).data][::-1]


@pytest.mark.parametrize(
    ("coupon", "amounts"),
    [
        ({"percent_off": 25, "duration": "forever"}, [1500] * 5),
        ({"percent_off": 33.3, "duration": "once"}, [1334, 2000, 2000, 2000, 2000]),
        ({"amount_off": 700, "currency": "usd", "duration": "repeating", "duration_in_months": 3},
         [1300, 1300, 1300, 2000, 2000]),
        ({"amount_off": 5000, "currency": "usd", "duration": "once"}, [0, 2000, 2000, 2000, 2000]),
    ],
)  # fmt: skip
def test_a_coupon_lasts_as_long_as_it_says(
    client: stripe.StripeClient, control: Control, member: Any, coupon: Any, amounts: list[int]
) -> None:
    made = client.v1.coupons.create(coupon)
    sub = member(discounts=[{"coupon": made.id}], expand=["latest_invoice"])
    invoice = sub.latest_invoice
    assert (invoice.subtotal, invoice.total) == (2000, amounts[0])
    assert [entry.amount for entry in invoice.total_discount_amounts] == [2000 - amounts[0]]
    assert [entry.amount for entry in invoice.lines.data[0].discount_amounts] == [2000 - amounts[0]]
    for _ in range(4):
        renew(control, fresh(client, sub))
    assert paid(client, sub) == amounts
    assert client.v1.coupons.retrieve(made.id).times_redeemed == 1


def test_a_discount_says_where_it_is_from_and_until_when(client: stripe.StripeClient, member: Any) -> None:
    coupon = quarter(client, duration="repeating", duration_in_months=2, id="SPRING", name="Spring")
    sub = member(discounts=[{"coupon": "SPRING"}], expand=["discounts.source.coupon"])
    discount = sub.discounts[0]
    assert (discount.source.coupon.name, discount.subscription, discount.start) == ("Spring", sub.id, sub.start_date)
    assert discount.end - discount.start in range(59 * DAY, 63 * DAY)
    assert {"coupon.created", "customer.discount.created", "coupon.updated"} <= set(types(client))
    client.v1.coupons.delete(coupon.id)
    assert client.v1.coupons.list().data == []
    assert fresh(client, sub).discounts == [discount.id]


def test_a_discount_is_taken_away(client: stripe.StripeClient, control: Control, member: Any) -> None:
    sub = member(discounts=[{"coupon": quarter(client).id}])
    client.v1.subscriptions.delete_discount(sub.id)
    assert types(client)[-2:] == ["customer.discount.deleted", "customer.subscription.updated"]
    assert fresh(client, sub).discounts == []
    with pytest.raises(stripe.InvalidRequestError, match="No active discount"):
        client.v1.subscriptions.delete_discount(sub.id)
    renew(control, sub)
    assert paid(client, sub) == [1500, 2000]


def test_discounts_are_given_and_exchanged_by_an_update(
    client: stripe.StripeClient, control: Control, member: Any
) -> None:
    sub = member()
    ten, five = (client.v1.coupons.create({"percent_off": n, "duration": "forever"}) for n in (10, 5))
    first = client.v1.subscriptions.update(sub.id, {"discounts": [{"coupon": ten.id}]})
    both: Any = [{"discount": first.discounts[0]}, {"coupon": five.id}]
    assert len(client.v1.subscriptions.update(sub.id, {"discounts": both}).discounts) == 2
    assert client.v1.invoices.create_preview({"subscription": sub.id}).total == 2000 - 200 - 90
    assert client.v1.subscriptions.update(sub.id, {"discounts": ""}).discounts == []
    renew(control, sub)
    assert paid(client, sub) == [2000, 2000]


def test_prorations_are_net_of_the_discount(
    client: stripe.StripeClient, control: Control, member: Any, team: Any
) -> None:
    sub = member(discounts=[{"coupon": quarter(client).id}])
    middle = half_way(control, sub)
    swap(client, sub, team, proration_behavior="always_invoice", proration_date=middle)
    invoice = fresh(client, sub).latest_invoice
    assert [line.amount for line in invoice.lines.data] == [-750, 1875]
    assert (invoice.total, invoice.total_discount_amounts) == (1125, [])


def test_what_was_discounted_once_is_credited_as_it_was_paid(
    client: stripe.StripeClient, control: Control, member: Any, team: Any
) -> None:
    sub = member(discounts=[{"coupon": quarter(client, duration="once").id}])
    middle = half_way(control, sub)
    swap(client, sub, team, proration_behavior="always_invoice", proration_date=middle)
    assert [line.amount for line in fresh(client, sub).latest_invoice.lines.data] == [-750, 2500]


def test_an_amount_off_is_spread_over_the_lines(
    client: stripe.StripeClient, member: Any, team: Any, price: Any
) -> None:
    coupon = client.v1.coupons.create({"amount_off": 1000, "currency": "usd", "duration": "once"})
    sub = member(items=[{"price": price.id}, {"price": team.id}], discounts=[{"coupon": coupon.id}])
    lines = fresh(client, sub).latest_invoice.lines.data
    assert [line.discount_amounts[0].amount for line in lines] == [285, 715]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"duration": "once"}, None),
        ({"percent_off": 10, "amount_off": 10, "currency": "usd"}, None),
        ({"percent_off": 101}, "percent_off"),
        ({"amount_off": 10}, "currency"),
        ({"percent_off": 10, "duration": "repeating"}, "duration"),
        ({"percent_off": 10, "redeem_by": 5}, "redeem_by"),
        ({"percent_off": 10, "max_redemptions": 0}, "max_redemptions"),
    ],
)
def test_a_coupon_that_makes_no_sense_is_refused(client: stripe.StripeClient, params: Any, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        client.v1.coupons.create(params)
    assert refused.value.param == param


def test_a_coupon_in_another_currency_is_refused(client: stripe.StripeClient, member: Any) -> None:
    coupon = client.v1.coupons.create({"amount_off": 10, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError, match="`eur`"):
        member(discounts=[{"coupon": coupon.id}])
    assert client.v1.subscriptions.list({"status": "all"}).data == []


def test_a_coupon_runs_out(client: stripe.StripeClient, control: Control, member: Any) -> None:
    few = quarter(client, max_redemptions=1)
    member(discounts=[{"coupon": few.id}])
    assert client.v1.coupons.retrieve(few.id).valid is False
    brief = quarter(client, redeem_by=few.created + DAY)
    control("/advance", {"seconds": DAY + HOUR})
    for coupon in (few, brief):
        with pytest.raises(stripe.InvalidRequestError, match="Coupon expired"):
            member(discounts=[{"coupon": coupon.id}])


def test_a_promotion_code_is_for_whom_it_says(client: stripe.StripeClient, member: Any, customer: Any) -> None:
    coupon = quarter(client)
    promotion: Any = {"type": "coupon", "coupon": coupon.id}
    bob = client.v1.customers.create({"email": "bob@example.com"})
    for_bob = client.v1.promotion_codes.create({"promotion": promotion, "code": "BOB", "customer": bob.id})
    rules: Any = {"minimum_amount": 5000, "minimum_amount_currency": "usd"}
    for_many = client.v1.promotion_codes.create({"promotion": promotion, "restrictions": rules})
    newcomer: Any = {"first_time_transaction": True}
    welcome = client.v1.promotion_codes.create({"promotion": promotion, "code": "WELCOME", "restrictions": newcomer})
    gone = client.v1.promotion_codes.create({"promotion": promotion, "active": False})
    sub = member(discounts=[{"promotion_code": welcome.id}])
    assert (fresh(client, sub).latest_invoice.total, client.v1.promotion_codes.retrieve(welcome.id).times_redeemed) == (
        1500,
        1,
    )
    for code, message in (
        (for_bob, "another customer"),
        (for_many, "larger"),
        (welcome, "prior transactions"),
        (gone, "inactive"),
    ):
        with pytest.raises(stripe.InvalidRequestError, match=message):
            member(discounts=[{"promotion_code": code.id}])
    assert [row.id for row in client.v1.promotion_codes.list({"code": "welcome"}).data] == [welcome.id]
    assert [row.id for row in client.v1.promotion_codes.list({"active": False}).data] == [gone.id]


def test_a_code_is_given_out_once(client: stripe.StripeClient) -> None:
    promotion: Any = {"type": "coupon", "coupon": quarter(client).id}
    first = client.v1.promotion_codes.create({"promotion": promotion, "code": "HELLO"})
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        client.v1.promotion_codes.create({"promotion": promotion, "code": "hello"})
    client.v1.promotion_codes.update(first.id, {"active": False})
    client.v1.promotion_codes.create({"promotion": promotion, "code": "hello"})
    assert types(client)[-2:] == ["promotion_code.updated", "promotion_code.created"]


def test_a_coupon_for_some_products_leaves_the_others(client: stripe.StripeClient, member: Any, price: Any) -> None:
    other = client.v1.products.create({"name": "Support"})
    recurring: Any = {"interval": "month"}
    support = client.v1.prices.create(
        {"product": other.id, "currency": "usd", "unit_amount": 1000, "recurring": recurring}
    )
    coupon = quarter(client, applies_to={"products": [other.id]}, expand=["applies_to"])
    assert coupon.applies_to.products == [other.id]
    sub = member(items=[{"price": price.id}, {"price": support.id}], discounts=[{"coupon": coupon.id}])
    assert fresh(client, sub).latest_invoice.total == 2750
    with pytest.raises(stripe.InvalidRequestError, match="No such product"):
        quarter(client, applies_to={"products": ["prod_none"]})


def test_a_coupon_takes_an_amount_off_in_each_of_its_currencies(
    client: stripe.StripeClient, member: Any, price: Any
) -> None:
    options: Any = {"eur": {"amount_off": 300}}
    coupon = client.v1.coupons.create(
        {"amount_off": 500, "currency": "usd", "duration": "once", "currency_options": options}
    )
    client.v1.prices.update(
        price.id, {"currency_options": {"eur": {"unit_amount": 1800}, "gbp": {"unit_amount": 1500}}}
    )
    with pytest.raises(stripe.InvalidRequestError, match="not in `gbp`"):
        member(currency="gbp", discounts=[{"coupon": coupon.id}])
    assert fresh(client, member(currency="eur", discounts=[{"coupon": coupon.id}])).latest_invoice.total == 1500


def test_an_items_discount_comes_before_the_subscriptions(
    client: stripe.StripeClient, control: Control, member: Any, price: Any, team: Any
) -> None:
    half = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    items: Any = [{"price": price.id, "discounts": [{"coupon": half.id}]}, {"price": team.id}]
    sub = member(items=items, discounts=[{"coupon": quarter(client).id}])
    lines = fresh(client, sub).latest_invoice.lines.data
    assert [[entry.amount for entry in line.discount_amounts] for line in lines] == [[1000, 250], [1250]]
    assert fresh(client, sub)["items"]["data"][0].discounts == []
    renew(control, sub)
    assert paid(client, sub) == [4500, 5250]


def test_an_item_is_given_a_discount_and_loses_it(client: stripe.StripeClient, control: Control, member: Any) -> None:
    sub, coupon = member(), quarter(client, duration="repeating", duration_in_months=2)
    item = sub["items"]["data"][0].id
    control("/advance", {"seconds": 60})
    given = client.v1.subscription_items.update(item, {"discounts": [{"coupon": coupon.id}]})
    discount = client.v1.subscriptions.retrieve(sub.id, {"expand": ["items.data.discounts"]})["items"]["data"][0]
    assert (discount.discounts[0].subscription_item, given.discounts) == (item, [discount.discounts[0].id])
    for _ in range(3):
        renew(control, fresh(client, sub))
    assert paid(client, sub) == [2000, 1500, 1500, 2000]
    client.v1.subscription_items.update(item, {"discounts": [{"coupon": coupon.id}]})
    assert client.v1.subscription_items.update(item, {"discounts": ""}).discounts == []


def test_what_an_items_discount_took_off_is_not_credited(
    client: stripe.StripeClient, control: Control, member: Any, price: Any, team: Any
) -> None:
    half = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    sub = member(items=[{"price": price.id, "discounts": [{"coupon": half.id}]}])
    middle = half_way(control, sub)
    swap(client, sub, team, proration_date=middle)
    pending = client.v1.invoice_items.list({"pending": True}).data
    assert sorted(row.amount for row in pending) == [-500, 2500]


def test_an_invoice_item_has_a_discount_of_its_own(client: stripe.StripeClient, customer: Any) -> None:
    half = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    draft = client.v1.invoices.create({"customer": customer.id})
    for more in ({"discounts": [{"coupon": half.id}]}, {}):
        client.v1.invoice_items.create({"customer": customer.id, "invoice": draft.id, "amount": 1000, **more})
    assert client.v1.invoices.retrieve(draft.id).total == 1500
    first = client.v1.invoice_items.list({"invoice": draft.id}).data[-1]
    client.v1.invoice_items.update(first.id, {"discounts": ""})
    assert client.v1.invoices.retrieve(draft.id).total == 2000


def test_a_promotion_code_asks_for_a_least_amount_in_each_currency(
    client: stripe.StripeClient, member: Any, price: Any
) -> None:
    promotion: Any = {"type": "coupon", "coupon": quarter(client).id}
    rules: Any = {"minimum_amount": 9000, "minimum_amount_currency": "usd"}
    rules["currency_options"] = {"eur": {"minimum_amount": 1000}}
    code = client.v1.promotion_codes.create({"promotion": promotion, "restrictions": rules})
    client.v1.prices.update(price.id, {"currency_options": {"eur": {"unit_amount": 1800}}})
    with pytest.raises(stripe.InvalidRequestError, match="larger purchase"):
        member(discounts=[{"promotion_code": code.id}])
    assert member(currency="eur", discounts=[{"promotion_code": code.id}]).discounts

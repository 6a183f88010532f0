"""Plans, the older form of recurring prices."""

import pytest
import stripe

from .conftest import Control


def test_a_recurring_price_is_read_as_a_plan_of_the_same_id(client: stripe.StripeClient, price: stripe.Price) -> None:
    plan = client.v1.plans.retrieve(price.id)
    assert (plan.amount, plan.interval, plan.product) == (2000, "month", price.product)


def test_a_price_that_does_not_recur_is_no_plan(client: stripe.StripeClient, price: stripe.Price) -> None:
    once = client.v1.prices.create({"product": str(price.product), "currency": "usd", "unit_amount": 700})
    with pytest.raises(stripe.InvalidRequestError, match=f"No such plan: '{once.id}'") as refused:
        client.v1.plans.retrieve(once.id)
    assert (refused.value.http_status, refused.value.code, refused.value.param) == (404, "resource_missing", "plan")
    assert [plan.id for plan in client.v1.plans.list().data] == [price.id]


def test_plans_are_listed_by_product_activity_and_age(
    client: stripe.StripeClient, price: stripe.Price, control: Control
) -> None:
    later = control("/advance", {"seconds": 60})["now"]
    yearly = client.v1.prices.create(
        {"currency": "usd", "unit_amount": 20000, "recurring": {"interval": "year"}, "product_data": {"name": "Team"}}
    )
    client.v1.prices.update(price.id, {"active": False})
    assert [plan.id for plan in client.v1.plans.list({"product": str(price.product)}).data] == [price.id]
    assert [plan.id for plan in client.v1.plans.list({"active": False}).data] == [price.id]
    assert [plan.id for plan in client.v1.plans.list({"created": {"gte": later}}).data] == [yearly.id]

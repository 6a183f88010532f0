"""Plans are the same prices under their older name."""

from typing import Any

import pytest
import stripe

from .conftest import Checked, Control


@pytest.fixture
def gold(client: stripe.StripeClient) -> stripe.Plan:
    product: Any = {"name": "Gold", "metadata": {"tier": "1"}, "unit_label": "seat", "statement_descriptor": "GOLD"}
    return client.v1.plans.create(
        {
            "id": "gold",
            "amount": 900,
            "currency": "usd",
            "interval": "week",
            "interval_count": 2,
            "nickname": "Fortnight",
            "metadata": {"a": "b"},
            "active": True,
            "usage_type": "licensed",
            "billing_scheme": "per_unit",
            "trial_period_days": 3,
            "product": {**product, "id": "prod_gold", "active": True},
        }
    )


def test_a_plan_is_a_price_too(client: stripe.StripeClient, gold: stripe.Plan, sandbox: Checked) -> None:
    assert (gold.id, gold.amount, gold.interval, gold.interval_count, gold.trial_period_days) == (
        "gold",
        900,
        "week",
        2,
        3,
    )
    price: Any = client.v1.prices.retrieve("gold", {"expand": ["product"]})
    assert (price.unit_amount, price.recurring.interval_count, price.nickname) == (900, 2, "Fortnight")
    assert (price.product.name, price.product.unit_label, price.product.metadata.to_dict()) == (
        "Gold",
        "seat",
        {"tier": "1"},
    )
    types = [event["type"] for event in sandbox.events()]
    assert types == ["product.created", "price.created", "plan.created"]


def told(sandbox: Checked) -> list[str]:
    types = [event["type"] for event in sandbox.events()]
    return [kind for kind in types if kind.partition(".")[0] in ("plan", "price", "product")]


def test_whoever_makes_a_recurring_price_hears_of_the_plan(client: stripe.StripeClient, sandbox: Checked) -> None:
    monthly: Any = {"currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}}
    price = client.v1.prices.create({**monthly, "product_data": {"name": "Pro"}})
    assert told(sandbox) == ["product.created", "price.created", "plan.created"]
    plan = sandbox.events()[-1]["data"]["object"]
    assert (plan["id"], plan["object"], plan["amount"]) == (price.id, "plan", 900)
    client.v1.prices.create({"currency": "usd", "unit_amount": 5, "product": str(price.product)})
    assert told(sandbox)[3:] == ["price.created"]


def test_whoever_changes_a_recurring_price_hears_of_the_plan_if_it_shows_it(
    client: stripe.StripeClient, price: Any, sandbox: Checked
) -> None:
    before = len(told(sandbox))
    client.v1.prices.update(price.id, {"nickname": "Old", "active": False})
    client.v1.prices.update(price.id, {"lookup_key": "other"})
    assert told(sandbox)[before:] == ["price.updated", "plan.updated", "price.updated"]
    (changed,) = [event for event in sandbox.events() if event["type"] == "plan.updated"]
    assert changed["data"]["previous_attributes"] == {"active": True, "nickname": None}


def test_a_plan_that_is_made_changed_and_deleted_tells_of_each_once(
    client: stripe.StripeClient, gold: stripe.Plan, sandbox: Checked
) -> None:
    client.v1.plans.update("gold", {"trial_period_days": 9})
    client.v1.plans.delete("gold")
    assert told(sandbox)[3:] == ["price.updated", "plan.updated", "price.deleted", "plan.deleted"]


def test_a_product_with_its_first_price_is_told_of_with_it(client: stripe.StripeClient, sandbox: Checked) -> None:
    first: Any = {"currency": "usd", "unit_amount": 900, "recurring": {"interval": "month"}}
    product = client.v1.products.create({"name": "Pro", "default_price_data": first})
    assert told(sandbox) == ["product.created", "price.created", "plan.created"]
    assert sandbox.events()[0]["data"]["object"]["default_price"] == product.default_price


def test_a_price_is_a_plan_too_if_it_recurs(client: stripe.StripeClient, price: Any) -> None:
    once = client.v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 5})
    assert client.v1.plans.retrieve(price.id).amount == 2000
    assert [row.id for row in client.v1.plans.list({"product": price.product}).data] == [price.id]
    for unknown in (once.id, "none"):
        with pytest.raises(stripe.InvalidRequestError, match="No such plan") as refused:
            client.v1.plans.retrieve(unknown)
        assert refused.value.http_status == 404


def test_a_change_of_the_plan_is_one_of_the_price(
    client: stripe.StripeClient, gold: stripe.Plan, price: Any, sandbox: Checked
) -> None:
    changed = client.v1.plans.update(
        "gold",
        {"active": False, "nickname": "Old", "metadata": {"a": ""}, "product": price.product, "trial_period_days": 9},
    )
    assert (changed.active, changed.nickname, changed.trial_period_days, changed["metadata"].to_dict()) == (
        False, "Old", 9, {},
    )  # fmt: skip
    again = client.v1.prices.retrieve("gold")
    assert (again.active, again.product, again.recurring.trial_period_days) == (False, price.product, 9)
    assert [row.id for row in client.v1.plans.list({"active": False}).data] == ["gold"]
    assert [row.id for row in client.v1.prices.list({"product": price.product}).data] == [price.id, "gold"]
    updated = [event for event in sandbox.events() if event["type"] == "plan.updated"]
    assert updated[0]["data"]["previous_attributes"]["nickname"] == "Fortnight"


def test_a_deleted_plan_is_kept_by_those_who_have_it(
    client: stripe.StripeClient, gold: stripe.Plan, control: Control
) -> None:
    alice = client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    sub = client.v1.subscriptions.create({"customer": alice.id, "items": [{"plan": "gold"}]})
    assert client.v1.plans.delete("gold").deleted is True
    assert client.v1.plans.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="No such price") as gone:
        client.v1.prices.retrieve("gold")
    assert gone.value.http_status == 404
    with pytest.raises(stripe.InvalidRequestError, match="No such price"):
        client.v1.subscriptions.create({"customer": alice.id, "items": [{"price": "gold"}]})
    item = sub["items"]["data"][0].id
    more = client.v1.subscriptions.update(sub.id, {"items": [{"id": item, "quantity": 3}]})
    assert more["items"]["data"][0].quantity == 3
    control("/advance", {"seconds": 15 * 86_400})
    latest = client.v1.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]}).latest_invoice
    assert (latest.status, latest.total) == ("paid", 2700 + 1800)


def test_what_cannot_be_a_plan_is_refused(client: stripe.StripeClient, gold: stripe.Plan, price: Any) -> None:
    month: Any = {"currency": "usd", "interval": "month"}
    for params, param in (
        ({**month, "amount": 5, "id": "gold", "product": price.product}, "id"),
        ({**month, "amount": 5}, "product"),
        ({**month, "product": price.product}, "amount"),
        ({**month, "amount": 5, "product": "prod_none"}, "product"),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            client.v1.plans.create(params)
        assert refused.value.param == param
    decimal: Any = {**month, "amount_decimal": "70", "product": price.product}
    assert client.v1.plans.create(decimal).amount == 70

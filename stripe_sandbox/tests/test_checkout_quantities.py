"""A buyer adjusts quantities at a Checkout and adds optional items, on the page and by the control plane."""

from typing import Any

import pytest
import stripe

from .conftest import Checked, Control
from .test_pages import Browser


@pytest.fixture
def support(client: stripe.StripeClient) -> stripe.Price:
    """An add-on, also monthly."""
    product = client.v1.products.create({"name": "Support"})
    rent: Any = {"interval": "month"}
    return client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 700, "recurring": rent})


@pytest.fixture
def setup_fee(client: stripe.StripeClient) -> stripe.Price:
    product = client.v1.products.create({"name": "Setup"})
    return client.v1.prices.create({"product": product.id, "currency": "usd", "unit_amount": 5000})


@pytest.fixture
def seats(checkout: Any, price: stripe.Price) -> Any:
    """Starts a Checkout of seats that the buyer may count."""

    def start(**more: Any) -> stripe.checkout.Session:
        bounds = {"enabled": True, "minimum": 2, "maximum": 10}
        line = {"price": price.id, "quantity": 3, "adjustable_quantity": bounds, "metadata": {"kind": "seat"}}
        return checkout(**{"line_items": [line], **more})

    return start


def test_a_buyer_changes_the_number_of_seats_and_pays_for_those(
    client: stripe.StripeClient, control: Control, price: stripe.Price, seats: Any
) -> None:
    session = seats()
    (line,) = client.v1.checkout.sessions.line_items.list(session.id).data
    assert (line.adjustable_quantity.minimum, line.adjustable_quantity.maximum) == (2, 10)
    assert (line.metadata["kind"], session.amount_total) == ("seat", 6000)
    done = control(f"/checkout/{session.id}/complete", {"quantities": {price.id: 5}})["session"]
    sub = client.v1.subscriptions.retrieve(done["subscription"], {"expand": ["latest_invoice"]})
    assert (done["amount_total"], sub["items"]["data"][0].quantity) == (10000, 5)
    assert sub.latest_invoice.amount_paid == 10000
    assert client.v1.checkout.sessions.line_items.list(session.id).data[0].quantity == 5


@pytest.mark.parametrize("quantity", [0, 1, 11])
def test_a_quantity_outside_of_its_bounds_is_refused(control: Control, seats: Any, price: Any, quantity: int) -> None:
    session = seats()
    answer = control(f"/checkout/{session.id}/complete", {"quantities": {price.id: quantity}})
    assert "is between 2 and 10" in answer["error"]["message"]


def test_a_quantity_that_is_fixed_cannot_be_changed(control: Control, checkout: Any, price: Any) -> None:
    session = checkout()
    answer = control(f"/checkout/{session.id}/complete", {"quantities": {price.id: 2}})
    assert "cannot be changed" in answer["error"]["message"]
    assert control(f"/checkout/{session.id}/complete", {"quantities": {"price_x": 2}})["error"]["param"] == "quantities"
    assert control(f"/checkout/{session.id}/complete", {"quantities": 3})["error"]["param"] == "quantities"


def test_one_quantity_that_is_refused_changes_none(
    client: stripe.StripeClient, control: Control, seats: Any, price: Any, support: Any
) -> None:
    session = seats(optional_items=[{"price": support.id, "quantity": 1}])
    control(f"/checkout/{session.id}/complete", {"quantities": {support.id: 1, price.id: 99}})
    assert [row.quantity for row in client.v1.checkout.sessions.line_items.list(session.id).data] == [3]
    assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 6000


def test_the_last_item_cannot_be_left_out_but_another_can(
    client: stripe.StripeClient, control: Control, checkout: Any, price: Any, setup_fee: Any
) -> None:
    free = {"enabled": True}
    lines = [{"price": one.id, "quantity": 1, "adjustable_quantity": free} for one in (price, setup_fee)]
    session = checkout(line_items=lines)
    refused = control(f"/checkout/{session.id}/complete", {"quantities": {price.id: 0}})
    assert "last item" in refused["error"]["message"]
    done = control(f"/checkout/{session.id}/complete", {"quantities": {setup_fee.id: 0}})["session"]
    assert done["amount_total"] == 2000
    assert [row.price.id for row in client.v1.checkout.sessions.line_items.list(session.id).data] == [price.id]


def test_what_is_bought_once_is_charged_with_the_first_period_only(
    client: stripe.StripeClient, control: Control, checkout: Any, price: Any, setup_fee: Any
) -> None:
    lines = [{"price": price.id, "quantity": 1}, {"price": setup_fee.id, "quantity": 1}]
    session = checkout(line_items=lines)
    sub = control(f"/checkout/{session.id}/complete")["session"]["subscription"]
    control("/advance", {"seconds": 32 * 86400})
    assert [row.amount_paid for row in client.v1.invoices.list({"subscription": sub}).data] == [2000, 7000]


def test_an_optional_item_is_taken_or_left(
    client: stripe.StripeClient, control: Control, seats: Any, support: Any, setup_fee: Any
) -> None:
    counted = {"enabled": True, "maximum": 4}
    offered = [
        {"price": support.id, "quantity": 2, "adjustable_quantity": counted},
        {"price": setup_fee.id, "quantity": 1},
    ]
    session = seats(optional_items=offered)
    assert [item.price for item in session.optional_items] == [support.id, setup_fee.id]
    assert (session.optional_items[0].adjustable_quantity.maximum, session.amount_total) == (4, 6000)
    wrong = control(f"/checkout/{session.id}/complete", {"quantities": {setup_fee.id: 2}})
    assert "cannot be changed" in wrong["error"]["message"]
    done = control(f"/checkout/{session.id}/complete", {"quantities": {support.id: 3, setup_fee.id: 0}})["session"]
    sub = client.v1.subscriptions.retrieve(done["subscription"])
    assert (done["amount_total"], len(done["optional_items"])) == (6000 + 2100, 2)
    assert sorted(item.quantity for item in sub["items"]["data"]) == [3, 3]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"optional_items": [{"price": "price_x", "quantity": 1}]}, "No such price"),
        ({"optional_items": 11}, "at most 10 optional items"),
        ({"adjustable_quantity": {"enabled": True, "maximum": 1_000_000}}, "at most 999999"),
        ({"adjustable_quantity": {"enabled": True, "maximum": 2}}, "between the minimum"),
        ({"quantity": 0, "adjustable_quantity": {"enabled": True}}, "greater than or equal to 1"),
    ],
)
def test_limits_are_held(checkout: Any, price: Any, setup_fee: Any, more: dict[str, Any], says: str) -> None:
    if more.get("optional_items") == 11:
        more = {"optional_items": [{"price": setup_fee.id, "quantity": 1}] * 11}
    if "adjustable_quantity" in more:
        more = {"line_items": [{"price": price.id, "quantity": 3, **more}]}
    with pytest.raises(stripe.InvalidRequestError, match=says):
        checkout(**more)


def test_an_optional_item_of_another_rhythm_is_refused(client: stripe.StripeClient, checkout: Any, price: Any) -> None:
    rent: Any = {"interval": "year"}
    yearly = client.v1.prices.create(
        {"product": price.product, "currency": "usd", "unit_amount": 9000, "recurring": rent}
    )
    with pytest.raises(stripe.InvalidRequestError, match="different intervals"):
        checkout(optional_items=[{"price": yearly.id, "quantity": 1}])


def test_a_discount_follows_the_quantity(
    client: stripe.StripeClient, control: Control, seats: Any, price: stripe.Price
) -> None:
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    session = seats(discounts=[{"coupon": coupon.id}])
    assert session.amount_total == 3000
    done = control(f"/checkout/{session.id}/complete", {"quantities": {price.id: 4}})["session"]
    assert (done["amount_subtotal"], done["amount_total"]) == (8000, 4000)
    assert client.v1.invoices.retrieve(done["invoice"]).amount_paid == 4000


def test_a_payment_that_was_declined_is_tried_again_over_the_new_amount(
    client: stripe.StripeClient, control: Control
) -> None:
    book: Any = {"currency": "usd", "unit_amount": 3500, "product_data": {"name": "Handbook"}}
    line: Any = {"price_data": book, "quantity": 1, "adjustable_quantity": {"enabled": True}}
    params: Any = {"mode": "payment", "line_items": [line], "success_url": "https://example.com/"}
    session = client.v1.checkout.sessions.create(params)
    (row,) = client.v1.checkout.sessions.line_items.list(session.id).data
    control(f"/checkout/{session.id}/complete", {"payment_method": "pm_card_chargeDeclined"})
    done = control(f"/checkout/{session.id}/complete", {"quantities": {row.id: 2}})["session"]
    assert client.v1.payment_intents.retrieve(done["payment_intent"]).amount_received == 7000


def test_the_page_changes_quantities_and_keeps_the_rest(
    sandbox: Checked, client: stripe.StripeClient, seats: Any, support: Any
) -> None:
    session = seats(optional_items=[{"price": support.id, "quantity": 1}])
    (row,) = client.v1.checkout.sessions.line_items.list(session.id).data
    browser, field = Browser(sandbox.url), f"quantities[{row.id}]"
    status, page, _ = browser.ask("POST", session.url, change="", number="4242 4242", **{field: "4"})
    assert (status, "$80.00" in page, 'value="4242 4242"' in page) == (200, True, True)
    page = browser.ask("POST", session.url, change=f"{support.id} 1", **{field: "4"})[1]
    assert "$87.00" in page
    assert "Remove Support" in page
    card = {"number": "4242424242424242", field: "6"}
    status, page, _ = browser.ask("POST", session.url, **card)
    assert (status, "The total is $127.00 now" in page) == (200, True)
    assert browser.ask("POST", session.url, **card)[0] == 303
    assert client.v1.checkout.sessions.retrieve(session.id).amount_total == 12700

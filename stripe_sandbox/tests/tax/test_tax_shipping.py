"""Shipping at Checkout: it is taxed automatically, and stands on the invoice of a one-off payment."""

from typing import Any

import pytest
import stripe

from ..conftest import Control
from .conftest import BERLIN, Made, sums

BUYER = {"payment_method": "pm_card_visa", "email": "ada@example.com"}
PLACE = {"billing_address": BERLIN, "name": "Ada"}
EXPAND: Any = {"expand": ["invoice.shipping_cost.taxes", "shipping_cost.taxes", "total_details.breakdown"]}


@pytest.fixture
def ships(client: stripe.StripeClient) -> Made:
    """Return a function that opens a Checkout for a book of 10 euros that is shipped for 5."""

    def make(taxed: bool = True, rates: Any = ({},), **more: Any) -> stripe.checkout.Session:
        plain: Any = {"display_name": "Ground", "type": "fixed_amount"}
        plain["fixed_amount"] = {"amount": 500, "currency": "eur"}
        options: Any = [{"shipping_rate_data": {**plain, **rate}} for rate in rates]
        book: Any = {"currency": "eur", "unit_amount": 1000, "product_data": {"name": "Book"}}
        book["tax_behavior"] = "exclusive"
        wanted: Any = {"mode": "payment", "success_url": "https://example.com/", "shipping_options": options}
        wanted["line_items"] = [{"price_data": book, "quantity": 1}]
        return client.v1.checkout.sessions.create({**wanted, "automatic_tax": {"enabled": taxed}, **more})

    return make


@pytest.fixture
def paid(client: stripe.StripeClient, control: Control) -> Made:
    def act(session: stripe.checkout.Session, **entered: Any) -> stripe.checkout.Session:
        done = control(f"/checkout/{session.id}/complete", {**BUYER, **entered})
        assert done.get("outcome") == "paid", done
        return client.v1.checkout.sessions.retrieve(session.id, EXPAND)

    return act


def cost(row: Any) -> tuple[int, int, int]:
    return row.shipping_cost.amount_subtotal, row.shipping_cost.amount_tax, row.shipping_cost.amount_total


@pytest.mark.parametrize(
    ("rate", "shipping", "total"),
    [
        ({"tax_behavior": "exclusive"}, (500, 95, 595), 1785),
        ({"tax_behavior": "inclusive"}, (500, 80, 500), 1690),
        ({}, (500, 95, 595), 1785),
        ({"tax_behavior": "exclusive", "tax_code": "txcd_10302000"}, (500, 35, 535), 1725),
        ({"tax_behavior": "exclusive", "tax_code": "txcd_00000000"}, (500, 0, 500), 1690),
        ({"fixed_amount": {"amount": 0, "currency": "eur"}}, (0, 0, 0), 1190),
    ],
)
def test_shipping_is_taxed_as_its_rate_says(ships: Made, paid: Made, rate: Any, shipping: Any, total: int) -> None:
    opened = ships(rates=[rate], invoice_creation={"enabled": True})
    assert cost(opened) == (shipping[0], 0, shipping[0])
    done = paid(opened, **PLACE)
    assert (done.amount_subtotal, done.amount_total, cost(done)) == (1000, total, shipping)
    assert (done.total_details.amount_shipping, done.total_details.amount_tax) == (shipping[0], 190 + shipping[1])
    assert sum(tax.amount for tax in done.total_details.breakdown.taxes) == 190 + shipping[1]
    invoice: Any = done.invoice
    assert (invoice.total, invoice.amount_paid, invoice.amount_shipping) == (total, total, shipping[0])
    assert (cost(invoice), invoice.shipping_cost.shipping_rate) == (shipping, done.shipping_cost.shipping_rate)
    for row in (done, invoice):
        assert [tax.amount for tax in row.shipping_cost.taxes] == [shipping[1]]


def test_an_invoice_without_tax_carries_the_shipping_and_where_to(
    client: stripe.StripeClient, ships: Made, paid: Made
) -> None:
    asked: Any = {"shipping_address_collection": {"allowed_countries": ["DE"]}, "invoice_creation": {"enabled": True}}
    done = paid(ships(taxed=False, **asked), shipping={"name": "Ada", "address": BERLIN})
    invoice: Any = done.invoice
    assert (sums(invoice), invoice.amount_shipping) == ((1000, 1500, 1500, []), 500)
    assert (invoice.shipping_details.name, invoice.shipping_details.address.city) == ("Ada", "Berlin")
    assert client.v1.payment_intents.retrieve(str(done.payment_intent)).amount == 1500


def test_another_way_to_ship_is_taxed_anew(ships: Made, paid: Made) -> None:
    fast = {"display_name": "Air", "fixed_amount": {"amount": 2000, "currency": "eur"}}
    opened = ships(rates=[{}, fast], invoice_creation={"enabled": True})
    done = paid(opened, shipping_rate=opened.shipping_options[1].shipping_rate, **PLACE)
    assert (cost(done), done.invoice.total) == ((2000, 380, 2380), 3570)


def test_tax_rates_by_hand_leave_shipping_out(
    client: stripe.StripeClient, ships: Made, paid: Made, by_hand: Made
) -> None:
    product = client.v1.products.create({"name": "Book"})
    price = client.v1.prices.create({"product": product.id, "currency": "eur", "unit_amount": 1000})
    line: Any = [{"price": price.id, "quantity": 1, "tax_rates": [by_hand(10).id]}]
    done = paid(ships(taxed=False, line_items=line, invoice_creation={"enabled": True}))
    assert (done.amount_total, cost(done), done.invoice.total) == (1600, (500, 0, 500), 1600)


def test_the_behaviour_of_a_rate_is_set_once(client: stripe.StripeClient) -> None:
    wanted: Any = {"display_name": "Ground", "type": "fixed_amount", "tax_code": "txcd_92010001"}
    rate = client.v1.shipping_rates.create({**wanted, "fixed_amount": {"amount": 500, "currency": "eur"}})
    assert (rate.tax_behavior, rate.tax_code) == ("unspecified", "txcd_92010001")
    assert client.v1.shipping_rates.update(rate.id, {"tax_behavior": "inclusive"}).tax_behavior == "inclusive"
    with pytest.raises(stripe.InvalidRequestError, match="cannot be changed"):
        client.v1.shipping_rates.update(rate.id, {"tax_behavior": "exclusive"})
    with pytest.raises(stripe.InvalidRequestError, match="No such tax code"):
        client.v1.shipping_rates.create({**wanted, "fixed_amount": rate.fixed_amount.to_dict(), "tax_code": "books"})


def test_ways_to_ship_that_the_site_offers_later_are_taxed_as_they_say(client: stripe.StripeClient, paid: Made) -> None:
    book: Any = {"currency": "eur", "unit_amount": 1000, "product_data": {"name": "Book"}, "tax_behavior": "exclusive"}
    page: Any = {"ui_mode": "embedded_page", "return_url": "https://example.com/", "automatic_tax": {"enabled": True}}
    page["permissions"] = {"update_shipping_details": "server_only"}
    page["shipping_address_collection"] = {"allowed_countries": ["DE"]}
    lines: Any = [{"price_data": book, "quantity": 1}]
    session = client.v1.checkout.sessions.create({"mode": "payment", "line_items": lines, **page})
    rate: Any = {"display_name": "Ground", "type": "fixed_amount", "fixed_amount": {"amount": 500, "currency": "eur"}}
    rate |= {"tax_behavior": "inclusive", "tax_code": "txcd_10302000"}
    changed = client.v1.checkout.sessions.update(session.id, {"shipping_options": [{"shipping_rate_data": rate}]})
    assert cost(changed) == (500, 0, 500)
    done = paid(session, shipping={"name": "Ada", "address": BERLIN}, **PLACE)
    assert (cost(done), done.amount_total) == ((500, 33, 500), 1690)


@pytest.mark.parametrize("behavior", ["inclusive", "exclusive", "unspecified"])
def test_rates_of_the_account_say_how_they_are_taxed(client: stripe.StripeClient, behavior: Any) -> None:
    wanted: Any = {"display_name": "Ground", "type": "fixed_amount", "tax_behavior": behavior}
    rate = client.v1.shipping_rates.create({**wanted, "fixed_amount": {"amount": 500, "currency": "eur"}})
    assert client.v1.shipping_rates.retrieve(rate.id).tax_behavior == behavior

"""Invoices made by hand, the items on them, and previews of what is not there yet."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import HOUR, fresh, renew
from .test_changes import team
from .test_discounts import member
from .test_schedules import types

__all__ = ["member", "team"]


@pytest.fixture
def payer(client: stripe.StripeClient, customer: Any) -> Any:
    method = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    return client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": method.id}})


def work(client: stripe.StripeClient, customer: Any, amount: int = 5000, **more: Any) -> Any:
    params = {"customer": customer.id, "amount": amount, "currency": "usd", "description": "Work", **more}
    return client.v1.invoice_items.create(params)


def test_an_invoice_is_drawn_up_item_by_item_and_paid(client: stripe.StripeClient, payer: Any) -> None:
    invoice = client.v1.invoices.create({"customer": payer.id, "description": "June"})
    assert (invoice.status, invoice.total, invoice.auto_advance, invoice.parent) == ("draft", 0, False, None)
    work(client, payer, invoice=invoice.id)
    second = work(client, payer, 1500, invoice=invoice.id)
    client.v1.invoice_items.update(second.id, {"amount": 2500})
    third = work(client, payer, 99, invoice=invoice.id)
    client.v1.invoice_items.delete(third.id)
    final = client.v1.invoices.finalize_invoice(invoice.id)
    assert (final.status, final.amount_due, final.billing_reason) == ("open", 7500, "manual")
    assert [line.amount for line in client.v1.invoices.line_items.list(invoice.id).data] == [5000, 2500]
    done = client.v1.invoices.pay(invoice.id)
    assert (done.status, done.amount_paid, done.amount_remaining) == ("paid", 7500, 0)
    assert "invoiceitem.deleted" in types(client)
    with pytest.raises(stripe.InvalidRequestError, match="Finalized invoices"):
        work(client, payer, invoice=invoice.id)
    with pytest.raises(stripe.InvalidRequestError, match="Finalized invoices"):
        client.v1.invoice_items.update(second.id, {"amount": 1})


def test_waiting_items_are_included_when_asked_for(client: stripe.StripeClient, payer: Any) -> None:
    item = work(client, payer)
    assert client.v1.invoices.create({"customer": payer.id}).total == 0
    include: Any = {"customer": payer.id, "pending_invoice_items_behavior": "include"}
    invoice = client.v1.invoices.create(include)
    assert (invoice.total, client.v1.invoice_items.retrieve(item.id).invoice) == (5000, invoice.id)
    assert client.v1.invoices.delete(invoice.id).deleted is True
    assert client.v1.invoice_items.retrieve(item.id).invoice is None
    assert client.v1.invoices.create(include).total == 5000


def test_a_one_time_price_is_invoiced_by_quantity(client: stripe.StripeClient, payer: Any, price: Any) -> None:
    hour = client.v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 900})
    invoice = client.v1.invoices.create({"customer": payer.id})
    pricing: Any = {"price": hour.id}
    item = client.v1.invoice_items.create(
        {"customer": payer.id, "invoice": invoice.id, "pricing": pricing, "quantity": 3}
    )
    assert (item.amount, str(item.pricing.unit_amount_decimal)) == (2700, "900")
    assert client.v1.invoice_items.update(item.id, {"quantity": 2}).amount == 1800
    assert client.v1.invoices.retrieve(invoice.id).total == 1800
    with pytest.raises(stripe.InvalidRequestError, match="type=one_time"):
        client.v1.invoice_items.create({"customer": payer.id, "pricing": {"price": price.id}})


def test_a_discounted_invoice(client: stripe.StripeClient, payer: Any) -> None:
    coupon = client.v1.coupons.create({"percent_off": 20, "duration": "once"})
    invoice = client.v1.invoices.create({"customer": payer.id, "discounts": [{"coupon": coupon.id}]})
    work(client, payer, invoice=invoice.id)
    shown = client.v1.invoices.retrieve(invoice.id, {"expand": ["discounts"]})
    assert (shown.subtotal, shown.total, shown.discounts[0].invoice) == (5000, 4000, invoice.id)
    assert client.v1.invoices.update(invoice.id, {"discounts": ""}).total == 5000


def test_advancing_by_itself_it_is_charged_an_hour_later(
    client: stripe.StripeClient, control: Control, payer: Any
) -> None:
    invoice = client.v1.invoices.create({"customer": payer.id, "auto_advance": True})
    work(client, payer, invoice=invoice.id)
    control("/advance", {"seconds": HOUR + 1})
    assert client.v1.invoices.retrieve(invoice.id).status == "paid"


def test_a_one_off_that_is_declined_is_not_tried_again(
    client: stripe.StripeClient, control: Control, customer: Any
) -> None:
    method = client.v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": customer.id})
    invoice = client.v1.invoices.create(
        {"customer": customer.id, "auto_advance": True, "default_payment_method": method.id}
    )
    work(client, customer, invoice=invoice.id)
    control("/advance", {"seconds": 30 * 86400})
    after = client.v1.invoices.retrieve(invoice.id)
    assert (after.status, after.attempt_count, after.next_payment_attempt) == ("open", 1, None)


def test_an_invoice_is_sent_with_a_day_to_pay_by(client: stripe.StripeClient, control: Control, payer: Any) -> None:
    terms: Any = {"customer": payer.id, "collection_method": "send_invoice"}
    with pytest.raises(stripe.InvalidRequestError, match="days_until_due"):
        client.v1.invoices.create(terms)
    invoice = client.v1.invoices.create({**terms, "days_until_due": 30})
    work(client, payer, invoice=invoice.id)
    sent = client.v1.invoices.send_invoice(invoice.id)
    assert (sent.status, sent.due_date - sent.created) == ("open", 30 * 86400)
    assert types(client)[-1] == "invoice.sent"
    control("/advance", {"seconds": 3 * HOUR})
    assert client.v1.invoices.retrieve(invoice.id).attempted is False
    charged = client.v1.invoices.create({"customer": payer.id})
    with pytest.raises(stripe.InvalidRequestError, match="collection method"):
        client.v1.invoices.send_invoice(charged.id)


@pytest.mark.parametrize("close", ["void_invoice", "mark_uncollectible"])
def test_an_open_invoice_is_closed_unpaid(client: stripe.StripeClient, payer: Any, close: str) -> None:
    invoice = client.v1.invoices.create({"customer": payer.id})
    work(client, payer, invoice=invoice.id)
    with pytest.raises(stripe.InvalidRequestError):
        getattr(client.v1.invoices, close)(invoice.id)
    client.v1.invoices.finalize_invoice(invoice.id)
    closed = getattr(client.v1.invoices, close)(invoice.id)
    assert (closed.status, closed.amount_due, closed.amount_remaining) == (closed.status, 5000, 5000)
    if close == "void_invoice":
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.invoices.pay(invoice.id)
    else:
        assert client.v1.invoices.pay(invoice.id).status == "paid"
    with pytest.raises(stripe.InvalidRequestError, match="only delete draft"):
        client.v1.invoices.delete(invoice.id)


def test_an_item_for_a_subscription_is_on_its_next_invoice(
    client: stripe.StripeClient, control: Control, member: Any
) -> None:
    sub = member()
    work(client, client.v1.customers.retrieve(sub.customer), 300, subscription=sub.id)
    assert client.v1.invoices.create_preview({"subscription": sub.id}).total == 2300
    renew(control, sub)
    assert fresh(client, sub).latest_invoice.amount_paid == 2300


def test_a_subscription_is_invoiced_between_its_renewals(client: stripe.StripeClient, member: Any) -> None:
    sub = member()
    empty = client.v1.invoices.create({"customer": sub.customer, "subscription": sub.id})
    assert (empty.status, empty.total, empty.lines.data) == ("draft", 0, [])
    work(client, client.v1.customers.retrieve(sub.customer), 300, subscription=sub.id)
    invoice = client.v1.invoices.create({"customer": sub.customer, "subscription": sub.id})
    assert (invoice.total, invoice.parent.subscription_details.subscription) == (300, sub.id)
    assert fresh(client, sub).latest_invoice.id != invoice.id


def test_a_new_subscription_is_previewed(client: stripe.StripeClient, payer: Any, price: Any, team: Any) -> None:
    coupon = client.v1.coupons.create({"percent_off": 10, "duration": "once"})
    details: Any = {"items": [{"price": price.id}, {"price": team.id, "quantity": 2}]}
    more: Any = [{"amount": 1000, "currency": "usd", "description": "Setup"}]
    params: Any = {"customer": payer.id, "subscription_details": details, "invoice_items": more}
    preview = client.v1.invoices.create_preview({**params, "discounts": [{"coupon": coupon.id}]})
    assert [line.amount for line in preview.lines.data] == [1000, 2000, 10000]
    assert (preview.subtotal, preview.total) == (13000, 11700)
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 0
    assert client.v1.subscriptions.list({"status": "all"}).data == client.v1.invoices.list().data == []
    with pytest.raises(stripe.InvalidRequestError, match="items"):
        client.v1.invoices.create_preview({"customer": payer.id})

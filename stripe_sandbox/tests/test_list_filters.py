"""Each list is narrowed by its filters, and shows the newest first."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import stripe

from .conftest import Checked, Control

DAY = 86_400
NOW = 1_900_000_000


@pytest.fixture
def v1(client: stripe.StripeClient, control: Control) -> Any:
    control("/reset", {"seed": "7", "now": NOW})
    return client.v1


def now(control: Control) -> int:
    return int(control("", method="GET")["now"])


def buyer(v1: Any, token: str = "pm_card_visa") -> str:
    made = v1.customers.create({"payment_method": token, "invoice_settings": {"default_payment_method": token}})
    return str(made.id)


def monthly(v1: Any, **more: Any) -> Any:
    made: Any = {
        "product_data": {"name": "Pro"},
        "currency": "usd",
        "unit_amount": 900,
        "recurring": {"interval": "month"},
    }
    return v1.prices.create({**made, **more})


def charged(v1: Any, token: str = "pm_card_visa", **more: Any) -> Any:
    automatic: Any = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
    intent = v1.payment_intents.create(
        {"amount": 900, "currency": "usd", "payment_method": token, "confirm": True,
         "expand": ["latest_charge"], **automatic, **more}
    )  # fmt: skip
    return intent.latest_charge


def opened(v1: Any) -> str:
    customer = buyer(v1)
    draft = v1.invoices.create({"customer": customer, "auto_advance": False})
    v1.invoice_items.create({"customer": customer, "invoice": draft.id, "amount": 900, "currency": "usd"})
    return str(v1.invoices.finalize_invoice(draft.id).id)


MAKERS: dict[str, Any] = {
    "products": lambda v1: v1.products.create({"name": "Hat"}),
    "prices": monthly,
    "plans": monthly,
    "coupons": lambda v1: v1.coupons.create({"percent_off": 5, "duration": "once"}),
    "customers": lambda v1: v1.customers.create({}),
    "payment_intents": lambda v1: v1.payment_intents.create({"amount": 900, "currency": "usd"}),
    "setup_intents": lambda v1: v1.setup_intents.create({}),
    "invoices": lambda v1: v1.invoices.create({"customer": buyer(v1)}),
    "invoice_items": lambda v1: v1.invoice_items.create({"customer": buyer(v1), "amount": 9, "currency": "usd"}),
    "subscriptions": lambda v1: v1.subscriptions.create({"customer": buyer(v1), "items": [{"price": monthly(v1).id}]}),
    "subscription_schedules": lambda v1: v1.subscription_schedules.create(
        {"customer": buyer(v1), "start_date": "now", "phases": [{"items": [{"price": monthly(v1).id}]}]}
    ),
    "charges": charged,
    "refunds": lambda v1: v1.refunds.create({"charge": charged(v1).id}),
    "disputes": lambda v1: charged(v1, "pm_card_createDispute"),
    "credit_notes": lambda v1: v1.credit_notes.create({"invoice": opened(v1), "amount": 100}),
    "invoice_payments": opened,
    "balance_transactions": charged,
    "events": lambda v1: v1.coupons.create({"percent_off": 5, "duration": "once"}),
    "checkout.sessions": lambda v1: v1.checkout.sessions.create(
        {"mode": "setup", "currency": "usd", "success_url": "http://x/"}
    ),
    "promotion_codes": lambda v1: v1.promotion_codes.create(
        {"promotion": {"type": "coupon", "coupon": v1.coupons.create({"percent_off": 5}).id}}
    ),
}


@pytest.mark.parametrize("family", MAKERS)
def test_a_list_is_narrowed_by_the_time_of_making(v1: Any, control: Control, family: str) -> None:
    service = v1
    for name in family.split("."):
        service = getattr(service, name)
    MAKERS[family](v1)
    control("/advance", {"seconds": 60})
    between = now(control)
    control("/advance", {"seconds": 60})
    MAKERS[family](v1)
    control("/advance", {"seconds": 1})
    every = {row.id: getattr(row, "created", None) or row.date for row in service.list({"limit": 100}).data}
    before = {row.id for row in service.list({"limit": 100, "created": {"lt": between}}).data}
    after = {row.id for row in service.list({"limit": 100, "created": {"gt": between}}).data}
    assert before == {key for key, created in every.items() if created < between} != set()
    assert after == {key for key, created in every.items() if created > between} != set()
    assert service.list({"created": {"gte": between - 3 * DAY, "lte": between - 2 * DAY}}).data == []


def test_promotion_codes_are_narrowed_by_coupon_and_customer(v1: Any) -> None:
    alice, coupons = buyer(v1), [v1.coupons.create({"percent_off": 5}).id for _ in range(2)]
    free, hers = (
        v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon}, **whose}).id
        for coupon, whose in zip(coupons, ({}, {"customer": alice}), strict=True)
    )
    assert ids(v1.promotion_codes.list({"coupon": coupons[0]})) == [free]
    assert ids(v1.promotion_codes.list({"customer": alice})) == [hers]
    assert ids(v1.promotion_codes.list({"customer": alice, "coupon": coupons[0]})) == []


def ids(page: Any) -> list[str]:
    return [row.id for row in page.data]


def test_products_are_narrowed(v1: Any) -> None:
    hat = v1.products.create({"name": "Hat", "url": "https://hat.example/", "active": False, "description": "Soft"})
    coat = v1.products.create({"name": "Coat", "type": "good"})
    assert (hat.description, hat.active, coat.type) == ("Soft", False, "good")
    for asked, found in (
        ({"active": False}, hat),
        ({"url": "https://hat.example/"}, hat),
        ({"ids": [coat.id]}, coat),
        ({"type": "good"}, coat),
    ):
        assert ids(v1.products.list(asked)) == [found.id], asked


def test_prices_are_narrowed(v1: Any) -> None:
    month = monthly(v1, currency="eur", active=False)
    once = v1.prices.create({"product": month.product, "currency": "usd", "unit_amount": 5})
    year = monthly(v1, recurring={"interval": "year"})
    for asked, found in (
        ({"active": False}, [month.id]),
        ({"currency": "eur"}, [month.id]),
        ({"type": "one_time"}, [once.id]),
        ({"product": month.product}, [once.id, month.id]),
        ({"recurring": {"interval": "year"}}, [year.id]),
    ):
        assert ids(v1.prices.list(asked)) == found, asked


def test_charges_refunds_and_movements_are_narrowed_by_what_they_are_of(v1: Any) -> None:
    first, second = charged(v1), charged(v1)
    refund = v1.refunds.create({"charge": first.id})
    v1.refunds.create({"charge": second.id})
    assert ids(v1.charges.list({"payment_intent": first.payment_intent})) == [first.id]
    assert ids(v1.refunds.list({"payment_intent": first.payment_intent})) == [refund.id]
    assert [row.source for row in v1.balance_transactions.list({"source": refund.id}).data] == [refund.id]
    assert len(v1.balance_transactions.list({"currency": "usd"}).data) == 4
    assert v1.balance_transactions.list({"currency": "eur"}).data == []


def test_warnings_are_narrowed(v1: Any, control: Control) -> None:
    first, second = charged(v1), charged(v1)
    made = control("/fraud_warnings", {"charge": first.id})["id"]
    control("/advance", {"seconds": 60})
    later = control("/fraud_warnings", {"charge": second.id})["id"]
    warnings = v1.radar.early_fraud_warnings
    assert ids(warnings.list({"charge": first.id})) == [made]
    assert ids(warnings.list({"payment_intent": second.payment_intent})) == [later]
    assert ids(warnings.list({"created": {"gte": NOW + 60}})) == [later]


def test_what_a_customer_has_is_narrowed(v1: Any, control: Control) -> None:
    alice = buyer(v1)
    mandate: Any = {"us_bank_account": {"account_holder_type": "individual", "account_number": "000123456789",
                                        "routing_number": "110000000", "account_type": "savings"}}  # fmt: skip
    bank = v1.payment_methods.create({"type": "us_bank_account", "billing_details": {"name": "Alice"}, **mandate})
    assert bank.us_bank_account.account_type == "savings"
    v1.payment_methods.attach(bank.id, {"customer": alice})
    assert ids(v1.customers.payment_methods.list(alice, {"type": "us_bank_account"})) == [bank.id]
    assert len(v1.customers.payment_methods.list(alice, {"type": "card"}).data) == 1

    v1.customers.balance_transactions.create(alice, {"amount": -100, "currency": "usd"})
    control("/advance", {"seconds": 60})
    invoice = v1.invoices.create({"customer": alice, "auto_advance": False})
    v1.invoice_items.create({"customer": alice, "invoice": invoice.id, "amount": 900, "currency": "usd"})
    v1.invoices.finalize_invoice(invoice.id)
    moves = v1.customers.balance_transactions
    assert [row.amount for row in moves.list(alice, {"invoice": invoice.id}).data] == [100]
    assert [row.amount for row in moves.list(alice, {"created": {"lt": NOW + 60}}).data] == [-100]


def test_setup_intents_are_narrowed_by_their_payment_method(v1: Any) -> None:
    card = v1.payment_methods.create({"type": "card", "card": {"token": "tok_visa"}}).id
    made = v1.setup_intents.create({"payment_method": card})
    v1.setup_intents.create({})
    assert ids(v1.setup_intents.list({"payment_method": card})) == [made.id]


def test_subscriptions_and_invoices_are_narrowed(v1: Any) -> None:
    one, two, alice = monthly(v1).id, monthly(v1).id, buyer(v1)
    sent: Any = {"collection_method": "send_invoice", "days_until_due": 3}
    charges = v1.subscriptions.create({"customer": alice, "items": [{"price": one}]})
    mailed = v1.subscriptions.create({"customer": alice, "items": [{"price": two}], **sent})
    assert ids(v1.subscriptions.list({"price": one})) == [charges.id]
    assert ids(v1.subscriptions.list({"collection_method": "send_invoice"})) == [mailed.id]
    assert ids(v1.invoices.list({"collection_method": "send_invoice"})) == [mailed.latest_invoice]


def test_sessions_are_narrowed(v1: Any, control: Control) -> None:
    price, alice = monthly(v1).id, buyer(v1)
    buy: Any = {"mode": "subscription", "line_items": [{"price": price, "quantity": 1}], "success_url": "http://x/"}
    ours = v1.checkout.sessions.create({**buy, "customer": alice})
    other = v1.checkout.sessions.create({**buy, "customer_email": "ben@example.com"})
    done = control(f"/checkout/{ours.id}/complete", {"payment_method": "pm_card_visa"})["session"]
    for asked, found in (
        ({"customer": alice}, ours.id),
        ({"subscription": done["subscription"]}, ours.id),
        ({"customer_details": {"email": "ben@example.com"}}, other.id),
    ):
        assert ids(v1.checkout.sessions.list(asked)) == [found], asked


def test_events_are_narrowed_by_several_types(v1: Any) -> None:
    v1.customers.create({})
    v1.coupons.create({"percent_off": 5})
    v1.products.create({"name": "Hat"})
    found = v1.events.list({"types": ["customer.created", "product.created"]})
    assert [event.type for event in found.data] == ["product.created", "customer.created"]


def test_portal_configurations_are_narrowed(v1: Any, control: Control) -> None:
    default = control("/portal", {})["id"]
    own = v1.billing_portal.configurations.create({"features": {"invoice_history": {"enabled": True}}}).id
    assert ids(v1.billing_portal.configurations.list({"is_default": True})) == [default]
    assert ids(v1.billing_portal.configurations.list({"is_default": False})) == [own]


def test_lists_of_what_there_is_none_of_take_their_filters(
    client: stripe.StripeClient, v1: Any, sandbox: Checked
) -> None:
    assert v1.accounts.list({"created": {"gt": NOW + DAY}}).data == []
    found = client.v2.core.accounts.list({"applied_configurations": ["customer"], "closed": False})
    assert found.data == []
    asked = Request(f"{sandbox.url}/v2/core/accounts?page=next", headers={"Authorization": "Bearer sk_test_any"})
    with urlopen(asked) as page:
        assert json.load(page)["data"] == []


@pytest.mark.parametrize("path", ["events", "event_destinations"])
@pytest.mark.parametrize("page", ["abc", "-1", "9" * 5000])
def test_a_page_that_no_list_named_is_refused(sandbox: Checked, path: str, page: str) -> None:
    url, key = f"{sandbox.url}/v2/core/{path}?page={page}", {"Authorization": "Bearer sk_test_any"}
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(url, headers=key))
    with refused.value as answer:
        assert (answer.code, json.load(answer)["error"]["param"]) == (400, "page")

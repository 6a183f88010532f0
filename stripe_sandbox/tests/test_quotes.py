"""Quotes are drawn up, finalized, accepted into an invoice, a subscription or a schedule, canceled, and revised."""

from collections.abc import Callable
from typing import Any

import pytest
import stripe

from .conftest import Checked, Control

DAY = 86_400
Quoted = Callable[..., stripe.Quote]


@pytest.fixture
def hour(client: stripe.StripeClient, price: stripe.Price) -> stripe.Price:
    return client.v1.prices.create({"product": str(price.product), "currency": "usd", "unit_amount": 700})


@pytest.fixture
def quoted(client: stripe.StripeClient, customer: stripe.Customer, price: stripe.Price) -> Quoted:
    """Make drafts for Alice, over one month."""

    def make(**more: Any) -> stripe.Quote:
        return client.v1.quotes.create({"customer": customer.id, "line_items": [{"price": price.id}], **more})

    return make


def refused(call: Callable[[], Any]) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as error:
        call()
    return error.value


def test_a_quote_goes_from_draft_to_open_to_accepted_and_becomes_a_subscription(
    client: stripe.StripeClient, quoted: Quoted, customer: Any, control: Control, sandbox: Checked
) -> None:
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    client.v1.customers.update(customer.id, {"invoice_settings": {"default_payment_method": card.id}})
    quote = quoted(subscription_data={"metadata": {"deal": "7"}, "description": "The deal"})
    assert (quote.status, quote.number, quote.expires_at - quote.created) == ("draft", None, 30 * DAY)
    opened = client.v1.quotes.finalize_quote(quote.id)
    prefix = client.v1.customers.retrieve(customer.id).invoice_prefix
    assert (opened.status, opened.number) == ("open", f"QT-{prefix}-0001-1")
    accepted = client.v1.quotes.accept(quote.id, {"expand": ["subscription.latest_invoice"]})
    sub: Any = accepted.subscription
    assert (accepted.status, sub.status, sub.metadata.to_dict(), sub.description) == (
        "accepted", "active", {"deal": "7"}, "The deal",
    )  # fmt: skip
    assert (sub.latest_invoice.status, sub.latest_invoice.amount_due) == ("draft", 2000)
    control("/advance", {"seconds": 4000})
    assert client.v1.invoices.retrieve(sub.latest_invoice.id).status == "paid"
    types = [event["type"] for event in sandbox.events() if event["type"].startswith("quote.")]
    assert types == ["quote.created", "quote.finalized", "quote.accepted"]


def test_one_time_prices_alone_become_a_draft_invoice(client: stripe.StripeClient, quoted: Quoted, hour: Any) -> None:
    settings: Any = {
        "days_until_due": 9,
        "description": "As agreed",
        "footer": "Thanks",
        "custom_fields": [{"name": "PO", "value": "8"}],
    }
    quote = quoted(
        line_items=[{"price": hour.id, "quantity": 3}], collection_method="send_invoice", invoice_settings=settings
    )
    assert (quote.amount_total, quote.computed.recurring) == (2100, None)
    client.v1.quotes.finalize_quote(quote.id)
    accepted = client.v1.quotes.accept(quote.id, {"expand": ["invoice"]})
    invoice: Any = accepted.invoice
    assert (invoice.status, invoice.total, invoice.collection_method) == ("draft", 2100, "send_invoice")
    assert invoice.parent.to_dict() == {
        "quote_details": {"quote": quote.id}, "subscription_details": None, "type": "quote_details",
    }  # fmt: skip
    assert round((invoice.due_date - invoice.created) / DAY) == 9
    assert (invoice.description, invoice.footer, invoice.custom_fields[0].value) == ("As agreed", "Thanks", "8")
    sent = client.v1.invoices.send_invoice(invoice.id)
    assert (sent.status, accepted.subscription) == ("open", None)


def test_a_later_date_becomes_a_schedule_that_begins_then(
    client: stripe.StripeClient, quoted: Quoted, price: Any, hour: Any, control: Control
) -> None:
    begins = control("", method="GET")["now"] + 10 * DAY
    quote = quoted(
        line_items=[{"price": price.id, "quantity": 2}, {"price": hour.id}],
        subscription_data={"effective_date": begins, "metadata": {"deal": "8"}},
        collection_method="send_invoice",
        invoice_settings={"days_until_due": 14},
    )
    client.v1.quotes.finalize_quote(quote.id)
    accepted = client.v1.quotes.accept(quote.id, {"expand": ["subscription_schedule"]})
    schedule: Any = accepted.subscription_schedule
    assert (schedule.status, schedule.phases[0].start_date, accepted.subscription) == ("not_started", begins, None)
    control("/advance", {"seconds": 10 * DAY + 60})
    begun = client.v1.subscription_schedules.retrieve(schedule.id, {"expand": ["subscription.latest_invoice"]})
    sub: Any = begun.subscription
    assert (sub.status, sub.metadata.to_dict(), sub.days_until_due) == ("active", {"deal": "8"}, 14)
    assert sub.latest_invoice.total == 4700


def test_a_date_in_the_past_is_ignored(client: stripe.StripeClient, quoted: Quoted, control: Control) -> None:
    begins = control("", method="GET")["now"] + 10 * DAY
    quote = quoted(subscription_data={"effective_date": begins})
    client.v1.quotes.finalize_quote(quote.id)
    control("/advance", {"seconds": 11 * DAY})
    accepted = client.v1.quotes.accept(quote.id)
    assert (accepted.subscription_schedule, bool(accepted.subscription)) == (None, True)


def test_a_quote_says_what_is_due_at_once_and_what_recurs(
    client: stripe.StripeClient, quoted: Quoted, price: Any, hour: Any
) -> None:
    half = client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    once = client.v1.coupons.create({"amount_off": 300, "currency": "usd", "duration": "once"})
    quote = quoted(
        line_items=[
            {"price": price.id, "quantity": 2, "discounts": [{"coupon": half.id}]},
            {"price": hour.id},
            {"price_data": {"currency": "usd", "product": price.product, "unit_amount": 100}},
        ],
        discounts=[{"coupon": once.id}],
        expand=["line_items", "computed.upfront.line_items", "total_details.breakdown", "discounts"],
    )
    upfront, recurring = quote.computed.upfront, quote.computed.recurring
    assert (upfront.amount_subtotal, upfront.amount_total) == (4800, 2500)
    assert (quote.amount_subtotal, quote.amount_total, quote.total_details.amount_discount) == (4800, 2500, 2300)
    assert recurring is not None
    assert (recurring.amount_subtotal, recurring.amount_total, recurring.interval) == (4000, 2000, "month")
    assert [row.amount_subtotal for row in quote.line_items.data] == [4000, 700, 100]
    assert len(upfront.line_items.data) == 3
    breakdown = quote.total_details.breakdown
    assert breakdown is not None
    assert sorted(entry.amount for entry in breakdown.discounts) == [300, 2000]
    assert [row.source.coupon for row in quote.discounts] == [once.id]
    assert client.v1.coupons.retrieve(once.id).times_redeemed == 0

    client.v1.quotes.finalize_quote(quote.id)
    sub: Any = client.v1.quotes.accept(quote.id, {"expand": ["subscription.latest_invoice"]}).subscription
    assert sub.latest_invoice.total == 2500
    assert client.v1.coupons.retrieve(once.id).times_redeemed == 1


def test_a_trial_is_not_due_at_once(client: stripe.StripeClient, quoted: Quoted, price: Any, hour: Any) -> None:
    quote = quoted(line_items=[{"price": price.id}, {"price": hour.id}], subscription_data={"trial_period_days": 7})
    assert (quote.computed.upfront.amount_total, quote.computed.recurring.amount_total) == (700, 2000)
    listed = client.v1.quotes.computed_upfront_line_items.list(quote.id).data
    assert [row.amount_total for row in listed] == [700]
    assert [row.quantity for row in client.v1.quotes.line_items.list(quote.id).data] == [1, 1]
    client.v1.quotes.finalize_quote(quote.id)
    sub: Any = client.v1.quotes.accept(quote.id, {"expand": ["subscription.latest_invoice"]}).subscription
    assert (sub.status, sub.latest_invoice.total) == ("trialing", 700)


def test_a_draft_is_changed_and_an_open_one_only_in_its_expiry(
    client: stripe.StripeClient, quoted: Quoted, price: Any, hour: Any
) -> None:
    quote = quoted(header="Dear Alice", expand=["line_items"])
    first = quote.line_items.data[0]
    changed = client.v1.quotes.update(
        quote.id,
        {
            "line_items": [{"id": first.id, "quantity": 4}, {"price": hour.id}],
            "description": "More of it",
            "footer": "Yours",
            "header": "",
            "metadata": {"a": "b"},
            "expand": ["line_items"],
        },
    )
    assert (changed.amount_total, changed.description, changed.footer, changed.header, changed.metadata.to_dict()) == (
        8700, "More of it", "Yours", None, {"a": "b"},
    )  # fmt: skip
    assert changed.line_items.data[0].id == first.id
    client.v1.quotes.finalize_quote(quote.id, {"expires_at": quote.created + 5 * DAY})
    later = client.v1.quotes.update(quote.id, {"expires_at": quote.created + 9 * DAY})
    assert later.expires_at == quote.created + 9 * DAY
    assert refused(lambda: client.v1.quotes.update(quote.id, {"description": "x"})).code == "quote_unexpected_state"


def test_a_quote_that_expires_is_canceled(
    client: stripe.StripeClient, quoted: Quoted, control: Control, sandbox: Checked
) -> None:
    quote, other = quoted(), quoted()
    client.v1.quotes.finalize_quote(quote.id)
    client.v1.quotes.update(other.id, {"expires_at": other.created + 90 * DAY})
    control("/advance", {"seconds": 30 * DAY + 60})
    gone = client.v1.quotes.retrieve(quote.id)
    assert (gone.status, gone.status_transitions.canceled_at) == ("canceled", quote.expires_at)
    assert client.v1.quotes.retrieve(other.id).status == "draft"
    assert [event["type"] for event in sandbox.events()].count("quote.canceled") == 1
    assert refused(lambda: client.v1.quotes.accept(quote.id)).code == "quote_unexpected_state"


def test_a_revision_takes_the_place_of_its_quote(client: stripe.StripeClient, quoted: Quoted, price: Any) -> None:
    first = client.v1.quotes.finalize_quote(quoted(description="One").id)
    second = client.v1.quotes.create({"from_quote": {"quote": first.id, "is_revision": True}})
    assert (second.description, second.amount_total, second.from_quote.is_revision) == ("One", 2000, True)
    assert client.v1.quotes.finalize_quote(second.id).number == str(first.number)[:-1] + "2"
    assert client.v1.quotes.retrieve(first.id).status == "canceled"
    copy = client.v1.quotes.create({"from_quote": {"quote": second.id}, "description": "Another"})
    assert (copy.description, copy.customer) == ("Another", second.customer)
    assert str(client.v1.quotes.finalize_quote(copy.id).number).endswith("-0002-1")
    assert client.v1.quotes.retrieve(second.id).status == "open"


def test_what_is_not_ready_is_refused(client: stripe.StripeClient, quoted: Quoted, customer: Any, hour: Any) -> None:
    nobody = client.v1.quotes.create({"line_items": [{"price": hour.id}]})
    assert refused(lambda: client.v1.quotes.finalize_quote(nobody.id)).param == "customer"
    assert client.v1.quotes.update(nobody.id, {"customer": customer.id}).customer == customer.id
    empty = client.v1.quotes.create({"customer": customer.id})
    assert refused(lambda: client.v1.quotes.finalize_quote(empty.id)).param == "line_items"
    sent = quoted(collection_method="send_invoice")
    assert refused(lambda: client.v1.quotes.finalize_quote(sent.id)).param == "days_until_due"
    draft = quoted()
    assert refused(lambda: client.v1.quotes.accept(draft.id)).code == "quote_unexpected_state"
    client.v1.quotes.cancel(draft.id)
    assert refused(lambda: client.v1.quotes.cancel(draft.id)).code == "quote_unexpected_state"
    stranger = client.v1.customers.create({})
    other = quoted()
    assert refused(lambda: client.v1.quotes.update(other.id, {"customer": stranger.id})).param == "customer"
    assert refused(lambda: quoted(expires_at=5)).param == "expires_at"
    later: Any = {"effective_date": "current_period_end"}
    assert refused(lambda: quoted(subscription_data=later)).code == "sandbox_not_covered"
    assert refused(lambda: quoted(invoice_settings={"footer": "x"})).code == "sandbox_not_covered"


def test_quotes_are_listed_by_customer_and_status(client: stripe.StripeClient, quoted: Quoted, customer: Any) -> None:
    first, second = quoted(), client.v1.quotes.finalize_quote(quoted().id)
    listed = client.v1.quotes.list({"customer": customer.id, "status": "open"}).data
    assert [row.id for row in listed] == [second.id]
    assert [row.id for row in client.v1.quotes.list().data] == [second.id, first.id]


def test_a_quote_lives_in_the_time_of_its_customers_clock(client: stripe.StripeClient, price: Any) -> None:
    clock = client.v1.test_helpers.test_clocks.create({"frozen_time": 1_900_000_000})
    alice = client.v1.customers.create({"test_clock": clock.id})
    items: Any = [{"price": price.id}]
    quote = client.v1.quotes.create({"customer": alice.id, "line_items": items})
    ours = client.v1.quotes.create({"test_clock": clock.id, "line_items": items})
    assert (quote.test_clock, quote.created) == (clock.id, 1_900_000_000)
    assert [row.id for row in client.v1.quotes.list({"test_clock": clock.id}).data] == [ours.id, quote.id]


def test_the_pdf_of_a_finalized_quote_is_downloaded(
    client: stripe.StripeClient, quoted: Quoted, sandbox: Checked
) -> None:
    quote = quoted(header="Dear Alice")
    files = stripe.StripeClient(sandbox.key, base_addresses={"api": sandbox.url, "files": sandbox.url})
    assert refused(lambda: files.v1.quotes.pdf(quote.id)).code == "quote_unexpected_state"
    number = client.v1.quotes.finalize_quote(quote.id).number
    content = files.v1.quotes.pdf(quote.id).io.read()
    assert content.startswith(b"%PDF")
    assert all(text.encode() in content for text in (str(number), "Dear Alice", "$20.00"))


@pytest.mark.parametrize("at", ["create", "update"])
def test_a_quote_takes_all_that_it_says(
    client: stripe.StripeClient, customer: Any, price: Any, control: Control, at: str
) -> None:
    half = client.v1.coupons.create({"percent_off": 50, "duration": "forever"}).id
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": half}}).id
    begins = control("", method="GET")["now"] + 9 * DAY
    data: Any = {"currency": "usd", "product": price.product, "unit_amount": 1000, "tax_behavior": "exclusive"}
    monthly = {**data, "recurring": {"interval": "month"}}
    given: Any = {
        "line_items": [
            {"price_data": monthly, "quantity": 2, "discounts": [{"promotion_code": code}]},
            {"price_data": data, "discounts": [{"coupon": half}]},
        ],
        "discounts": [{"coupon": half}, {"promotion_code": code}],
        "collection_method": "send_invoice",
        "invoice_settings": {"days_until_due": 5},
        "subscription_data": {
            "description": "Ours",
            "effective_date": begins,
            "metadata": {"a": "b"},
            "trial_period_days": 3,
        },
        "footer": "Yours",
    }
    if at == "create":
        mode: Any = {"type": "flexible", "flexible": {"proration_discounts": "included"}}
        given["subscription_data"]["billing_mode"] = mode
        quote = client.v1.quotes.create({"customer": customer.id, **given})
    else:
        quote = client.v1.quotes.update(client.v1.quotes.create({"customer": customer.id}).id, given)
    assert (quote.amount_subtotal, quote.amount_total, quote.footer) == (1000, 125, "Yours")
    assert (quote.computed.recurring.amount_total, quote.invoice_settings.days_until_due) == (250, 5)
    shown = quote.subscription_data
    assert (shown.description, shown.effective_date, shown.trial_period_days) == ("Ours", begins, 3)
    client.v1.quotes.finalize_quote(quote.id)
    schedule: Any = client.v1.quotes.accept(quote.id, {"expand": ["subscription_schedule"]}).subscription_schedule
    assert (schedule.phases[0].trial_end, schedule.phases[0].metadata.to_dict()) == (begins + 3 * DAY, {"a": "b"})
    control("/advance", {"to": begins + 60})
    begun = client.v1.subscription_schedules.retrieve(schedule.id).subscription
    sub = client.v1.subscriptions.retrieve(str(begun), {"expand": ["latest_invoice"]})
    assert (sub.status, sub.latest_invoice.total, sub.description) == ("trialing", 125, "Ours")


def test_the_invoice_of_a_quote_is_described_by_an_update(
    client: stripe.StripeClient, customer: Any, hour: Any
) -> None:
    quote = client.v1.quotes.create({"customer": customer.id, "line_items": [{"price": hour.id}]})
    fields: Any = [{"name": "PO", "value": "8"}]
    settings: Any = {"description": "As agreed", "footer": "Thanks", "custom_fields": fields}
    client.v1.quotes.update(quote.id, {"invoice_settings": settings})
    client.v1.quotes.finalize_quote(quote.id)
    invoice: Any = client.v1.quotes.accept(quote.id, {"expand": ["invoice"]}).invoice
    assert (invoice.description, invoice.footer, invoice.custom_fields[0].name) == ("As agreed", "Thanks", "PO")

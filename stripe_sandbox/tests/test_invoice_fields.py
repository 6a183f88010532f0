"""Invoices, their lines and their credit notes keep what they are told, and act on it."""

from typing import Any

import pytest
import stripe

from .conftest import Control

DAY = 86_400


@pytest.fixture
def v1(client: stripe.StripeClient) -> Any:
    return client.v1


@pytest.fixture
def alice(v1: Any) -> str:
    made = v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    return str(made.id)


@pytest.fixture
def hour(v1: Any, price: Any) -> str:
    return str(v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 700}).id)


@pytest.fixture
def half(v1: Any) -> str:
    return str(v1.coupons.create({"percent_off": 50, "duration": "forever"}).id)


@pytest.fixture
def code(v1: Any, half: str) -> str:
    return str(v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": half}}).id)


def draft(v1: Any, alice: str, *items: Any, **more: Any) -> Any:
    made = v1.invoices.create({"customer": alice, "auto_advance": False, **more})
    for item in items:
        v1.invoice_items.create({"customer": alice, "invoice": made.id, "currency": made.currency, **item})
    return v1.invoices.retrieve(made.id)


def test_an_invoice_is_in_a_currency_due_at_a_date_and_discounted_by_a_code(
    v1: Any, alice: str, code: str, control: Control
) -> None:
    due = control("", method="GET")["now"] + 9 * DAY
    made = draft(
        v1,
        alice,
        {"amount": 900},
        currency="eur",
        collection_method="send_invoice",
        due_date=due,
        discounts=[{"promotion_code": code}],
    )
    assert (made.currency, made.due_date, made.total) == ("eur", due, 450)


def test_an_invoice_is_changed_while_it_is_a_draft(v1: Any, alice: str, half: str, code: str, control: Control) -> None:
    card = v1.payment_methods.attach("pm_card_mastercard", {"customer": alice}).id
    made = draft(v1, alice, {"amount": 900})
    first = v1.invoices.update(made.id, {"discounts": [{"coupon": half}], "default_payment_method": card})
    assert (first.total, first.default_payment_method) == (450, card)
    kept = v1.invoices.update(made.id, {"discounts": [{"discount": first.discounts[0]}, {"promotion_code": code}]})
    assert (kept.total, kept.discounts[0]) == (225, first.discounts[0])
    v1.invoices.update(made.id, {"auto_advance": True})
    control("/advance", {"seconds": 2 * 3600 + 60})
    paid = v1.invoices.retrieve(made.id)
    intent = v1.invoice_payments.list({"invoice": made.id}).data[0].payment.payment_intent
    assert (paid.status, v1.payment_intents.retrieve(intent).payment_method) == ("paid", card)


@pytest.mark.parametrize(("advances", "status"), [(True, "paid"), (False, "open")])
def test_a_finalized_invoice_advances_by_itself_if_told(
    v1: Any, alice: str, control: Control, advances: bool, status: str
) -> None:
    made = draft(v1, alice, {"amount": 900})
    v1.invoices.finalize_invoice(made.id, {"auto_advance": advances})
    control("/advance", {"seconds": 3700})
    assert v1.invoices.retrieve(made.id).status == status


def test_an_invoice_is_paid_on_or_off_session(v1: Any, control: Control) -> None:
    person = v1.customers.create({})
    # This card asks for 3D Secure whenever its owner is there, and once it is set up no more when they are not.
    given = {"payment_method": "pm_card_authenticationRequiredOnSetup", "customer": person.id, "confirm": True}
    set_up = v1.setup_intents.create(given)
    control(f"/setup_intents/{set_up.id}", {"outcome": "authenticated"})
    asks, made = {"payment_method": set_up.payment_method}, draft(v1, person.id, {"amount": 900})
    with pytest.raises(stripe.CardError) as refused:
        v1.invoices.pay(made.id, {**asks, "off_session": False})
    assert refused.value.code == "invoice_payment_intent_requires_action"
    assert v1.invoices.pay(draft(v1, person.id, {"amount": 900}).id, {**asks, "off_session": True}).status == "paid"


ITEM: Any = {
    "metadata": {"a": "b"},
    "period": {"start": 1_800_000_000, "end": 1_800_086_400},
    "description": "Work",
    "discountable": True,
}


def line_of(invoice: Any, index: int = 0) -> tuple[Any, ...]:
    line = invoice.lines.data[index]
    period = {"start": line.period.start, "end": line.period.end}
    return line.description, line.metadata.to_dict(), period, line.discountable


def test_an_item_says_what_it_is_for_and_is_discounted(v1: Any, alice: str, hour: str, half: str, code: str) -> None:
    made = draft(v1, alice, {"amount": 800, **ITEM, "discounts": [{"promotion_code": code}]})
    assert (line_of(made), made.total) == (("Work", {"a": "b"}, ITEM["period"], True), 400)
    item = made.lines.data[0].parent.invoice_item_details.invoice_item
    own = made.lines.data[0].discounts[0]
    later: Any = {"start": 1_900_000_000, "end": 1_900_086_400}
    v1.invoice_items.update(
        item,
        {
            "description": "Play",
            "metadata": {"c": "d"},
            "period": later,
            "pricing": {"price": hour},
            "quantity": 3,
            "discounts": [{"discount": own}, {"coupon": half}],
        },
    )
    changed = v1.invoices.retrieve(made.id)
    assert line_of(changed) == ("Play", {"a": "b", "c": "d"}, later, True)
    assert (changed.subtotal, changed.total, changed.lines.data[0].discounts[0]) == (525, 525, own)
    v1.invoice_items.update(item, {"discounts": [{"promotion_code": code}], "discountable": False})
    assert v1.invoices.retrieve(made.id).total == 2100


def test_lines_are_added_changed_and_removed(v1: Any, alice: str, hour: str, half: str, code: str) -> None:
    made = draft(v1, alice)
    added = v1.invoices.add_lines(
        made.id,
        {
            "lines": [
                {"amount": 800, **ITEM, "discounts": [{"coupon": half}]},
                {"pricing": {"price": hour}, "quantity": 2, "discounts": [{"promotion_code": code}]},
                {"amount": 100, "discountable": False},
            ]
        },
    )
    assert sorted(line.amount for line in added.lines.data) == [100, 800, 1400]
    assert added.total == 400 + 700 + 100
    first = next(line for line in added.lines.data if line.amount == 800)
    own, later = first.discounts[0], {"start": 1_900_000_000, "end": 1_900_086_400}
    change: Any = {"description": "Play", "metadata": {"a": "", "c": "d"}, "period": later, "discountable": True}
    updated = v1.invoices.update_lines(
        made.id,
        {
            "lines": [{"id": first.id, **change, "pricing": {"price": hour}, "quantity": 4,
                       "discounts": [{"discount": own}, {"coupon": half}, {"promotion_code": code}]}],
            "invoice_metadata": {"round": "2"},
        },
    )  # fmt: skip
    line = next(line for line in updated.lines.data if line.id == first.id)
    assert (line.amount, line.description, line.metadata.to_dict()) == (2800, "Play", {"c": "d"})
    assert ({"start": line.period.start, "end": line.period.end}, line.discounts[0]) == (later, own)
    assert (sum(each.amount for each in line.discount_amounts), updated.metadata.to_dict()) == (2450, {"round": "2"})
    left = v1.invoices.remove_lines(
        made.id, {"lines": [{"id": first.id, "behavior": "delete"}], "invoice_metadata": {"round": "3"}}
    )
    assert (left.total, left.metadata.to_dict()) == (800, {"round": "3"})


def test_one_line_is_changed(v1: Any, alice: str, hour: str, half: str, code: str) -> None:
    made = draft(v1, alice, {"amount": 800, "discounts": [{"coupon": half}]})
    first = made.lines.data[0]
    later: Any = {"start": 1_900_000_000, "end": 1_900_086_400}
    line = v1.invoices.line_items.update(
        made.id,
        first.id,
        {
            "pricing": {"price": hour},
            "quantity": 2,
            "discounts": [{"discount": first.discounts[0]}, {"promotion_code": code}],
            "metadata": {"a": "b"},
            "period": later,
            "discountable": True,
        },
    )
    assert (line.amount, line.quantity, line.metadata.to_dict()) == (1400, 2, {"a": "b"})
    assert (line.period.to_dict(), line.discountable, v1.invoices.retrieve(made.id).total) == (later, True, 350)
    v1.invoices.line_items.update(made.id, first.id, {"discounts": [{"coupon": half}], "discountable": False})
    assert v1.invoices.retrieve(made.id).total == 1400


def test_a_credit_note_says_why_and_its_preview_is_the_note(v1: Any, alice: str, hour: str) -> None:
    made = draft(v1, alice, {"pricing": {"price": hour}, "quantity": 4, "description": "Hours"})
    paid = v1.invoices.pay(made.id)
    line: Any = {"type": "invoice_line_item", "invoice_line_item": paid.lines.data[0].id, "quantity": 2}
    custom: Any = {"type": "custom_line_item", "description": "Trouble", "quantity": 2, "unit_amount": 50}
    parts: Any = {"refund_amount": 500, "credit_amount": 600, "out_of_band_amount": 400}
    asked: Any = {"invoice": paid.id, "reason": "order_change", "memo": "Sorry", "lines": [line, custom], **parts}
    preview = v1.credit_notes.preview(asked)
    note = v1.credit_notes.create(asked)
    for each in (preview, note):
        assert (each.reason, each.memo, each.total, each.out_of_band_amount) == ("order_change", "Sorry", 1500, 400)
        assert [row.amount for row in each.lines.data] == [1400, 100]
        assert [row.description for row in each.lines.data] == ["Hours", "Trouble"]
    assert v1.customers.retrieve(alice).balance == -600
    part: Any = {"invoice": paid.id, "lines": [{**line, "quantity": 1, "amount": 300}], "refund_amount": 300}
    del part["lines"][0]["quantity"]
    assert v1.credit_notes.preview(part).total == 300
    assert [row.id for row in v1.credit_notes.list({"invoice": paid.id}).data] == [note.id]


def test_a_preview_of_items_says_what_they_would_cost(v1: Any, alice: str, hour: str, price: Any, code: str) -> None:
    entry: Any = {"price": hour, "quantity": 3, "metadata": {"a": "b"}, "period": ITEM["period"], "discountable": False}
    of: Any = {"customer": alice, "currency": "usd", "discounts": [{"promotion_code": code}]}
    preview = v1.invoices.create_preview({**of, "invoice_items": [entry, {"amount": 100, "currency": "usd"}]})
    assert (preview.subtotal, preview.total, preview.currency) == (2200, 2150, "usd")
    line = next(line for line in preview.lines.data if line.quantity == 3)
    assert (line.metadata.to_dict(), line.discountable, line.period.start) == ({"a": "b"}, False, 1_800_000_000)


PO: Any = {"name": "PO number", "value": "4711"}


def test_what_a_subscription_says_stands_on_each_of_its_invoices(
    v1: Any, alice: str, price: Any, control: Control
) -> None:
    settings: Any = {"custom_fields": [PO], "description": "As agreed", "footer": "Thank you"}
    terms: Any = {"collection_method": "send_invoice", "days_until_due": 30, "invoice_settings": settings}
    v1.customers.update(
        alice, {"invoice_settings": {"custom_fields": [{"name": "VAT", "value": "1"}], "footer": "Bye"}}
    )
    sub = v1.subscriptions.create({"customer": alice, "items": [{"price": price.id}], **terms})
    shown = sub.invoice_settings
    assert (shown.custom_fields[0].value, shown.description, shown.footer) == ("4711", "As agreed", "Thank you")
    v1.invoices.send_invoice(sub.latest_invoice)
    control("/advance", {"seconds": 32 * DAY})
    for invoice in v1.invoices.list({"subscription": sub.id}).data:
        assert (invoice.custom_fields[0].name, len(invoice.custom_fields)) == ("PO number", 1)
        assert (invoice.description, invoice.footer) == ("As agreed", "Thank you")
    assert len(v1.invoices.list({"subscription": sub.id}).data) == 2
    cleared = v1.subscriptions.update(sub.id, {"invoice_settings": {"custom_fields": ""}})
    assert cleared.invoice_settings.custom_fields is None


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ([PO] * 5, "at most 4 custom fields"),
        ([{"name": "N" * 41, "value": "1"}], "name of a custom field may have at most 40"),
        ([{"name": "N", "value": "1" * 141}], "value of a custom field may have at most 140"),
        ([{"name": "N"}], "value"),
    ],
)
def test_the_custom_fields_of_a_subscription_have_limits(
    v1: Any, alice: str, price: Any, fields: Any, says: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=says):
        v1.subscriptions.create(
            {"customer": alice, "items": [{"price": price.id}], "invoice_settings": {"custom_fields": fields}}
        )

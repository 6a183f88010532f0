"""Subscriptions and their items keep what they are told, and act on it."""

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
    card: Any = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    return str(v1.customers.create(card).id)


@pytest.fixture
def extra(v1: Any, price: Any) -> str:
    month: Any = {"interval": "month"}
    made: Any = {"product": price.product, "currency": "usd", "unit_amount": 1000, "recurring": month}
    return str(v1.prices.create(made).id)


@pytest.fixture
def fee(v1: Any, price: Any) -> str:
    return str(v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 600}).id)


@pytest.fixture
def half(v1: Any) -> str:
    return str(v1.coupons.create({"percent_off": 50, "duration": "forever"}).id)


@pytest.fixture
def code(v1: Any, half: str) -> str:
    return str(v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": half}}).id)


def begun(v1: Any, alice: str, *items: Any, **more: Any) -> Any:
    return v1.subscriptions.create({"customer": alice, "items": list(items), "expand": ["latest_invoice"], **more})


def fresh(v1: Any, sub: Any) -> Any:
    return v1.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})


def item(sub: Any, index: int = 0) -> Any:
    return sub["items"]["data"][index]


def test_what_is_added_at_the_start_is_on_the_first_invoice(
    v1: Any, alice: str, price: Any, fee: str, half: str
) -> None:
    added: Any = [
        {"price": fee, "quantity": 2, "metadata": {"a": "b"}},
        {"price": fee, "discountable": False},
    ]
    sub = begun(v1, alice, {"price": price.id}, add_invoice_items=added, discounts=[{"coupon": half}])
    lines = {(line.amount, line.discountable): line for line in sub.latest_invoice.lines.data}
    assert lines[1200, True].metadata.to_dict() == {"a": "b"}
    assert (sorted(lines), sub.latest_invoice.total) == ([(600, False), (1200, True), (2000, True)], 2200)


def test_it_may_be_to_end_from_the_start(v1: Any, alice: str, price: Any, control: Control) -> None:
    sub = begun(v1, alice, {"price": price.id}, cancel_at_period_end=True)
    assert (sub.cancel_at_period_end, sub.cancel_at) == (True, item(sub).current_period_end)
    control("/advance", {"seconds": 32 * DAY})
    assert fresh(v1, sub).status == "canceled"
    least = begun(v1, alice, {"price": price.id}, cancel_at="min_period_end")
    assert (least.cancel_at_period_end, least.cancel_at) == (False, item(least).current_period_end)


def test_a_trial_ends_at_a_date(v1: Any, alice: str, price: Any, control: Control) -> None:
    at = control("", method="GET")["now"] + 9 * DAY
    sub = begun(v1, alice, {"price": price.id}, trial_end=at)
    assert (sub.status, sub.trial_end) == ("trialing", at)


def test_an_item_is_priced_inline_and_discounted_by_a_code(v1: Any, alice: str, price: Any, code: str) -> None:
    data: Any = {"currency": "usd", "product": price.product, "unit_amount": 700, "recurring": {"interval": "month"}}
    sub = begun(
        v1, alice, {"price_data": {**data, "tax_behavior": "exclusive"}, "discounts": [{"promotion_code": code}]}
    )
    assert (sub.latest_invoice.total, item(sub).price.tax_behavior) == (350, "exclusive")
    changed = v1.subscriptions.update(
        sub.id,
        {"items": [{"id": item(sub).id, "price_data": {**data, "tax_behavior": "inclusive", "unit_amount": 900}}]},
    )
    assert (item(changed).price.unit_amount, item(changed).price.tax_behavior) == (900, "inclusive")


@pytest.mark.parametrize(("decimal", "quantity", "total"), [("0.5", 100, 50), ("12.34", 3, 37), ("700", 1, 700)])
def test_an_item_is_changed_to_a_price_of_fractions(
    v1: Any, alice: str, price: Any, decimal: str, quantity: int, total: int
) -> None:
    sub = begun(v1, alice, {"price": price.id})
    data: Any = {"currency": "usd", "product": price.product, "recurring": {"interval": "month"}}
    priced = {"id": item(sub).id, "quantity": quantity, "price_data": {**data, "unit_amount_decimal": decimal}}
    changed = v1.subscriptions.update(sub.id, {"items": [priced], "proration_behavior": "none"})
    assert str(item(changed).price.unit_amount_decimal) == decimal
    lines = v1.invoices.create_preview({"subscription": sub.id}).lines.data
    assert sum(line.amount for line in lines) == total


def test_the_discounts_of_an_item_are_kept_by_their_ids(
    v1: Any, alice: str, price: Any, half: str, code: str, control: Control
) -> None:
    sub = begun(v1, alice, {"price": price.id, "discounts": [{"coupon": half}]})
    own = item(sub).discounts[0]
    both: Any = [{"discount": own}, {"promotion_code": code}]
    changed = v1.subscriptions.update(sub.id, {"items": [{"id": item(sub).id, "discounts": both}]})
    assert (item(changed).discounts[0], len(item(changed).discounts)) == (own, 2)
    control("/advance", {"seconds": 32 * DAY})
    assert fresh(v1, sub).latest_invoice.total == 500


def test_the_discounts_of_the_whole_are_kept_by_their_ids(
    v1: Any, alice: str, price: Any, half: str, code: str
) -> None:
    sub = begun(v1, alice, {"price": price.id}, discounts=[{"coupon": half}])
    own = sub.discounts[0]
    changed = v1.subscriptions.update(sub.id, {"discounts": [{"discount": own}, {"promotion_code": code}]})
    assert (changed.discounts[0], len(changed.discounts)) == (own, 2)


def test_an_item_is_deleted(v1: Any, alice: str, price: Any, extra: str) -> None:
    sub = begun(v1, alice, {"price": price.id}, {"price": extra})
    gone: Any = {"items": [{"id": item(sub, 1).id, "deleted": True}]}
    assert v1.invoices.create_preview(
        {"subscription": sub.id, "subscription_details": {"items": [{"id": item(sub, 1).id, "deleted": True}]}}
    ).lines.data[0].amount in range(-1000, 1)
    assert [row.price.id for row in v1.subscriptions.update(sub.id, gone)["items"]["data"]] == [price.id]


def test_a_change_off_session_is_declined_where_the_card_asks_for_its_owner(
    v1: Any, alice: str, price: Any, extra: str
) -> None:
    sub = begun(v1, alice, {"price": price.id})
    asks = v1.payment_methods.attach("pm_card_authenticationRequired", {"customer": alice}).id
    v1.subscriptions.update(sub.id, {"default_payment_method": asks})
    change: Any = {"proration_behavior": "always_invoice", "payment_behavior": "error_if_incomplete"}
    with pytest.raises(stripe.CardError) as refused:
        v1.subscriptions.update(sub.id, {"items": [{"price": extra}], **change, "off_session": True})
    assert refused.value.code == "subscription_payment_intent_requires_action"
    assert len(fresh(v1, sub)["items"]["data"]) == 1
    on_set_up = v1.payment_methods.attach("pm_card_authenticationRequiredSetupForOffSession", {"customer": alice}).id
    v1.subscriptions.update(sub.id, {"default_payment_method": on_set_up})
    more = {"quantity": 3, "off_session": True, **change}
    assert v1.subscription_items.update(item(sub).id, more).quantity == 3


def test_a_missing_card_at_the_end_of_a_trial_is_provided_for_later(v1: Any, price: Any, control: Control) -> None:
    poor = v1.customers.create({}).id
    sub = begun(v1, poor, {"price": price.id}, trial_period_days=3)
    ends: Any = {"end_behavior": {"missing_payment_method": "cancel"}}
    changed = v1.subscriptions.update(sub.id, {"trial_settings": ends})
    assert changed.trial_settings.end_behavior.missing_payment_method == "cancel"
    control("/advance", {"seconds": 3 * DAY + 60})
    assert fresh(v1, sub).status == "canceled"


def test_a_card_is_saved_on_the_subscription_from_now_on(v1: Any, price: Any, control: Control) -> None:
    poor = v1.customers.create({}).id
    sub = begun(v1, poor, {"price": price.id}, payment_behavior="default_incomplete")
    settings: Any = {"save_default_payment_method": "on_subscription"}
    v1.subscriptions.update(sub.id, {"payment_settings": settings})
    intent = v1.invoice_payments.list({"invoice": sub.latest_invoice.id}).data[0].payment.payment_intent
    v1.payment_intents.confirm(intent, {"payment_method": "pm_card_visa"})
    assert fresh(v1, sub).default_payment_method == v1.payment_intents.retrieve(intent).payment_method


def test_why_it_ends_is_written_down(v1: Any, alice: str, price: Any) -> None:
    details: Any = {"comment": "Too dear", "feedback": "too_expensive"}
    first, second = begun(v1, alice, {"price": price.id}), begun(v1, alice, {"price": price.id})
    changed = v1.subscriptions.update(first.id, {"cancel_at_period_end": True, "cancellation_details": details})
    ended = v1.subscriptions.cancel(second.id, {"cancellation_details": details})
    for sub in (changed, ended):
        assert (sub.cancellation_details.comment, sub.cancellation_details.feedback) == ("Too dear", "too_expensive")


def test_items_one_by_one_are_prorated_from_a_date(
    v1: Any, alice: str, price: Any, extra: str, half: str, control: Control
) -> None:
    sub = begun(v1, alice, {"price": price.id})
    start, end = item(sub).current_period_start, item(sub).current_period_end
    middle = (start + end) // 2
    how: Any = {"proration_date": middle, "payment_behavior": "allow_incomplete"}
    added = v1.subscription_items.create(
        {"subscription": sub.id, "price": extra, "quantity": 2, "discounts": [{"coupon": half}], **how}
    )
    assert (added.quantity, len(added.discounts)) == (2, 1)
    waiting = v1.invoice_items.list({"customer": alice, "pending": True}).data
    assert [row.amount for row in waiting] == [500]  # half of two, for half of a month
    changed = v1.subscription_items.update(added.id, {"quantity": 4, **how})
    assert (changed.quantity, changed.price.id) == (4, extra)
    assert sum(row.amount for row in v1.invoice_items.list({"customer": alice, "pending": True}).data) == 1000
    v1.subscription_items.delete(added.id, how)
    assert sum(row.amount for row in v1.invoice_items.list({"customer": alice, "pending": True}).data) == 0


def test_an_item_gets_another_price(v1: Any, alice: str, price: Any, extra: str) -> None:
    sub = begun(v1, alice, {"price": price.id})
    assert v1.subscription_items.update(item(sub).id, {"price": extra}).price.id == extra


def test_an_item_whose_payment_fails_waits_or_is_refused(v1: Any, alice: str, price: Any, extra: str) -> None:
    sub = begun(v1, alice, {"price": price.id})
    bad = v1.payment_methods.attach("pm_card_chargeCustomerFail", {"customer": alice}).id
    v1.subscriptions.update(sub.id, {"default_payment_method": bad})
    now: Any = {"proration_behavior": "always_invoice"}
    with pytest.raises(stripe.CardError):
        v1.subscription_items.create(
            {"subscription": sub.id, "price": extra, **now, "payment_behavior": "error_if_incomplete"}
        )
    held = v1.subscription_items.create(
        {"subscription": sub.id, "price": extra, **now, "payment_behavior": "pending_if_incomplete"}
    )
    assert held.price.id == extra
    after = fresh(v1, sub)
    assert ([row.price.id for row in after["items"]["data"]], bool(after.pending_update)) == ([price.id], True)


@pytest.mark.parametrize(
    ("details", "total"),
    [
        ({"billing_cycle_anchor": "now"}, 0),
        ({"trial_end": "now"}, None),
        ({"items": [{"metadata": {"a": "b"}, "quantity": 2}]}, 4000),
    ],
)
def test_a_preview_of_a_change_says_what_it_would_cost(
    v1: Any, alice: str, price: Any, control: Control, details: Any, total: int | None
) -> None:
    trial: Any = {"trial_period_days": 7} if total is None else {}
    sub = begun(v1, alice, {"price": price.id}, **trial)
    if "items" in details:
        details = {"items": [{"id": item(sub).id, **details["items"][0]}], "proration_behavior": "none"}
    preview = v1.invoices.create_preview({"subscription": sub.id, "subscription_details": details})
    assert preview.total == (2000 if total is None else total)
    assert fresh(v1, sub)["items"]["data"][0].quantity == 1


def test_a_preview_tries_out_discounts_in_place_of_the_subscriptions_own(
    v1: Any, alice: str, price: Any, half: str, code: str
) -> None:
    sub = begun(v1, alice, {"price": price.id}, discounts=[{"coupon": half}])
    for discounts, total in (([{"coupon": half}, {"promotion_code": code}], 500), ("", 2000), (None, 1000)):
        tried: Any = {} if discounts is None else {"discounts": discounts}
        preview = v1.invoices.create_preview({"subscription": sub.id, "customer": alice, "currency": "usd", **tried})
        assert preview.total == total
    assert fresh(v1, sub).discounts == sub.discounts
    for name, value in (("customer", v1.customers.create({}).id), ("currency", "eur")):
        with pytest.raises(stripe.InvalidRequestError, match=f"has another {name}"):
            v1.invoices.create_preview({"subscription": sub.id, name: value})

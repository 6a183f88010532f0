"""The phases of schedules keep what they are told, act on it, and are previewed with it."""

from typing import Any

import pytest
import stripe

from .conftest import Control

DAY, HOUR = 86_400, 3_600


@pytest.fixture
def v1(client: stripe.StripeClient) -> Any:
    return client.v1


@pytest.fixture
def alice(v1: Any) -> str:
    card: Any = {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    return str(v1.customers.create(card).id)


@pytest.fixture
def half(v1: Any) -> str:
    return str(v1.coupons.create({"percent_off": 50, "duration": "forever"}).id)


@pytest.fixture
def code(v1: Any, half: str) -> str:
    return str(v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": half}}).id)


@pytest.fixture
def fee(v1: Any, price: Any) -> str:
    return str(v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 600}).id)


@pytest.fixture
def euro(v1: Any, price: Any) -> str:
    made: Any = {
        "product": price.product,
        "currency": "usd",
        "unit_amount": 1000,
        "recurring": {"interval": "month"},
        "currency_options": {"eur": {"unit_amount": 800}},
    }
    return str(v1.prices.create(made).id)


def begun(v1: Any, alice: str, *phases: Any, **more: Any) -> Any:
    return v1.subscription_schedules.create({"customer": alice, "start_date": "now", "phases": list(phases), **more})


def fresh(v1: Any, schedule: Any) -> Any:
    return v1.subscriptions.retrieve(schedule.subscription, {"expand": ["latest_invoice"]})


def current(schedule: Any, **phase: Any) -> Any:
    """Return the phase under way with its dates, to be written anew."""
    now = schedule.phases[0]
    return {**phase, "start_date": now.start_date, "end_date": now.end_date}


def test_a_schedule_says_how_it_bills_and_ends(v1: Any, alice: str, price: Any, control: Control) -> None:
    now = control("", method="GET")["now"]
    mode: Any = {"type": "flexible", "flexible": {"proration_discounts": "included"}}
    phase: Any = {"items": [{"price": price.id}], "end_date": now + 9 * DAY}
    made = begun(v1, alice, phase, billing_mode=mode, end_behavior="cancel")
    assert (made.billing_mode.type, made.end_behavior, made.phases[0].end_date) == ("flexible", "cancel", now + 9 * DAY)
    control("/advance", {"to": now + 9 * DAY + 60})
    assert fresh(v1, made).status == "canceled"


def test_a_phase_is_in_a_currency_and_discounted_by_a_code(v1: Any, alice: str, euro: str, fee: str, code: str) -> None:
    phase: Any = {"items": [{"price": euro}], "currency": "eur", "discounts": [{"promotion_code": code}]}
    made = begun(v1, alice, phase)
    invoice = fresh(v1, made).latest_invoice
    assert (made.phases[0].currency, invoice.currency, invoice.total) == ("eur", "eur", 400)


def test_what_a_phase_adds_has_metadata_and_may_be_without_discount(
    v1: Any, alice: str, price: Any, fee: str, half: str
) -> None:
    added: Any = [{"price": fee, "metadata": {"a": "b"}, "discountable": False}]
    invoice = fresh(
        v1,
        begun(v1, alice, {"items": [{"price": price.id}], "discounts": [{"coupon": half}], "add_invoice_items": added}),
    ).latest_invoice
    line = next(line for line in invoice.lines.data if line.amount == 600)
    assert (line.metadata.to_dict(), line.discountable, invoice.total) == ({"a": "b"}, False, 1600)


def test_the_discounts_of_the_phase_under_way_are_named_by_id_or_by_code(
    v1: Any, alice: str, price: Any, half: str, code: str, fee: str
) -> None:
    first: Any = {"price": price.id, "discounts": [{"promotion_code": code}]}
    made = begun(v1, alice, {"items": [first], "discounts": [{"coupon": half}]})
    sub = fresh(v1, made)
    whole, own = sub.discounts[0], sub["items"]["data"][0].discounts[0]
    again = begun(v1, alice, {"items": [first]})
    card = v1.payment_methods.attach("pm_card_mastercard", {"customer": alice}).id
    phase = current(
        made,
        items=[{"price": price.id, "discounts": [{"discount": own}, {"coupon": half}, {"promotion_code": code}]}],
        discounts=[{"discount": whole}, {"promotion_code": code}],
        default_payment_method=card,
        add_invoice_items=[
            {
                "price": fee,
                "quantity": 2,
                "metadata": {"a": "b"},
                "discountable": True,
                "discounts": [{"coupon": half}],
            },
            {"price": fee, "discounts": [{"promotion_code": code}]},
        ],
        currency="usd",
        proration_behavior="none",
    )
    v1.subscription_schedules.update(made.id, {"phases": [phase]})
    after = fresh(v1, made)
    assert (after.discounts[0], len(after.discounts), after.default_payment_method) == (whole, 2, card)
    assert (after["items"]["data"][0].discounts[0], len(after["items"]["data"][0].discounts)) == (own, 3)
    waiting = v1.invoice_items.list({"customer": alice, "pending": True}).data
    assert sorted((row.amount, len(row.discounts)) for row in waiting) == [(600, 1), (1200, 1)]
    assert fresh(v1, again).discounts == []


def test_a_later_phase_lasts_as_long_as_it_says_is_a_trial_and_prorates_as_it_says(
    v1: Any, alice: str, price: Any, control: Control
) -> None:
    made = begun(v1, alice, {"items": [{"price": price.id}]})
    later: Any = {
        "items": [{"price": price.id, "metadata": {"seat": "9"}}],
        "duration": {"interval": "week", "interval_count": 2},
    }
    after = v1.subscription_schedules.update(
        made.id,
        {
            "phases": [
                current(made, items=[{"price": price.id}]),
                {**later, "trial": True, "proration_behavior": "none"},
            ]
        },
    )
    second = after.phases[1]
    assert (second.end_date - second.start_date, second.trial_end, second.proration_behavior) == (
        14 * DAY,
        second.end_date,
        "none",
    )
    assert second["items"][0].metadata.to_dict() == {"seat": "9"}
    control("/advance", {"to": second.start_date + HOUR})
    assert fresh(v1, made).status == "trialing"


@pytest.mark.parametrize(("invoice_now", "amount"), [(True, 1000), (False, None)])
def test_canceling_a_schedule_credits_at_once_or_not(
    v1: Any, alice: str, price: Any, control: Control, invoice_now: bool, amount: int | None
) -> None:
    made = begun(v1, alice, {"items": [{"price": price.id}]})
    control("/advance", {"to": (made.phases[0].start_date + made.phases[0].end_date) // 2})
    v1.subscription_schedules.cancel(made.id, {"invoice_now": invoice_now, "prorate": True})
    balance = v1.customers.retrieve(alice).balance
    assert balance == (-amount if amount else 0)


@pytest.mark.parametrize("keeps", [True, False])
def test_releasing_a_schedule_keeps_its_end_or_not(v1: Any, alice: str, price: Any, keeps: bool) -> None:
    made = begun(v1, alice, {"items": [{"price": price.id}]}, end_behavior="cancel")
    end = fresh(v1, made).cancel_at
    v1.subscription_schedules.release(made.id, {"preserve_cancel_date": keeps})
    after = v1.subscriptions.retrieve(made.subscription)
    assert (after.cancel_at, bool(end)) == (end if keeps else None, True)


def test_a_schedule_is_previewed_with_all_that_its_first_phase_says(
    v1: Any, alice: str, euro: str, fee: str, half: str, code: str
) -> None:
    phase: Any = {
        "items": [{"price": euro, "metadata": {"a": "b"}}],
        "currency": "eur",
        "description": "Ours",
        "metadata": {"c": "d"},
        "duration": {"interval": "month", "interval_count": 3},
    }
    details: Any = {"phases": [phase], "end_behavior": "release"}
    preview = v1.invoices.create_preview({"customer": alice, "schedule_details": details})
    assert (preview.currency, preview.total) == ("eur", 800)
    assert (
        v1.invoices.create_preview(
            {"customer": alice, "schedule_details": {"phases": [{**phase, "trial": True}]}}
        ).total
        == 0
    )


def test_what_phases_would_add_and_discount_is_previewed(
    v1: Any, alice: str, price: Any, fee: str, half: str, code: str
) -> None:
    made = begun(
        v1, alice, {"items": [{"price": price.id, "discounts": [{"coupon": half}]}], "discounts": [{"coupon": half}]}
    )
    sub = fresh(v1, made)
    whole, own = sub.discounts[0], sub["items"]["data"][0].discounts[0]
    card = v1.payment_methods.attach("pm_card_mastercard", {"customer": alice}).id
    first = current(
        made, items=[{"price": price.id, "discounts": [{"discount": own}]}], discounts=[{"discount": whole}]
    )
    second: Any = {
        "items": [{"price": price.id, "quantity": 2, "discounts": [{"coupon": half}, {"promotion_code": code}]}],
        "discounts": [{"promotion_code": code}],
        "default_payment_method": card,
        "proration_behavior": "none",
    }
    preview = v1.invoices.create_preview({"schedule": made.id, "schedule_details": {"phases": [first, second]}})
    assert preview.total == 4000 // 8
    by_coupon = {**second, "discounts": [{"coupon": half}], "items": [{"price": price.id, "quantity": 2}]}
    assert (
        v1.invoices.create_preview({"schedule": made.id, "schedule_details": {"phases": [first, by_coupon]}}).total
        == 2000
    )
    later = made.phases[0].end_date + 5 * DAY
    trial = {"items": [{"price": price.id}], "trial_end": later, "end_date": later + 5 * DAY}
    assert v1.invoices.create_preview({"schedule": made.id, "schedule_details": {"phases": [first, trial]}}).total == 0
    added: Any = [
        {"price": fee, "quantity": 2, "metadata": {"a": "b"}, "discountable": False},
        {"price": fee, "discounts": [{"coupon": half}]},
        {"price": fee, "discounts": [{"promotion_code": code}]},
    ]
    new: Any = {"items": [{"price": price.id, "discounts": [{"coupon": half}]}], "add_invoice_items": added}
    fresh_preview = v1.invoices.create_preview({"customer": alice, "schedule_details": {"phases": [new]}})
    line = next(line for line in fresh_preview.lines.data if line.amount == 1200)
    assert (line.quantity, line.metadata.to_dict(), fresh_preview.total) == (2, {"a": "b"}, 1000 + 1200 + 300 + 300)
    new = {"items": [{"price": price.id}], "discounts": [{"coupon": half}]}
    assert v1.invoices.create_preview({"customer": alice, "schedule_details": {"phases": [new]}}).total == 1000


def test_a_phase_in_a_currency_that_its_price_lacks_is_refused(
    client: stripe.StripeClient, customer: stripe.Customer, price: stripe.Price
) -> None:
    phase: Any = {"items": [{"price": price.id}], "currency": "eur", "duration": {"interval": "month"}}
    with pytest.raises(stripe.InvalidRequestError, match="only supports `usd`"):
        client.v1.subscription_schedules.create({"customer": customer.id, "start_date": "now", "phases": [phase]})

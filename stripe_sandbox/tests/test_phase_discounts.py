"""The phases of a schedule discount single items, and previews foresee what later phases bring."""

from typing import Any

import pytest
import stripe

from .conftest import Control

DAY, HOUR = 86_400, 3_600


@pytest.fixture
def alice(client: stripe.StripeClient) -> str:
    return client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    ).id


@pytest.fixture
def half(client: stripe.StripeClient) -> str:
    return client.v1.coupons.create({"percent_off": 50, "duration": "forever"}).id


@pytest.fixture
def extra(client: stripe.StripeClient, price: Any) -> str:
    recurring: Any = {"interval": "month"}
    return client.v1.prices.create(
        {"product": price.product, "currency": "usd", "unit_amount": 1000, "recurring": recurring}
    ).id


@pytest.fixture
def fee(client: stripe.StripeClient, price: Any) -> str:
    return client.v1.prices.create({"product": price.product, "currency": "usd", "unit_amount": 600}).id


def fresh(client: stripe.StripeClient, sub: Any) -> Any:
    return client.v1.subscriptions.retrieve(str(sub), {"expand": ["latest_invoice"]})


def amounts(invoice: Any) -> list[tuple[int, int]]:
    return sorted((line.amount, sum(each.amount for each in line.discount_amounts)) for line in invoice.lines.data)


def test_a_first_phase_discounts_one_of_its_items(
    client: stripe.StripeClient, alice: str, price: Any, extra: str, fee: str, half: str
) -> None:
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": half}, "code": "HALF"})
    items: Any = [{"price": price.id}, {"price": extra, "discounts": [{"coupon": half}]}]
    added: Any = [{"price": fee, "discounts": [{"promotion_code": code.id}]}]
    made = client.v1.subscription_schedules.create(
        {"customer": alice, "start_date": "now", "phases": [{"items": items, "add_invoice_items": added}]}
    )
    sub = fresh(client, made.subscription)
    assert amounts(sub.latest_invoice) == [(600, 300), (1000, 500), (2000, 0)]
    assert [len(row.discounts) for row in sub["items"]["data"]] == [0, 1]
    assert made.phases[0]["items"][1].discounts[0].coupon == half
    assert made.phases[0].add_invoice_items[0].discounts[0].promotion_code == code.id


@pytest.fixture
def later(client: stripe.StripeClient, alice: str, price: Any) -> Any:
    """Schedule a second phase for Alice's subscription, which has both prices from the start."""

    def plan(items: list[Any], second: list[Any] | None, **more: Any) -> Any:
        params: Any = {"customer": alice, "items": items, "off_session": True}
        sub = client.v1.subscriptions.create(params)
        schedule = client.v1.subscription_schedules.create({"from_subscription": sub.id})
        first = schedule.phases[0]
        kept = [
            {
                "price": row.price,
                "quantity": row.quantity,
                "discounts": [{"discount": each.discount} for each in row.discounts],
            }
            for row in first["items"]
        ]
        phases: Any = [
            {"items": kept, "start_date": first.start_date, "end_date": first.end_date},
            {"items": second or kept, **more},
        ]
        return client.v1.subscription_schedules.update(schedule.id, {"phases": phases, "end_behavior": "release"})

    return plan


def test_a_later_phase_discounts_an_item_and_its_preview_says_so(
    client: stripe.StripeClient, later: Any, price: Any, extra: str, half: str, control: Control
) -> None:
    schedule = later(
        [{"price": price.id}, {"price": extra}],
        [{"price": price.id}, {"price": extra, "discounts": [{"coupon": half}]}],
    )
    preview = client.v1.invoices.create_preview({"subscription": schedule.subscription})
    assert amounts(preview) == [(1000, 500), (2000, 0)]
    assert client.v1.coupons.retrieve(half).times_redeemed == 0
    control("/advance", {"to": schedule.phases[0].end_date + 2 * HOUR})
    sub = fresh(client, schedule.subscription)
    assert amounts(sub.latest_invoice) == [(1000, 500), (2000, 0)]
    assert client.v1.coupons.retrieve(half).times_redeemed == 1


def test_a_discount_that_an_item_has_is_kept_where_the_next_phase_names_it_and_else_lost(
    client: stripe.StripeClient, later: Any, price: Any, extra: str, half: str, control: Control
) -> None:
    both: Any = [{"price": price.id}, {"price": extra, "discounts": [{"coupon": half}]}]
    keeps, loses = later(both, both), later(both, [{"price": price.id}, {"price": extra}])
    control("/advance", {"to": loses.phases[0].end_date + 2 * HOUR})
    kept, lost = (fresh(client, each.subscription) for each in (keeps, loses))
    assert (kept.latest_invoice.total, lost.latest_invoice.total) == (2500, 3000)
    assert client.v1.coupons.retrieve(half).times_redeemed == 2


def test_a_preview_foresees_the_discount_of_the_whole_that_a_later_phase_redeems(
    client: stripe.StripeClient, later: Any, price: Any, half: str, control: Control
) -> None:
    schedule = later([{"price": price.id}], None, discounts=[{"coupon": half}])
    assert client.v1.invoices.create_preview({"schedule": schedule.id}).total == 1000
    control("/advance", {"to": schedule.phases[0].end_date + 2 * HOUR})
    assert fresh(client, schedule.subscription).latest_invoice.total == 1000


def test_a_discount_used_up_in_this_phase_is_not_foreseen_again(
    client: stripe.StripeClient, alice: str, price: Any, control: Control
) -> None:
    once = client.v1.coupons.create({"percent_off": 50, "duration": "once"})
    month: Any = {"interval": "month", "interval_count": 6}
    phases: Any = [{"items": [{"price": price.id}], "discounts": [{"coupon": once.id}], "duration": month}]
    made = client.v1.subscription_schedules.create({"customer": alice, "start_date": "now", "phases": phases})
    assert fresh(client, made.subscription).latest_invoice.total == 1000
    assert client.v1.invoices.create_preview({"subscription": str(made.subscription)}).total == 2000


def test_a_change_at_a_phase_is_prorated_net_of_the_phases_discounts(
    client: stripe.StripeClient, alice: str, price: Any, half: str, control: Control
) -> None:
    sub = client.v1.subscriptions.create({"customer": alice, "items": [{"price": price.id}]})
    schedule = client.v1.subscription_schedules.create({"from_subscription": sub.id})
    first = schedule.phases[0]
    middle = (first.start_date + first.end_date) // 2
    control("/advance", {"to": middle})
    phases: Any = [
        {
            "items": [{"price": price.id, "quantity": 3}],
            "start_date": first.start_date,
            "end_date": first.end_date,
            "discounts": [{"coupon": half}],
        }
    ]
    client.v1.subscription_schedules.update(schedule.id, {"phases": phases, "proration_behavior": "always_invoice"})
    assert amounts(fresh(client, sub.id).latest_invoice) == [(-1000, 0), (1500, 0)]


def test_a_trial_that_a_phase_begins_has_an_invoice_of_zero_and_is_foreseen(
    client: stripe.StripeClient, later: Any, price: Any, control: Control
) -> None:
    schedule = later([{"price": price.id}], None)
    end = schedule.phases[0].end_date
    first, second = (
        {"items": [{"price": price.id}], "start_date": p.start_date, "end_date": p.end_date} for p in schedule.phases
    )
    phases: Any = [first, {**second, "trial_end": end + 5 * DAY}]
    client.v1.subscription_schedules.update(schedule.id, {"phases": phases})
    preview = client.v1.invoices.create_preview({"subscription": schedule.subscription})
    assert ([line.amount for line in preview.lines.data], preview.total) == ([0], 0)
    control("/advance", {"to": end + HOUR})
    sub = fresh(client, schedule.subscription)
    assert (sub.status, sub.latest_invoice.total, sub.latest_invoice.status) == ("trialing", 0, "paid")
    assert "Free trial" in sub.latest_invoice.lines.data[0].description
    control("/advance", {"seconds": 5 * DAY + 2 * HOUR})
    assert (fresh(client, sub.id).status, fresh(client, sub.id).latest_invoice.amount_paid) == ("active", 2000)


def test_what_a_new_subscription_adds_has_discounts_of_its_own(
    client: stripe.StripeClient, alice: str, price: Any, fee: str, half: str
) -> None:
    code = client.v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": half}})
    added: Any = [
        {"price": fee, "discounts": [{"coupon": half}]},
        {"price": fee, "quantity": 2, "discounts": [{"promotion_code": code.id}]},
    ]
    params: Any = {"customer": alice, "items": [{"price": price.id}], "add_invoice_items": added}
    sub = client.v1.subscriptions.create({**params, "expand": ["latest_invoice"]})
    phases: Any = [{"items": params["items"], "add_invoice_items": added}]
    made = client.v1.subscription_schedules.create({"customer": alice, "start_date": "now", "phases": phases})
    for invoice in (sub.latest_invoice, fresh(client, made.subscription).latest_invoice):
        assert amounts(invoice) == [(600, 300), (1200, 600), (2000, 0)]

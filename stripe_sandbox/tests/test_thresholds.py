"""Thresholds draw up an invoice within the period, and bill no event twice."""

from typing import Any

import pytest
import stripe

from .metered import DAY, Shop, lines, shop

__all__ = ["shop"]
VOLUME: Any = {
    "billing_scheme": "tiered",
    "tiers_mode": "volume",
    "tiers": [{"up_to": 10_000, "unit_amount": 50}, {"up_to": "inf", "unit_amount": 40}],
}


def drawn_up(shop: Shop, sub: Any) -> list[Any]:
    return list(reversed(shop.client.v1.invoices.list({"subscription": sub.id, "limit": 100}).data))


def test_an_amount_is_invoiced_when_it_is_reached_and_the_rest_at_the_periods_end(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1), billing_thresholds={"amount_gte": 1000})
    assert (sub.billing_thresholds.amount_gte, sub.billing_thresholds.reset_billing_cycle_anchor) == (1000, False)
    shop.use(sub, 999)
    assert drawn_up(shop, sub) == []
    shop.use(sub, 1)
    (first,) = drawn_up(shop, sub)
    assert (first.billing_reason, first.status, first.total) == ("subscription_threshold", "draft", 1000)
    assert (first.threshold_reason.amount_gte, first.threshold_reason.item_reasons) == (1000, [])
    shop.use(sub, 500)
    shop.pass_days(0.1)
    assert (drawn_up(shop, sub)[0].total, drawn_up(shop, sub)[0].status) == (1000, "paid")
    shop.use(sub, 600)
    assert [amount for _, amount in lines(shop.latest(sub))] == [2100, -1000]
    shop.pass_period(sub)
    totals = [invoice.total for invoice in drawn_up(shop, sub)]
    assert totals == [1000, 1100, 0]
    kept = shop.client.v1.subscriptions.retrieve(sub.id)
    assert kept.billing_cycle_anchor == sub.billing_cycle_anchor


def test_a_volume_tier_that_gets_cheaper_leaves_a_credit(shop: Shop) -> None:
    """The example of Stripe's documentation: 5000.00 billed for 10,000 units, and one unit more."""
    sub = shop.subscribed(shop.price(**VOLUME), billing_thresholds={"amount_gte": 500_000})
    shop.use(sub, 10_000)
    shop.use(sub, 1)
    shop.pass_period(sub)
    first, second = drawn_up(shop, sub)
    assert (first.total, second.total) == (500_000, -99_960)
    assert shop.client.v1.customers.retrieve(str(sub.customer)).balance == -99_960


def test_a_volume_tier_bills_again_when_twice_the_threshold_is_reached(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(**VOLUME), billing_thresholds={"amount_gte": 500_000})
    shop.use(sub, 10_000)
    shop.use(sub, 14_999)
    assert len(drawn_up(shop, sub)) == 1
    shop.use(sub, 1)
    assert lines(drawn_up(shop, sub)[1]) == [
        ("25000 × Tokens (Tier 2 at $0.40 / month)", 1_000_000),
        ("Tokens (amount previously billed)", -500_000),
    ]


def test_an_items_usage_is_invoiced_when_it_is_reached(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    item: Any = sub["items"].data[0]
    changed = shop.client.v1.subscription_items.update(item.id, {"billing_thresholds": {"usage_gte": 200}})
    assert changed.billing_thresholds
    assert changed.billing_thresholds.usage_gte == 200
    for _ in range(4):
        shop.use(sub, 120)
    invoices = drawn_up(shop, sub)
    assert [invoice.total for invoice in invoices] == [240, 240]
    reason = invoices[0].threshold_reason
    assert (reason.amount_gte, reason.item_reasons[0].usage_gte) == (None, 200)
    assert reason.item_reasons[0].line_item_ids == [invoices[0].lines.data[0].id]
    cleared: Any = {"items": [{"id": item.id, "billing_thresholds": ""}]}
    assert shop.client.v1.subscriptions.update(sub.id, cleared)["items"].data[0].billing_thresholds is None
    shop.use(sub, 900)
    assert len(drawn_up(shop, sub)) == 2
    again: Any = {"items": [{"id": item.id, "billing_thresholds": {"usage_gte": 500}}]}
    shop.client.v1.subscriptions.update(sub.id, again)
    assert [invoice.total for invoice in drawn_up(shop, sub)] == [240, 240, 900]


def test_items_are_made_with_a_threshold_and_licences_have_none(shop: Shop) -> None:
    price, licence = shop.price(unit_amount=1), shop.licensed(unit_amount=2000)
    items: Any = [{"price": price.id, "billing_thresholds": {"usage_gte": 100}}]
    sub = shop.client.v1.subscriptions.create({"customer": shop.subscriber().id, "items": items})
    shop.use(sub, 100)
    assert len(drawn_up(shop, sub)) == 1
    other = shop.new_meter("images")
    more: Any = {"subscription": sub.id, "price": shop.price(other, unit_amount=2).id}
    shop.client.v1.subscription_items.create({**more, "billing_thresholds": {"usage_gte": 10}})
    shop.use(sub, 10, "images")
    assert len(drawn_up(shop, sub)) == 2
    with pytest.raises(stripe.InvalidRequestError, match="metered"):
        shop.client.v1.subscription_items.create(
            {"subscription": sub.id, "price": licence.id, "billing_thresholds": {"usage_gte": 10}}
        )


def test_a_cycle_that_resets_begins_anew_with_its_tiers(shop: Shop) -> None:
    tiers: Any = {**VOLUME, "tiers_mode": "graduated"}
    how: Any = {"amount_gte": 250_000, "reset_billing_cycle_anchor": True}
    sub = shop.subscribed(shop.price(**tiers), billing_thresholds=how)
    shop.pass_days(5)
    shop.use(sub, 6000)
    now = shop.client.v1.subscriptions.retrieve(sub.id)
    assert now.billing_cycle_anchor > sub.billing_cycle_anchor + 4 * DAY
    assert now["items"].data[0].current_period_start == now.billing_cycle_anchor
    shop.use(sub, 4500)
    shop.pass_period(sub)
    assert [invoice.total for invoice in drawn_up(shop, sub)] == [300_000, 225_000]


def test_a_cycle_that_resets_renews_the_licence_less_its_rest(shop: Shop) -> None:
    how: Any = {"amount_gte": 500, "reset_billing_cycle_anchor": True}
    sub = shop.subscribed(shop.licensed(unit_amount=3000), shop.price(unit_amount=1), billing_thresholds=how)
    shop.pass_days(15)
    shop.use(sub, 500)
    credit, *rest = sorted(line.amount for line in drawn_up(shop, sub)[-1].lines.data)
    assert -1700 < credit < -1300
    assert rest == [500, 3000]


def test_thresholds_wait_out_a_trial_and_the_last_day(shop: Shop) -> None:
    trial = shop.subscribed(shop.price(unit_amount=1), billing_thresholds={"amount_gte": 100}, trial_period_days=5)
    shop.use(trial, 1000)
    assert drawn_up(shop, trial) == []
    sub = shop.subscribed(shop.price(unit_amount=1))
    shop.control("/advance", {"to": sub["items"].data[0].current_period_end - 3600})
    shop.client.v1.subscriptions.update(sub.id, {"billing_thresholds": {"amount_gte": 100}})
    shop.use(sub, 1000)
    assert drawn_up(shop, sub) == []


def test_a_threshold_that_is_set_late_looks_at_once_and_one_that_is_cleared_no_more(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=1))
    shop.use(sub, 150)
    update = shop.client.v1.subscriptions.update
    update(sub.id, {"billing_thresholds": {"amount_gte": 100}})
    assert [invoice.total for invoice in drawn_up(shop, sub)] == [150]
    again = update(sub.id, {"billing_thresholds": {"reset_billing_cycle_anchor": True}})
    assert again.billing_thresholds
    assert again.billing_thresholds.amount_gte == 100
    assert update(sub.id, {"billing_thresholds": ""}).billing_thresholds is None
    shop.use(sub, 1000)
    assert len(drawn_up(shop, sub)) == 1
    with pytest.raises(stripe.InvalidRequestError):
        update(sub.id, {"billing_thresholds": {"amount_gte": 49}})


def test_discounts_count_before_a_threshold_is_reached(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    sub = shop.subscribed(
        shop.price(unit_amount=1), discounts=[{"coupon": coupon.id}], billing_thresholds={"amount_gte": 1000}
    )
    shop.use(sub, 1999)
    assert drawn_up(shop, sub) == []
    shop.use(sub, 1)
    shop.use(sub, 100)
    shop.pass_period(sub)
    assert [invoice.total for invoice in drawn_up(shop, sub)] == [1000, 50]

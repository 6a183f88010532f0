"""Metered subscriptions are invoiced in arrears: each event once, by the price it was reported at."""

from typing import Any

import pytest
import stripe

from .metered import DAY, Shop, lines, shop

__all__ = ["shop"]


def test_what_is_billed_by_usage_alone_begins_active_and_without_an_invoice(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=5), customer=shop.client.v1.customers.create({}))
    assert (sub.status, sub.latest_invoice) == ("active", None)


def test_a_licence_is_paid_ahead_and_usage_afterwards_on_one_invoice(shop: Shop) -> None:
    sub = shop.subscribed(shop.licensed(unit_amount=2000), shop.price(unit_amount=5))
    assert lines(shop.latest(sub)) == [("1 × Tokens (at $20.00 / month)", 2000)]
    start = sub["items"].data[0].current_period_start
    shop.use(sub, 100)
    shop.use(sub, 20)
    shop.pass_period(sub)
    invoice = shop.latest(sub)
    assert sorted(lines(invoice)) == [
        ("1 × Tokens (at $20.00 / month)", 2000),
        ("120 × Tokens (at $0.05 / month)", 600),
    ]
    used = next(line for line in invoice.lines.data if line.amount == 600)
    assert (used.period.start, used.period.end) == (start, invoice.period_end)
    shop.pass_period(sub)
    assert shop.latest(sub).total == 2000


def test_usage_that_is_reported_while_the_invoice_is_a_draft_is_on_it(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=5))
    end = sub["items"].data[0].current_period_end
    shop.use(sub, 100)
    shop.control("/advance", {"to": end + 1800})
    draft = shop.latest(sub)
    assert (draft.status, draft.total) == ("draft", 500)
    late = shop.use(sub, 50, timestamp=end - 60)
    shop.use(sub, 7)
    shop.pass_days(0.5)
    final = shop.latest(sub)
    assert (final.id, final.status, lines(final)) == (draft.id, "paid", [("150 × Tokens (at $0.05 / month)", 750)])
    assert final.lines.data[0].id == draft.lines.data[0].id
    shop.use(sub, 1000, timestamp=late.timestamp)
    shop.pass_period(sub)
    assert lines(shop.latest(sub)) == [("7 × Tokens (at $0.05 / month)", 35)]


def test_an_event_at_the_very_end_counts_for_the_next_period(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=5))
    end = sub["items"].data[0].current_period_end
    shop.control("/advance", {"to": end - 60})
    shop.use(sub, 10, timestamp=end - 1)
    shop.use(sub, 20, timestamp=end)
    shop.pass_period(sub)
    assert shop.latest(sub).total == 50
    shop.pass_period(sub)
    assert shop.latest(sub).total == 100


def test_a_changed_price_bills_what_was_reported_at_the_old_one(shop: Shop) -> None:
    """The example of Stripe's comparison of billing modes: 10.00 and 7.50 dollars."""
    old, new = shop.price(unit_amount=1), shop.price(unit_amount_decimal="1.5")
    sub = shop.subscribed(old)
    shop.use(sub, 1000)
    given: Any = {"id": sub["items"].data[0].id, "price": new.id, "clear_usage": True}
    shop.client.v1.subscriptions.update(sub.id, {"items": [given]})
    waiting = shop.client.v1.invoice_items.list({"customer": sub.customer}).data
    assert [(item.amount, item.quantity, item.proration) for item in waiting] == [(1000, 1000, False)]
    shop.use(sub, 500)
    shop.pass_period(sub)
    assert lines(shop.latest(sub)) == [
        ("1000 × Tokens (at $0.01 / month)", 1000),
        ("500 × Tokens (at $0.015 / month)", 750),
    ]


def test_clearing_usage_is_for_metered_items(shop: Shop) -> None:
    """What a meter counts is not cleared by it (the SDK says so)."""
    sub = shop.subscribed(shop.licensed(unit_amount=2000))
    given: Any = {"id": sub["items"].data[0].id, "clear_usage": True}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        shop.client.v1.subscriptions.update(sub.id, {"items": [given]})
    assert refused.value.param == "items[0][clear_usage]"


def test_a_removed_item_is_billed_at_once_if_asked_and_not_at_all_if_declined(shop: Shop) -> None:
    for prorations, totals in (("always_invoice", [500]), ("none", [])):
        sub = shop.subscribed(shop.licensed(unit_amount=2000), shop.price(unit_amount=5))
        shop.use(sub, 100)
        item = next(row for row in sub["items"].data if row.price.recurring.usage_type == "metered")
        how: Any = {"proration_behavior": prorations, "clear_usage": True}
        shop.client.v1.subscription_items.delete(item.id, how)
        drawn_up = shop.client.v1.invoices.list({"subscription": sub.id}).data
        assert [invoice.total for invoice in drawn_up[:-1]] == totals
        shop.pass_period(sub)
        assert shop.latest(sub).total == 2000


def test_an_item_that_is_added_counts_what_is_reported_afterwards(shop: Shop) -> None:
    sub = shop.subscribed(shop.licensed(unit_amount=2000))
    shop.use(sub, 1000)
    shop.pass_days(3)
    shop.client.v1.subscription_items.create({"subscription": sub.id, "price": shop.price(unit_amount=5).id})
    shop.use(sub, 10)
    shop.pass_period(sub)
    assert sorted(line.amount for line in shop.latest(sub).lines.data) == [50, 2000]


def test_a_cycle_that_begins_anew_bills_the_usage_so_far(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=5))
    shop.pass_days(10)
    shop.use(sub, 100)
    shop.client.v1.subscriptions.update(sub.id, {"billing_cycle_anchor": "now", "proration_behavior": "always_invoice"})
    assert (shop.latest(sub).total, shop.latest(sub).status) == (500, "paid")
    shop.use(sub, 1)
    shop.pass_period(sub)
    assert shop.latest(sub).total == 5


@pytest.mark.parametrize(("invoice_now", "totals"), [(True, [500]), (False, [])])
def test_usage_is_billed_with_a_cancellation_or_lost(shop: Shop, invoice_now: bool, totals: list[int]) -> None:
    sub = shop.subscribed(shop.price(unit_amount=5))
    shop.use(sub, 100)
    shop.client.v1.subscriptions.cancel(sub.id, {"invoice_now": invoice_now})
    shop.pass_days(40)
    drawn_up = shop.client.v1.invoices.list({"subscription": sub.id}).data
    assert [(invoice.total, invoice.status) for invoice in drawn_up] == [(total, "paid") for total in totals]


def test_the_last_period_is_billed_after_the_end_with_what_comes_within_the_hour(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=5))
    end = sub["items"].data[0].current_period_end
    shop.client.v1.subscriptions.update(sub.id, {"cancel_at_period_end": True})
    shop.use(sub, 100)
    shop.control("/advance", {"to": end + 60})
    assert (shop.client.v1.subscriptions.retrieve(sub.id).status, shop.latest(sub).status) == ("canceled", "draft")
    shop.use(sub, 10, timestamp=end - 1)
    shop.pass_days(1)
    assert (shop.latest(sub).total, shop.latest(sub).status) == (550, "paid")
    assert len(shop.client.v1.invoices.list({"subscription": sub.id}).data) == 1


def test_a_start_in_the_past_bills_what_was_used_since_period_by_period(shop: Shop) -> None:
    """Usage may be reported before there is a subscription."""
    customer, start = shop.subscriber(), shop.now() - 34 * DAY
    for value, at in ((100, start + DAY), (30, shop.now() - DAY), (4, shop.now() - 34.5 * DAY)):
        payload = {"stripe_customer_id": customer.id, "value": str(value)}
        shop.client.v1.billing.meter_events.create({"event_name": "tokens", "payload": payload, "timestamp": int(at)})
    sub = shop.subscribed(shop.price(unit_amount=5), customer=customer, backdate_start_date=start)
    assert (sub.status, [amount for _, amount in lines(shop.latest(sub))]) == ("active", [500, 150])
    shop.use(sub, 1)
    shop.pass_period(sub)
    assert shop.latest(sub).total == 5


def test_what_is_used_in_a_trial_is_shown_and_free(shop: Shop) -> None:
    sub = shop.subscribed(shop.price(unit_amount=5), trial_period_days=7)
    assert (sub.status, sub.latest_invoice) == ("trialing", None)
    shop.use(sub, 100)
    shop.pass_days(7.1)
    assert lines(shop.latest(sub)) == [("Free trial for 100 × Tokens", 0)]
    shop.use(sub, 3)
    shop.pass_period(sub)
    assert lines(shop.latest(sub)) == [("3 × Tokens (at $0.05 / month)", 15)]


def test_a_preview_shows_the_usage_so_far(shop: Shop) -> None:
    sub = shop.subscribed(shop.licensed(unit_amount=2000), shop.price(unit_amount=5))
    shop.use(sub, 100)
    preview = shop.client.v1.invoices.create_preview({"subscription": sub.id})
    assert (preview.total, sorted(line.amount for line in preview.lines.data)) == (2500, [500, 2000])
    other: Any = {"items": [{"id": sub["items"].data[1].id, "deleted": True}], "proration_behavior": "always_invoice"}
    ending = shop.client.v1.invoices.create_preview({"subscription": sub.id, "subscription_details": other})
    assert lines(ending) == [("100 × Tokens (at $0.05 / month)", 500)]
    assert shop.client.v1.invoice_items.list({"customer": sub.customer}).data == []


def test_discounts_reduce_usage(shop: Shop) -> None:
    coupon = shop.client.v1.coupons.create({"percent_off": 10, "duration": "forever"})
    sub = shop.subscribed(shop.price(unit_amount=5), discounts=[{"coupon": coupon.id}])
    shop.use(sub, 1000)
    shop.pass_period(sub)
    assert (shop.latest(sub).subtotal, shop.latest(sub).total) == (5000, 4500)


@pytest.mark.parametrize(("formula", "total"), [("sum", 80), ("count", 30), ("last", 50)])
def test_a_meter_adds_up_counts_or_takes_the_last(shop: Shop, formula: str, total: int) -> None:
    meter = shop.new_meter("seats", formula)
    sub = shop.subscribed(shop.price(meter, unit_amount=10))
    now = shop.now()
    for value, at in ((1, now + 200), (5, now + 250), (2, now + 100)):
        shop.use(sub, value, "seats", timestamp=at)
    shop.pass_period(sub)
    assert shop.latest(sub).total == total


def test_of_an_hour_that_is_added_up_already_the_latest_report_counts(shop: Shop) -> None:
    meter = shop.new_meter("gigabytes", event_time_window="hour")
    sub = shop.subscribed(shop.price(meter, unit_amount=10))
    shop.pass_days(1)
    hour = shop.now() - shop.now() % 3600
    for value, at in ((5, hour - 10), (8, hour - 3000), (3, hour - 3700)):
        shop.use(sub, value, "gigabytes", timestamp=at)
    shop.pass_period(sub)
    assert shop.latest(sub).total == 110


def test_a_phase_of_a_schedule_may_be_metered(shop: Shop) -> None:
    old, new = shop.price(unit_amount=5), shop.price(unit_amount=7)
    phases: Any = [{"items": [{"price": old.id}], "duration": {"interval": "month", "interval_count": 1}},
                   {"items": [{"price": new.id}], "duration": {"interval": "month", "interval_count": 1}}]  # fmt: skip
    schedule = shop.client.v1.subscription_schedules.create(
        {"customer": shop.subscriber().id, "start_date": "now", "end_behavior": "release", "phases": phases}
    )
    assert "quantity" not in schedule.phases[0]["items"][0]
    sub = shop.client.v1.subscriptions.retrieve(str(schedule.subscription))
    for expected in (50, 70):
        shop.use(sub, 10)
        shop.pass_period(sub)
        invoices = shop.client.v1.invoices.list({"subscription": sub.id}).data
        assert invoices[0].total == expected


def test_a_customer_in_a_test_clocks_time_uses_and_pays_in_it(shop: Shop) -> None:
    clock = shop.client.v1.test_helpers.test_clocks.create({"frozen_time": shop.now() - 100 * DAY})
    sub = shop.subscribed(shop.price(unit_amount=5), customer=shop.subscriber(test_clock=clock.id))
    assert shop.use(sub, 100).timestamp == clock.frozen_time
    with pytest.raises(stripe.InvalidRequestError):
        shop.use(sub, 100, timestamp=shop.now())
    to = sub["items"].data[0].current_period_end + 3700
    shop.client.v1.test_helpers.test_clocks.advance(clock.id, {"frozen_time": to})
    shop.control("/advance", {"seconds": 5})
    assert (shop.latest(sub).total, shop.latest(sub).status) == (500, "paid")

"""Items of different intervals in one subscription have a period each."""

from typing import Any

import pytest
import stripe

from .conftest import Control

DAY = 86_400
Sub = stripe.Subscription


@pytest.fixture
def yearly(client: stripe.StripeClient, price: stripe.Price) -> stripe.Price:
    return client.v1.prices.create(
        {"product": str(price.product), "currency": "usd", "unit_amount": 12_000, "recurring": {"interval": "year"}}
    )


@pytest.fixture
def mixed(client: stripe.StripeClient, price: Any, yearly: Any) -> Sub:
    """Subscribe Alice to a monthly and a yearly price."""
    alice = client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    return client.v1.subscriptions.create(
        {"customer": alice.id, "items": [{"price": price.id}, {"price": yearly.id}], "off_session": True}
    )


def periods(sub: Sub) -> list[int]:
    """Return how many days each item's period is long."""
    return [round((row.current_period_end - row.current_period_start) / DAY) for row in sub["items"]["data"]]


def lines(client: stripe.StripeClient, sub: Sub) -> list[int]:
    invoice = client.v1.invoices.retrieve(str(client.v1.subscriptions.retrieve(sub.id).latest_invoice))
    return [line.amount for line in invoice.lines.data]


def test_the_first_invoice_is_over_all_items(client: stripe.StripeClient, mixed: Sub) -> None:
    month, year = periods(mixed)
    assert (28 <= month <= 31, 365 <= year <= 366, mixed.status) == (True, True, "active")
    assert sorted(lines(client, mixed)) == [2000, 12_000]


def test_a_month_later_only_the_monthly_item_is_billed(
    client: stripe.StripeClient, mixed: Sub, control: Control
) -> None:
    year_end = mixed["items"]["data"][1].current_period_end
    preview = client.v1.invoices.create_preview({"subscription": mixed.id})
    assert [line.amount for line in preview.lines.data] == [2000]
    control("/advance", {"seconds": 32 * DAY})
    after = client.v1.subscriptions.retrieve(mixed.id)
    assert lines(client, mixed) == [2000]
    assert after["items"]["data"][1].current_period_end == year_end
    assert after["items"]["data"][0].current_period_start == mixed["items"]["data"][0].current_period_end


def test_where_periods_end_together_one_invoice_is_over_both(
    client: stripe.StripeClient, mixed: Sub, control: Control
) -> None:
    control("/advance", {"seconds": 367 * DAY})
    assert len(client.v1.invoices.list({"subscription": mixed.id, "limit": 50}).data) == 13
    assert sorted(lines(client, mixed)) == [2000, 12_000]


def test_an_item_of_another_interval_is_added_with_its_own_period_and_prorated(
    client: stripe.StripeClient, price: Any, yearly: Any, subscribed: Any, control: Control
) -> None:
    sub = subscribed()
    control("/advance", {"seconds": 10 * DAY})
    after = client.v1.subscriptions.update(sub.id, {"items": [{"price": yearly.id}]})
    assert periods(after)[1] in (365, 366)
    assert after["items"]["data"][0].current_period_end == sub["items"]["data"][0].current_period_end
    waiting = client.v1.invoice_items.list({"customer": str(sub.customer), "pending": True}).data
    assert [round(item.amount / 12_000 * 365) for item in waiting] == [355]


def test_an_item_that_changes_its_interval_leaves_the_others_alone(
    client: stripe.StripeClient, price: Any, mixed: Sub, control: Control
) -> None:
    control("/advance", {"seconds": 5 * DAY})
    month, year = mixed["items"]["data"]
    weekly = client.v1.prices.create(
        {"product": str(price.product), "currency": "usd", "unit_amount": 700, "recurring": {"interval": "week"}}
    )
    after = client.v1.subscriptions.update(mixed.id, {"items": [{"id": month.id, "price": weekly.id}]})
    assert periods(after)[0] == 7
    assert after["items"]["data"][1].current_period_end == year.current_period_end
    credit, charge = sorted(lines(client, mixed))
    assert (credit < -1600, charge) == (True, 200)


def test_an_item_that_goes_is_credited_for_its_own_period(
    client: stripe.StripeClient, mixed: Sub, control: Control
) -> None:
    control("/advance", {"seconds": 73 * DAY})
    year = mixed["items"]["data"][1]
    client.v1.subscriptions.update(
        mixed.id, {"items": [{"id": year.id, "deleted": True}], "proration_behavior": "always_invoice"}
    )
    assert lines(client, mixed) == [pytest.approx(-12_000 * (365 - 73) / 365, rel=0.01)]


@pytest.mark.parametrize(("given", "index"), [("min_period_end", 0), ("max_period_end", 1)])
def test_it_ends_with_the_period_that_ends_first_or_last(
    client: stripe.StripeClient, mixed: Sub, given: Any, index: int
) -> None:
    after = client.v1.subscriptions.update(mixed.id, {"cancel_at": given})
    assert after.cancel_at == mixed["items"]["data"][index].current_period_end


def test_an_end_within_the_year_is_given_back_to_the_yearly_item_alone(
    client: stripe.StripeClient, price: Any, yearly: Any, customer: Any, control: Control
) -> None:
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    card = client.v1.customers.payment_methods.list(customer.id).data[0].id
    begun = control("", method="GET")["now"]
    sub = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": price.id}, {"price": yearly.id}],
            "default_payment_method": card,
            "cancel_at": begun + 73 * DAY,
        }
    )
    assert sorted(lines(client, sub)) == [2000, pytest.approx(12_000 * 73 / 365, rel=0.01)]
    after = client.v1.subscriptions.update(sub.id, {"cancel_at": "", "proration_behavior": "always_invoice"})
    assert periods(after)[1] in (365, 366)
    assert lines(client, sub) == [pytest.approx(12_000 * 292 / 365, rel=0.01)]


def test_a_new_anchor_begins_every_period_anew(client: stripe.StripeClient, mixed: Sub, control: Control) -> None:
    control("/advance", {"seconds": 10 * DAY})
    after = client.v1.subscriptions.update(mixed.id, {"billing_cycle_anchor": "now"})
    starts = {row.current_period_start for row in after["items"]["data"]}
    assert starts == {after.billing_cycle_anchor}
    assert sorted(line for line in lines(client, mixed) if line > 0) == [2000, 12_000]


def test_a_trial_ends_for_all_and_each_goes_on_in_its_rhythm(
    client: stripe.StripeClient, price: Any, yearly: Any, customer: Any, control: Control
) -> None:
    client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    sub = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}, {"price": yearly.id}], "trial_period_days": 7}
    )
    assert periods(sub) == [7, 7]
    control("/advance", {"seconds": 7 * DAY + 60})
    assert periods(client.v1.subscriptions.retrieve(sub.id))[1] in (365, 366)
    assert sorted(lines(client, sub)) == [2000, 12_000]


def test_a_schedule_has_them_too(client: stripe.StripeClient, price: Any, yearly: Any, customer: Any) -> None:
    both: Any = [{"price": price.id}, {"price": yearly.id}]
    month: Any = {"interval": "month"}
    made = client.v1.subscription_schedules.create(
        {"customer": customer.id, "start_date": "now", "phases": [{"items": both, "duration": month}]}
    )
    sub = client.v1.subscriptions.retrieve(str(made.subscription))
    assert periods(sub)[1] in (365, 366)

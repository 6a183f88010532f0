"""Flexible billing keeps the anchor and credits what was billed: docs.stripe.com/billing/subscriptions/billing-mode."""

from typing import Any

import pytest
import stripe

from .conftest import Control
from .test_billing_cycle import DAY, fresh, renew
from .test_changes import half_way, swap, team

__all__ = ["team"]


def yearly(client: stripe.StripeClient, price: Any, amount: int = 24000) -> Any:
    recurring: Any = {"interval": "year"}
    return client.v1.prices.create(
        {"product": price.product, "currency": "usd", "unit_amount": amount, "recurring": recurring}
    )


def amounts(invoice: Any) -> list[int]:
    return [line.amount for line in invoice.lines.data]


def test_a_year_that_becomes_a_month_keeps_the_anchor_and_leaves_a_credit(
    client: stripe.StripeClient, control: Control, checkout: Any, subscribed: Any, price: Any
) -> None:
    year = yearly(client, price)
    sub = subscribed(line_items=[{"price": year.id, "quantity": 1}])
    control("/advance", {"seconds": 40 * DAY})
    now = swap(client, sub, price, proration_behavior="always_invoice")
    item = now["items"]["data"][0]
    assert now.billing_cycle_anchor == sub.billing_cycle_anchor
    assert item.current_period_end - item.current_period_start in (28 * DAY, 29 * DAY, 30 * DAY, 31 * DAY)
    credit, charge = amounts(fresh(client, sub).latest_invoice)
    assert credit < -20000
    assert 0 < charge < 2000
    assert client.v1.customers.retrieve(sub.customer).balance == credit + charge
    renew(control, now)
    assert (fresh(client, sub).latest_invoice.total, fresh(client, sub).latest_invoice.amount_due) == (2000, 0)


def test_a_credit_names_the_line_that_it_gives_back(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any
) -> None:
    """Recorded: `proration_details.credited_items`, and no unit amount on a proration."""
    sub = subscribed()
    first = fresh(client, sub).latest_invoice
    half_way(control, sub)
    swap(client, sub, team, proration_behavior="always_invoice")
    credit, charge = fresh(client, sub).latest_invoice.lines.data
    given = credit.parent.subscription_item_details.proration_details.credited_items
    assert (given.invoice, given.invoice_line_items) == (first.id, [first.lines.data[0].id])
    assert charge.parent.subscription_item_details.proration_details.credited_items is None
    assert {credit.pricing.unit_amount_decimal, charge.pricing.unit_amount_decimal} == {None}


def test_a_credit_is_of_what_was_billed_and_not_of_what_the_discount_is_now(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any
) -> None:
    coupon = client.v1.coupons.create({"percent_off": 50, "duration": "forever"})
    sub = subscribed(discounts=[{"coupon": coupon.id}])
    client.v1.subscriptions.update(sub.id, {"discounts": ""})
    middle = half_way(control, sub)
    swap(client, sub, team, proration_behavior="always_invoice", proration_date=middle)
    assert amounts(fresh(client, sub).latest_invoice) == [-500, 2500]


def test_a_second_change_gives_back_what_the_first_one_charged(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any, price: Any
) -> None:
    sub = subscribed()
    middle = half_way(control, sub)
    changed = swap(client, sub, team, proration_behavior="always_invoice", proration_date=middle)
    swap(client, changed, price, proration_behavior="always_invoice", proration_date=middle)
    assert amounts(fresh(client, sub).latest_invoice) == [-2500, 1000]
    assert client.v1.customers.retrieve(sub.customer).balance == -1500


def test_a_change_is_prorated_from_the_date_that_is_named(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any
) -> None:
    sub = subscribed()
    middle = half_way(control, sub)
    control("/advance", {"seconds": 5 * 86_400})
    changed = swap(client, sub, team, proration_behavior="always_invoice", proration_date=middle)
    assert amounts(fresh(client, changed).latest_invoice) == [-1000, 2500]


@pytest.mark.parametrize("is_paid", [True, False])
def test_what_a_change_would_have_charged_is_credited_only_once_it_is_paid(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any, price: Any, is_paid: bool
) -> None:
    sub = subscribed("pm_card_authenticationRequired", "authenticated")
    middle = half_way(control, sub)
    waits = swap(
        client,
        sub,
        team,
        payment_behavior="pending_if_incomplete",
        proration_behavior="always_invoice",
        proration_date=middle,
    )
    assert waits.pending_update.subscription_items[0].price.id == team.id
    if is_paid:
        control(f"/invoices/{waits.latest_invoice}/pay", {"outcome": "authenticated"})
    else:
        client.v1.invoices.void_invoice(waits.latest_invoice)
    other = price if is_paid else team
    details: Any = {"items": [{"id": sub["items"]["data"][0].id, "price": other.id}], "proration_date": middle}
    details["proration_behavior"] = "always_invoice"
    preview = client.v1.invoices.create_preview({"subscription": sub.id, "subscription_details": details})
    assert amounts(preview) == ([-2500, 1000] if is_paid else [-1000, 2500])


def test_what_was_not_billed_is_not_credited(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any, price: Any
) -> None:
    sub = subscribed()
    middle = half_way(control, sub)
    changed = swap(client, sub, team, proration_behavior="none")
    swap(client, changed, price, proration_behavior="always_invoice", proration_date=middle)
    assert amounts(fresh(client, sub).latest_invoice) == [-1000, 1000]


def test_a_proration_of_several_says_of_how_many(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    """As users report Stripe's invoices: `Remaining time on 2 × Pro after 14 Jan 2019`, and no count of one."""
    sub = subscribed()
    half_way(control, sub)
    item: Any = {"id": sub["items"]["data"][0].id, "quantity": 2}
    client.v1.subscriptions.update(sub.id, {"items": [item], "proration_behavior": "always_invoice"})
    words = [line.description.partition(" after ")[0] for line in fresh(client, sub).latest_invoice.lines.data]
    assert words == ["Unused time on Pro", "Remaining time on 2 × Pro"]


@pytest.mark.parametrize("of_item", [False, True])
def test_a_discount_of_the_same_update_counts_for_its_proration(
    client: stripe.StripeClient, control: Control, subscribed: Any, team: Any, of_item: bool
) -> None:
    coupon = client.v1.coupons.create({"percent_off": 20, "duration": "forever"})
    sub = subscribed()
    middle = half_way(control, sub)
    item: Any = {"id": sub["items"]["data"][0].id, "price": team.id}
    given: Any = {"discounts": [{"coupon": coupon.id}]}
    change: Any = {"items": [{**item, **given}]} if of_item else {"items": [item], **given}
    client.v1.subscriptions.update(sub.id, {**change, "proration_behavior": "always_invoice", "proration_date": middle})
    assert amounts(fresh(client, sub).latest_invoice) == [-1000, 2000]
    assert client.v1.coupons.retrieve(coupon.id).times_redeemed == 1


def test_a_trial_on_a_running_subscription_credits_the_unused_time(
    client: stripe.StripeClient, control: Control, subscribed: Any
) -> None:
    """https://docs.stripe.com/billing/subscriptions/trials"""
    sub = subscribed()
    middle = half_way(control, sub)
    tried = client.v1.subscriptions.update(sub.id, {"trial_end": middle + 10 * DAY})
    assert (tried.status, tried.billing_cycle_anchor) == ("trialing", middle + 10 * DAY)
    invoice = fresh(client, sub).latest_invoice
    assert (sorted(amounts(invoice)), invoice.status) == ([-1000, 0], "paid")
    assert client.v1.customers.retrieve(sub.customer).balance == -1000
    control("/advance", {"to": middle + 11 * DAY})
    after = fresh(client, sub)
    assert (after.status, after.latest_invoice.total, after.latest_invoice.amount_due) == ("active", 2000, 1000)


def test_a_trial_may_be_put_on_without_a_credit(client: stripe.StripeClient, control: Control, subscribed: Any) -> None:
    sub = subscribed()
    middle = half_way(control, sub)
    client.v1.subscriptions.update(sub.id, {"trial_end": middle + 10 * DAY, "proration_behavior": "none"})
    assert amounts(fresh(client, sub).latest_invoice) == [0]
    assert client.v1.customers.retrieve(sub.customer).balance == 0


def test_a_trial_that_is_moved_draws_no_invoice(client: stripe.StripeClient, customer: Any, price: Any) -> None:
    sub = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "trial_period_days": 7}
    )
    moved = client.v1.subscriptions.update(sub.id, {"trial_end": sub.trial_end + DAY})
    assert (moved.status, moved.trial_end, moved.latest_invoice) == (
        "trialing",
        sub.trial_end + DAY,
        sub.latest_invoice,
    )


def test_an_item_added_in_a_trial_draws_an_invoice_of_nothing(
    client: stripe.StripeClient, customer: Any, price: Any, team: Any
) -> None:
    sub = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "trial_period_days": 7}
    )
    client.v1.subscriptions.update(sub.id, {"items": [{"price": team.id}]})
    invoice = fresh(client, sub).latest_invoice
    assert (invoice.id != sub.latest_invoice, invoice.billing_reason, invoice.status) == (
        True,
        "subscription_update",
        "paid",
    )
    assert [line.description for line in invoice.lines.data] == ["Free trial for 1 × Pro"]


def test_an_end_within_the_first_period_shortens_it(
    client: stripe.StripeClient, control: Control, customer: Any, price: Any
) -> None:
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    now = control("/", method="GET")["now"]
    asked: Any = {"customer": customer.id, "items": [{"price": price.id}], "default_payment_method": card.id}
    sub = client.v1.subscriptions.create({**asked, "cancel_at": now + 10 * DAY})
    paid = fresh(client, sub).latest_invoice.amount_paid
    assert 2000 * 10 // 31 - 1 <= paid <= 2000 * 10 // 28 + 1
    assert sub["items"]["data"][0].current_period_end == now + 10 * DAY
    whole = client.v1.subscriptions.create({**asked, "cancel_at": now + 10 * DAY, "proration_behavior": "none"})
    assert fresh(client, whole).latest_invoice.amount_paid == 2000
    control("/advance", {"to": now + 10 * DAY + 1})
    assert (fresh(client, sub).status, client.v1.customers.retrieve(customer.id).balance) == ("canceled", 0)


@pytest.mark.parametrize(
    ("mode", "named"),
    [
        ({"type": "classic"}, "classic"),
        ({"type": "flexible", "flexible": {"proration_discounts": "itemized"}}, "itemized"),
    ],
)
def test_another_way_of_billing_is_refused_by_name(
    client: stripe.StripeClient, customer: Any, price: Any, mode: Any, named: str
) -> None:
    items: Any = [{"price": price.id}]
    with pytest.raises(stripe.InvalidRequestError, match=named) as refused:
        client.v1.subscriptions.create({"customer": customer.id, "items": items, "billing_mode": mode})
    assert refused.value.code == "sandbox_not_covered"
    selling: Any = {"mode": "subscription", "line_items": [{"price": price.id, "quantity": 1}]}
    with pytest.raises(stripe.InvalidRequestError, match=named):
        client.v1.checkout.sessions.create(
            {**selling, "success_url": "https://example.com", "subscription_data": {"billing_mode": mode}}
        )


def test_a_start_in_the_past_draws_a_line_for_each_period(
    client: stripe.StripeClient, control: Control, customer: Any, price: Any
) -> None:
    card = client.v1.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    now = control("/", method="GET")["now"]
    weekly = client.v1.prices.create(
        {"product": price.product, "currency": "usd", "unit_amount": 700, "recurring": {"interval": "week"}}
    )
    params: Any = {
        "customer": customer.id,
        "items": [{"price": weekly.id}],
        "default_payment_method": card.id,
        "backdate_start_date": now - 15 * DAY,
    }
    declined = client.v1.subscriptions.create({**params, "proration_behavior": "none"})
    assert [line.amount for line in fresh(client, declined).latest_invoice.lines.data] == [700]
    sub = client.v1.subscriptions.create(params)
    lines = fresh(client, sub).latest_invoice.lines.data
    assert [line.amount for line in lines] == [700, 700, 100, 700]
    assert [line.period.start - (now - 15 * DAY) for line in lines[:3]] == [0, 7 * DAY, 14 * DAY]

"""The billing cycle of a new subscription is anchored at a date."""

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from .conftest import Control

DAY = 86_400
NOON = int(datetime(2027, 5, 15, 12, tzinfo=UTC).timestamp())
JUNE = int(datetime(2027, 6, 1, tzinfo=UTC).timestamp())


@pytest.fixture
def alice(client: stripe.StripeClient, control: Control) -> str:
    """Alice has a good card. It is noon on 15 May 2027."""
    control("/reset", {"seed": "7", "now": NOON})
    return client.v1.customers.create(
        {"payment_method": "pm_card_visa", "invoice_settings": {"default_payment_method": "pm_card_visa"}}
    ).id


@pytest.fixture
def monthly(client: stripe.StripeClient, alice: str) -> str:
    return priced(client, "month", 3100)


def priced(client: stripe.StripeClient, interval: Any, amount: int) -> str:
    return client.v1.prices.create(
        {
            "product_data": {"name": "Pro"},
            "currency": "usd",
            "unit_amount": amount,
            "recurring": {"interval": interval},
        }
    ).id


def begun(client: stripe.StripeClient, customer: str, price: str, **more: Any) -> stripe.Subscription:
    params: Any = {"customer": customer, "items": [{"price": price}], "expand": ["latest_invoice"], **more}
    return client.v1.subscriptions.create(params)


def ends(sub: stripe.Subscription) -> str:
    end = sub["items"]["data"][0].current_period_end
    return f"{datetime.fromtimestamp(end, UTC):%Y-%m-%d %H:%M:%S}"


def test_the_time_until_the_anchor_is_charged_in_proportion(
    client: stripe.StripeClient, alice: str, monthly: str, control: Control
) -> None:
    sub = begun(client, alice, monthly, billing_cycle_anchor=JUNE)
    assert (sub.billing_cycle_anchor, ends(sub), sub.status) == (JUNE, "2027-06-01 00:00:00", "active")
    assert sub.latest_invoice.amount_paid == 1650  # 16½ of 31 days
    control("/advance", {"to": JUNE + 7200})
    after = client.v1.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})
    assert (ends(after), after.latest_invoice.amount_paid) == ("2027-07-01 00:00:00", 3100)


def test_without_prorations_the_time_until_the_anchor_is_free_and_has_no_invoice(
    client: stripe.StripeClient, alice: str, monthly: str, control: Control
) -> None:
    sub = begun(client, alice, monthly, billing_cycle_anchor=JUNE, proration_behavior="none")
    assert (sub.status, sub.latest_invoice, ends(sub)) == ("active", None, "2027-06-01 00:00:00")
    control("/advance", {"to": JUNE + 7200})
    after = client.v1.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})
    assert (after.latest_invoice.amount_paid, ends(after)) == (3100, "2027-07-01 00:00:00")


@pytest.mark.parametrize("behaviour", ["allow_incomplete", "error_if_incomplete"])
def test_what_is_free_until_its_anchor_needs_no_card_yet(
    client: stripe.StripeClient, alice: str, monthly: str, behaviour: str
) -> None:
    poor = client.v1.customers.create({"email": "poor@example.com"})
    more: Any = {"payment_behavior": behaviour, "billing_cycle_anchor": JUNE}
    assert begun(client, poor.id, monthly, proration_behavior="none", **more).status == "active"
    with pytest.raises(stripe.InvalidRequestError, match="no attached payment source"):
        begun(client, poor.id, monthly, **more)


def test_an_anchor_far_ahead_aligns_the_periods_before_it(
    client: stripe.StripeClient, alice: str, monthly: str
) -> None:
    september = int(datetime(2027, 9, 1, tzinfo=UTC).timestamp())
    assert ends(begun(client, alice, monthly, billing_cycle_anchor=september)) == "2027-06-01 00:00:00"


def test_a_trial_before_the_anchor_is_followed_by_a_part_of_a_period(
    client: stripe.StripeClient, alice: str, monthly: str, control: Control
) -> None:
    trial_end = NOON + 7 * DAY
    sub = begun(client, alice, monthly, billing_cycle_anchor=JUNE, trial_end=trial_end)
    assert (sub.status, ends(sub), sub.latest_invoice.amount_due) == ("trialing", "2027-05-22 12:00:00", 0)
    control("/advance", {"to": trial_end + 7200})
    after = client.v1.subscriptions.retrieve(sub.id, {"expand": ["latest_invoice"]})
    assert (ends(after), after.latest_invoice.amount_paid) == ("2027-06-01 00:00:00", 950)


@pytest.mark.parametrize(
    ("config", "first", "second"),
    [
        ({"day_of_month": 1}, "2027-06-01 12:00:00", "2027-07-01 12:00:00"),
        ({"day_of_month": 20, "hour": 6, "minute": 30, "second": 5}, "2027-05-20 06:30:05", "2027-06-20 06:30:05"),
        ({"day_of_month": 15, "hour": 0}, "2027-06-15 00:00:00", "2027-07-15 00:00:00"),
        ({"day_of_month": 31, "hour": 0, "minute": 0, "second": 0}, "2027-05-31 00:00:00", "2027-06-30 00:00:00"),
        ({"day_of_month": 3, "month": 8, "hour": 0}, "2027-06-03 00:00:00", "2027-07-03 00:00:00"),
    ],
)
def test_the_anchor_is_described_by_its_day(
    client: stripe.StripeClient, alice: str, monthly: str, control: Control, config: Any, first: str, second: str
) -> None:
    sub = begun(client, alice, monthly, billing_cycle_anchor_config=config)
    given = {name: config.get(name) for name in ("day_of_month", "hour", "minute", "month", "second")}
    assert (sub.billing_cycle_anchor_config.to_dict(), ends(sub)) == (given, first)
    control("/advance", {"to": sub["items"]["data"][0].current_period_end + 60})
    assert ends(client.v1.subscriptions.retrieve(sub.id)) == second


def test_a_year_is_anchored_in_a_month(client: stripe.StripeClient, alice: str) -> None:
    config = {"day_of_month": 29, "month": 2, "hour": 0, "minute": 0, "second": 0}
    sub = begun(client, alice, priced(client, "year", 36_500), billing_cycle_anchor_config=config)
    assert ends(sub) == "2028-02-29 00:00:00"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"billing_cycle_anchor": NOON - 5}, "must be in the future"),
        ({"billing_cycle_anchor": JUNE, "billing_cycle_anchor_config": {"day_of_month": 1}}, "only specify one"),
        ({"billing_cycle_anchor": JUNE, "trial_end": JUNE + 5}, "trial must end before"),
        ({"billing_cycle_anchor_config": {"day_of_month": 32}}, "between 1 and 31"),
        ({"billing_cycle_anchor_config": {"day_of_month": 1, "hour": 24}}, "between 0 and 23"),
        ({"billing_cycle_anchor_config": {"day_of_month": 30, "month": 2}}, "no such"),
    ],
)
def test_an_anchor_that_cannot_be_is_refused(
    client: stripe.StripeClient, alice: str, monthly: str, more: Any, words: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=words):
        begun(client, alice, monthly, **more)


def test_a_day_of_the_month_is_no_anchor_for_weeks(client: stripe.StripeClient, alice: str) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="monthly and yearly"):
        begun(client, alice, priced(client, "week", 700), billing_cycle_anchor_config={"day_of_month": 1})


def test_a_preview_of_a_new_subscription_is_anchored_too(client: stripe.StripeClient, alice: str, monthly: str) -> None:
    details: Any = {"items": [{"price": monthly}], "billing_cycle_anchor": JUNE}
    preview: Any = {"customer": alice, "subscription_details": details}
    assert client.v1.invoices.create_preview(preview).amount_due == 1650
    preview["subscription_details"]["proration_behavior"] = "none"
    assert client.v1.invoices.create_preview(preview).amount_due == 0

"""Only the price changes when a phase begins: all else that the subscription says is as it was before."""

from typing import Any

import pytest

from billing import testing
from billing.lifecycle import change, phases
from billing.subscriptions import seats
from billing.tests.subscriptions.test_seats import join

pytestmark = pytest.mark.django_db

# A new phase changes these by itself.
OF_THE_PERIOD = {"latest_invoice", "schedule", "items", "current_period_start", "current_period_end"}


def told_everything(world, subscriber):
    """Give a subscription a value for each thing that a phase may lose."""
    tax, own_tax = (
        world.stripe("POST", "tax_rates", display_name=name, percentage=percent, inclusive=False)["id"]
        for name, percent in (("VAT", 20), ("City", 3))
    )
    half, tenth = (
        world.stripe("POST", "coupons", percent_off=percent, duration="forever")["id"] for percent in (50, 10)
    )
    product = world.stripe("POST", "products", name="Tokens")["id"]
    meter = world.stripe(
        "POST",
        "billing/meters",
        display_name="tokens",
        event_name="tokens",
        default_aggregation={"formula": "sum"},
    )["id"]
    metered = world.stripe(
        "POST",
        "prices",
        product=product,
        currency="usd",
        unit_amount=1,
        recurring={"interval": "month", "usage_type": "metered", "meter": meter},
    )["id"]
    found = at_stripe(world, subscriber)
    world.stripe(
        "POST",
        f"subscriptions/{subscriber.subscription}",
        items=[
            {
                "id": found["items"]["data"][0]["id"],
                "tax_rates": [own_tax],
                "discounts": [{"coupon": tenth}],
                "metadata": {"cost_centre": "17"},
            },
            {"price": metered, "billing_thresholds": {"usage_gte": 10_000}},
        ],
        default_tax_rates=[tax],
        discounts=[{"coupon": half}],
        metadata={"contract": "A-1"},
        billing_thresholds={"amount_gte": 90_000},
        description="For the lab",
        invoice_settings={"description": "PO 4711", "footer": "Thank you"},
        default_payment_method=found["default_payment_method"],
        proration_behavior="none",
    )
    world.deliver()


def at_stripe(world, subscriber):
    return world.stripe("GET", f"subscriptions/{subscriber.subscription}")


def kept(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in OF_THE_PERIOD}


def items(found: dict[str, Any]) -> dict[str, Any]:
    """Return the items by what they are of, without their period and price."""
    changing = {"price", "plan", "current_period_start", "current_period_end"}
    return {
        item["price"]["recurring"]["usage_type"]: {name: item[name] for name in item if name not in changing}
        for item in found["items"]["data"]
    }


def prices(found):
    return sorted(item["price"]["lookup_key"] or "metered" for item in found["items"]["data"])


def at_the_periods_end(world, subscriber):
    end = at_stripe(world, subscriber)["items"]["data"][0]["current_period_end"]
    world.control("advance", to=end + 7200)
    world.deliver()
    return at_stripe(world, subscriber)


@pytest.fixture
def team(world):
    return paid(world, world.subscribed(plan="team"))


def paid(world, subscriber):
    """End the trial of Team."""
    world.stripe("POST", f"subscriptions/{subscriber.subscription}", trial_end="now")
    world.deliver()
    return subscriber


def test_a_downgrade_changes_the_price_and_nothing_else(world, team):
    told_everything(world, team)
    before = at_stripe(world, team)
    row = change.change(team.user, "pro", "month")
    assert (row.pending_kind, row.pending_price.lookup_key) == ("scheduled", "pro_month")
    scheduled = at_stripe(world, team)
    assert kept(scheduled) == kept(before)
    assert items(scheduled) == items(before)
    after = at_the_periods_end(world, team)
    assert prices(after) == ["metered", "pro_month"]
    assert kept(after) == kept(before)
    assert items(after) == items(before)


def test_what_is_sent_and_paid_by_a_date_is_so_after_a_downgrade(world, team):
    world.stripe(
        "POST", f"subscriptions/{team.subscription}", collection_method="send_invoice", days_until_due=21,
        metadata={"po": "9"},
    )  # fmt: skip
    before = at_stripe(world, team)
    change.change(team.user, "pro", "month")
    after = at_the_periods_end(world, team)
    assert prices(after) == ["pro_month"]
    assert kept(after) == kept(before)


def test_automatic_tax_goes_on_after_a_downgrade(world, team):
    address = {"country": "DE", "postal_code": "10115", "line1": "Str. 1", "city": "Berlin"}
    world.stripe("POST", f"customers/{team.customer}", address=address)
    world.stripe("POST", f"subscriptions/{team.subscription}", automatic_tax={"enabled": True})
    before = at_stripe(world, team)
    change.change(team.user, "pro", "month")
    after = at_the_periods_end(world, team)
    assert (prices(after), after["automatic_tax"]["enabled"]) == (["pro_month"], True)
    assert kept(after) == kept(before)


def test_seats_that_change_before_a_downgrade_change_nothing_else(world, settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"
    user = world.sign_up()
    join(user)
    team = paid(world, world.subscribed(user=user, plan="team"))
    told_everything(world, team)
    before = at_stripe(world, team)
    change.change(team.user, "pro", "month")
    join(user)
    seats.changed(user)
    testing.work()
    counted = at_stripe(world, team)
    flat = items(counted)["licensed"]
    assert flat.pop("quantity") == items(before)["licensed"]["quantity"] + 1
    assert kept(counted) == kept(before)
    after = at_the_periods_end(world, team)
    assert prices(after) == ["metered", "pro_month"]
    assert kept(after) == kept(before)
    assert {**items(after)["licensed"], "quantity": 1} == items(before)["licensed"]
    assert items(after)["metered"] == items(before)["metered"]


def test_a_second_choice_of_a_downgrade_keeps_what_the_first_kept(world, team):
    told_everything(world, team)
    before = at_stripe(world, team)
    change.change(team.user, "pro", "month")
    change.take_back(team.user)
    assert kept(at_stripe(world, team)) == kept(before)
    change.change(team.user, "pro", "month")
    after = at_the_periods_end(world, team)
    assert (kept(after), items(after)) == (kept(before), items(before))


# What the sandbox has no accounts for


ACCOUNT = {"type": "account", "account": {"id": "acct_2", "object": "account"}}
SUBSCRIPTION = {
    "status": "trialing",
    "trial_end": 500,
    "application_fee_percent": 0,
    "automatic_tax": {"enabled": True, "liability": ACCOUNT, "disabled_reason": None},
    "currency": "eur",
    "collection_method": "send_invoice",
    "days_until_due": 0,
    "on_behalf_of": {"id": "acct_1"},
    "transfer_data": {"destination": "acct_3", "amount_percent": None},
    "invoice_settings": {
        "issuer": ACCOUNT,
        "account_tax_ids": ["txi_1"],
        "custom_fields": [{"name": "PO", "value": "1"}],
        "description": None,
        "footer": None,
    },
    "items": {"data": [{"price": {"id": "price_1"}, "quantity": 0, "metadata": {}, "discounts": ["di_1"]}]},
    "discounts": [{"id": "di_2", "object": "discount", "source": {"coupon": "half"}}],
}


def test_accounts_and_zeros_are_kept():
    assert phases.of_subscription(SUBSCRIPTION) == {
        "application_fee_percent": 0,
        "automatic_tax": {"enabled": True, "liability": {"type": "account", "account": "acct_2"}},
        "currency": "eur",
        "collection_method": "send_invoice",
        "on_behalf_of": "acct_1",
        "transfer_data": {"destination": "acct_3"},
        "invoice_settings": {
            "account_tax_ids": ["txi_1"],
            "custom_fields": [{"name": "PO", "value": "1"}],
            "issuer": {"type": "account", "account": "acct_2"},
            "days_until_due": 0,
        },
        "discounts": [{"discount": "di_2"}],
        "trial_end": 500,
        "items": [{"price": "price_1", "quantity": 0, "discounts": [{"discount": "di_1"}]}],
    }


def test_a_phase_of_others_is_written_as_it_is():
    added = {
        "price": {"id": "price_2"},
        "quantity": 2,
        "discountable": False,
        "discounts": [{"coupon": "half", "discount": None, "promotion_code": None}],
        "period": {"start": {"type": "timestamp", "timestamp": 7}, "end": {"type": "min_item_period_end"}},
        "metadata": {"a": "b"},
        "tax_rates": [{"id": "txr_1"}],
    }
    assert phases.of_phase(
        {
            "start_date": 100,
            "end_date": 200,
            "trial_end": None,
            "proration_behavior": "none",
            "billing_cycle_anchor": "phase_start",
            "discounts": [{"coupon": {"id": "half"}, "discount": None, "promotion_code": "promo_1"}],
            "items": [{"price": "price_1", "quantity": 3, "billing_thresholds": None}],
            "add_invoice_items": [added],
        }
    ) == {
        "start_date": 100,
        "end_date": 200,
        "proration_behavior": "none",
        "billing_cycle_anchor": "phase_start",
        "discounts": [{"coupon": "half", "promotion_code": "promo_1"}],
        "items": [{"price": "price_1", "quantity": 3}],
        "add_invoice_items": [
            {
                "price": "price_2",
                "quantity": 2,
                "discountable": False,
                "discounts": [{"coupon": "half"}],
                "period": {"start": {"type": "timestamp", "timestamp": 7}, "end": {"type": "min_item_period_end"}},
                "metadata": {"a": "b"},
                "tax_rates": ["txr_1"],
            }
        ],
    }

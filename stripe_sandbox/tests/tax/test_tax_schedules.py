"""Schedules carry taxes by phase; what a phase does not name is lost, as at Stripe."""

from typing import Any

import pytest
import stripe

from ..conftest import Control
from .conftest import BERLIN, Made, sums

MONTH = 31 * 86_400
OFF: Any = {"automatic_tax": {"enabled": False}}


def test_the_phases_of_a_schedule_have_taxes_of_their_own(
    client: stripe.StripeClient, person: Made, priced: Made, by_hand: Made, control: Control
) -> None:
    who, price, high, low = person(BERLIN), priced(), by_hand(10), by_hand(5)
    month: Any = {"duration": {"interval": "month"}}
    extra: Any = {"price": priced(500, recurring=None).id, "tax_rates": [low.id]}
    phases: Any = [
        {"items": [{"price": price.id, "tax_rates": [low.id]}], "default_tax_rates": [high.id], **month,
         "add_invoice_items": [extra], **OFF},
        {"items": [{"price": price.id}], **month},
    ]  # fmt: skip
    wanted: Any = {"customer": who.id, "start_date": "now", "phases": phases, "default_settings": {**OFF}}
    wanted["default_settings"] = {"automatic_tax": {"enabled": True}}
    preview = client.v1.invoices.create_preview({"customer": who.id, "schedule_details": {"phases": phases}})
    assert sorted(tax.amount for tax in preview.total_taxes or []) == [75]
    schedule = client.v1.subscription_schedules.create(wanted)
    first, second = schedule.phases
    assert (first.automatic_tax and first.automatic_tax.enabled, second.automatic_tax) == (False, None)
    assert [rate.id for rate in first["items"][0].tax_rates or []] == [low.id]
    invoice = client.v1.invoices.list({"customer": who.id}).data[0]
    assert sums(invoice) == (1500, 1575, 1500, [75])
    sub = client.v1.subscriptions.retrieve(str(schedule.subscription))
    assert ([rate.id for rate in sub.default_tax_rates or []], sub.automatic_tax.enabled) == ([high.id], False)
    assert sums(client.v1.invoices.create_preview({"subscription": sub.id}))[3] == [190]
    control("/advance", {"seconds": MONTH + 7_200})
    after = client.v1.subscriptions.retrieve(sub.id)
    assert (after.default_tax_rates, after.automatic_tax.enabled) == ([], True)
    assert after["items"].data[0].tax_rates == []
    assert sums(client.v1.invoices.list({"customer": who.id}).data[0])[3] == [190]


def test_a_schedule_of_a_subscription_begins_with_its_taxes_and_loses_what_is_left_out(
    client: stripe.StripeClient, subscribe: Made, by_hand: Made, priced: Made
) -> None:
    rate = by_hand(10)
    sub = subscribe(**OFF, default_tax_rates=[rate.id])
    schedule = client.v1.subscription_schedules.create({"from_subscription": sub.id})
    (phase,) = schedule.phases
    assert [each.id for each in phase.default_tax_rates or []] == [rate.id]
    kept: Any = {"start_date": phase.start_date, "end_date": phase.end_date}
    kept["items"] = [{"price": str(phase["items"][0].price)}]
    both: Any = [{**kept, "default_tax_rates": [rate.id]}]
    client.v1.subscription_schedules.update(schedule.id, {"phases": both})
    assert len(client.v1.subscriptions.retrieve(sub.id).default_tax_rates or []) == 1
    extra: Any = [{"price": priced(500, recurring=None).id, "tax_rates": [rate.id]}]
    own: Any = [{**kept["items"][0], "tax_rates": [rate.id]}]
    client.v1.subscription_schedules.update(
        schedule.id, {"phases": [{**kept, "items": own, "add_invoice_items": extra}]}
    )
    preview = client.v1.invoices.create_preview({"subscription": sub.id})
    assert sums(preview) == (1500, 1650, 1500, [150])
    client.v1.subscription_schedules.update(schedule.id, {"phases": [kept]})
    assert sums(client.v1.invoices.create_preview({"subscription": sub.id}))[3] == [50]
    assert client.v1.subscriptions.retrieve(sub.id).default_tax_rates == []


def test_automatic_tax_of_a_schedule_goes_on_with_its_subscription_and_off_without_a_place(
    client: stripe.StripeClient, subscribe: Made, control: Control
) -> None:
    sub = subscribe()
    schedule = client.v1.subscription_schedules.create({"from_subscription": sub.id})
    assert schedule.default_settings.automatic_tax
    assert schedule.default_settings.automatic_tax.enabled is True
    phase = schedule.phases[0]
    now: Any = {"start_date": phase.start_date, "end_date": phase.end_date}
    price = str(phase["items"][0].price)
    then: Any = {"items": [{"price": price}], "duration": {"interval": "year"}, "automatic_tax": {"enabled": True}}
    phases: Any = [{**now, "items": [{"price": price}]}, then]
    client.v1.subscription_schedules.update(schedule.id, {"phases": phases})
    client.v1.customers.update(sub.customer, {"address": ""})
    control("/advance", {"seconds": MONTH + 7_200})
    after = client.v1.subscription_schedules.retrieve(schedule.id)
    assert after.default_settings.automatic_tax
    assert after.phases[1].automatic_tax
    for shown in (after.default_settings.automatic_tax, after.phases[1].automatic_tax):
        assert (shown.enabled, shown.disabled_reason) == (False, "requires_location_inputs")
    on: Any = {"default_settings": {"automatic_tax": {"enabled": True}}}
    with pytest.raises(stripe.InvalidRequestError, match="location isn't recognized"):
        client.v1.subscription_schedules.create({"customer": sub.customer, "phases": [then], "start_date": "now"})
    client.v1.customers.update(sub.customer, {"address": BERLIN})
    updated = client.v1.subscription_schedules.update(schedule.id, on)
    assert updated.default_settings.automatic_tax
    assert updated.default_settings.automatic_tax.enabled is True

"""Under a schedule at Stripe, the new price is written into the phases from the renewal on; earlier ones stay."""

import pytest

from . import test_price_move_telling as told
from . import test_price_move_writing as writes
from .test_price_move_telling import HOUR, RENEWAL
from .test_price_move_writing import AT, MOVED, REFRESHED, at_price, outcome, write

pytestmark = pytest.mark.django_db

_noon, plan, move, ben = told._noon, told.plan, told.move, told.ben
stays, row, at_stripe, written, refreshed = (
    writes.stays, writes.row, writes.at_stripe, writes.written, writes.refreshed)  # fmt: skip

DECIDES = ("told", RENEWAL + HOUR, "Its schedule at Stripe decides.", None)
BEGAN, EARLIER = AT - 30 * 86400, AT - 60 * 86400
OTHER = {"price": "price_extra", "quantity": 1}


def phase(start, end, *prices, **changes):
    items = [{"price": {"id": price}, "quantity": 3} for price in prices or ("price_old",)]
    return {"start_date": start, "end_date": end, "items": items, "currency": "usd", **changes}


def schedule(*phases, status="active", began=BEGAN):
    current = began and {"start_date": began, "end_date": AT}
    return {"id": "sub_sched_1", "status": status, "end_behavior": "release", "current_phase": current,
            "phases": list(phases)}  # fmt: skip


def sent(start, end, *prices, **changes):
    items = [{"price": price, "quantity": 3} for price in prices or ("price_old",)]
    return {"start_date": start, "end_date": end, "items": items, "currency": "usd", **changes}


def phases_of(written):
    ((path, _, params),) = written
    assert path == "/v1/subscription_schedules/sub_sched_1"
    return params["phases"]


def test_the_phase_that_goes_on_past_the_renewal_is_cut_there(row, at_stripe, written, refreshed):
    once = {"trial_end": BEGAN + 5, "billing_cycle_anchor": "phase_start"}
    at_stripe.append(at_price(schedule=schedule(phase(EARLIER, BEGAN), phase(BEGAN, AT + 9, **once))))
    key = write()
    phases = [sent(BEGAN, AT, **once), sent(AT, AT + 9, "price_new", proration_behavior="none")]
    params = {"end_behavior": "release", "proration_behavior": "none", "phases": phases}
    assert written == [("/v1/subscription_schedules/sub_sched_1", f"{key}:{row.pk}", params)]
    assert (outcome(row), refreshed) == (DECIDES, REFRESHED)


def test_what_is_charged_once_with_a_phase_is_not_charged_with_both_halves(row, at_stripe, written, refreshed):
    extra = [{"price": {"id": "price_once"}, "quantity": 1, "discounts": [], "tax_rates": []}]
    at_stripe.append(at_price(schedule=schedule(phase(BEGAN, AT + 9, add_invoice_items=extra))))
    write()
    first, second = phases_of(written)
    assert [each["price"] for each in first["add_invoice_items"]] == ["price_once"]
    assert "add_invoice_items" not in second


@pytest.mark.parametrize("start", [AT, AT + 1])
def test_a_phase_from_the_renewal_on_has_the_new_price_whole(row, at_stripe, written, refreshed, start):
    at_stripe.append(at_price(schedule=schedule(phase(BEGAN, AT), phase(start, AT + 9, trial_end=AT + 5))))
    write()
    assert phases_of(written) == [sent(BEGAN, AT), sent(start, AT + 9, "price_new", trial_end=AT + 5)]


def test_other_items_of_a_phase_and_other_phases_stay(row, at_stripe, written, refreshed):
    later = [phase(AT, AT + 9, "price_extra", "price_old"), phase(AT + 9, AT + 18, "price_high")]
    at_stripe.append(at_price(schedule=schedule(phase(BEGAN, AT), *later)))
    write()
    assert phases_of(written) == [
        sent(BEGAN, AT), sent(AT, AT + 9, "price_extra", "price_new"), sent(AT + 9, AT + 18, "price_high")]  # fmt: skip


@pytest.mark.parametrize("phases", [
    [phase(BEGAN, AT), phase(AT, AT + 9, "price_high")], [phase(BEGAN, AT)], [phase(BEGAN, AT + 9, "price_high")],
    [phase(EARLIER, AT + 9), phase(BEGAN, AT + 9, "price_high")],
])  # fmt: skip
def test_a_schedule_that_takes_the_old_price_away_by_then_stays_as_it_is(row, at_stripe, written, refreshed, phases):
    at_stripe.append(at_price(schedule=schedule(*phases)))
    write()
    assert (written, outcome(row), refreshed) == ([], DECIDES, REFRESHED)


@pytest.mark.parametrize("status", ["released", "canceled", "completed"])
def test_a_schedule_that_is_over_is_no_hindrance(row, at_stripe, written, refreshed, status):
    at_stripe.append(at_price(schedule=schedule(phase(BEGAN, AT + 9), status=status)))
    write()
    assert (written[0][0], outcome(row)) == ("/v1/subscriptions/sub_ada", MOVED)


def test_a_schedule_before_its_first_phase_is_written_whole(row, at_stripe, written, refreshed):
    at_stripe.append(at_price(schedule=schedule(phase(EARLIER, BEGAN), phase(BEGAN, AT + 9), began=None)))
    write()
    assert [each["start_date"] for each in phases_of(written)] == [EARLIER, BEGAN, AT]


def test_a_phase_over_the_renewal_that_has_another_price_is_not_cut(row, at_stripe, written, refreshed):
    at_stripe.append(at_price(schedule=schedule(phase(BEGAN, AT + 5, "price_high"), phase(AT + 5, AT + 9))))
    write()
    assert phases_of(written) == [sent(BEGAN, AT + 5, "price_high"), sent(AT + 5, AT + 9, "price_new")]

"""The switch of the price page tells what each interval saves against the shortest one, and seats have a minimum."""

import pytest

from billing.cadence import Cadence
from billing.events import sweep
from billing.lifecycle import change, previews
from billing.models import Plan, Price
from billing.pages.price_list import PriceList
from billing.pages.savings import Saving, saving_of
from billing.tests.subscriptions.test_seats import billed, join, leaves

pytestmark = pytest.mark.django_db


@pytest.fixture
def pro(db):
    return Plan.objects.create(slug="pro", name="Pro", rank=1)


def sold(plan, spelling, amount, **more):
    cadence = Cadence.parse(spelling)
    return Price.objects.create(
        pk=f"price_{plan.slug}_{cadence.key}", plan=plan, currency="usd", unit_amount=amount,
        interval=cadence.interval, interval_count=cadence.count, **more,
    )  # fmt: skip


def tiers(mode, *steps):
    found = [{"up_to": up_to, "unit": str(unit), "flat": "0"} for up_to, unit in steps]
    return {"tiers_mode": mode, "tiers": {"usd": found}}


@pytest.mark.parametrize(
    ("spelling", "amount", "saving"),
    [
        ("month", 2000, Saving(0, 0)),
        ("3 month", 5400, Saving(10, 0)),
        ("3 month", 4000, Saving(33, 1)),
        ("6 month", 12000, Saving(0, 0)),
        ("year", 20000, Saving(16, 2)),
        ("2 year", 36000, Saving(25, 6)),
        ("year", 30000, Saving(0, 0)),
    ],
)
def test_an_interval_is_compared_with_the_month(pro, spelling, amount, saving):
    sold(pro, "month", 2000)
    if spelling != "month":
        sold(pro, spelling, amount)
    assert saving_of(pro, Cadence.parse(spelling), "usd", 1) == saving


def test_the_shortest_interval_may_be_a_week_or_two(pro):
    sold(pro, "2 week", 1000)
    sold(pro, "year", 13000)
    assert saving_of(pro, Cadence("year"), "usd", 1) == Saving(50, 0)
    assert str(saving_of(pro, Cadence("year"), "usd", 1)) == "Save 50%"
    assert saving_of(pro, Cadence("year"), "eur", 1) == saving_of(pro, Cadence("month"), "usd", 1) == Saving(0, 0)


def test_tiers_are_compared_for_as_many_units(pro):
    sold(pro, "month", None, terms=tiers("volume", (5, 1000), (None, 800)))
    sold(pro, "year", None, terms=tiers("graduated", (5, 10000), (None, 4800)))
    assert saving_of(pro, Cadence("year"), "usd", 1) == Saving(16, 2)
    assert saving_of(pro, Cadence("year"), "usd", 10) == Saving(22, 0)


def test_each_interval_of_the_switch_says_what_it_saves_at_most(pro):
    for spelling, amount in (("month", 2000), ("3 month", 5400), ("year", 20000), ("2 year", 38400)):
        sold(pro, spelling, amount)
    shown = [(each.words, each.is_shown, each.saving) for each in PriceList.asked_for({"interval": "year"}).intervals]
    assert shown == [
        ("Monthly", False, ""),
        ("Every 3 months", False, "Save 10%"),
        ("Yearly", True, "Save 2 months (16%)"),
        ("Every 2 years", False, "Save 20%"),
    ]


# Seats have a minimum


@pytest.fixture
def by_the_seat(settings, world):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"
    Plan.objects.filter(slug="team").update(min_seats=3)
    return world


def test_a_stranger_sees_from_which_price_a_plan_with_a_minimum_begins(by_the_seat, client):
    page = " ".join(client.get("/").content.decode().split())
    assert "From $180: at least 3 seats" in page


def test_fewer_seats_than_the_minimum_are_billed_as_the_minimum(by_the_seat):
    world, user = by_the_seat, by_the_seat.sign_up()
    join(user)
    team = world.subscribed("team", user=user)
    assert (billed(world, team), team.row.quantity) == (3, 3)
    for _ in range(3):
        join(user)
    leaves(user)
    sweep.sweep()
    from billing import testing

    testing.work()
    assert billed(world, team) == 3
    join(user)
    join(user)
    leaves(user)
    testing.work()
    assert billed(world, team) == 4


def test_a_change_reckons_with_the_seats_of_the_other_plan(by_the_seat):
    world, user = by_the_seat, by_the_seat.sign_up()
    join(user)
    pro = world.subscribed("pro", user=user)
    assert billed(world, pro) == 1
    assert previews.preview(user, "team", "month").renewal_amount == 3 * 6000
    change.change(user, "team", "month")
    world.deliver()
    assert (billed(world, pro), pro.row.plan.slug) == (3, "team")
    assert previews.preview(user, "pro", "month").renewal_amount == 2000

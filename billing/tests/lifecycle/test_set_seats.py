"""Stripe is written to when seats differ: only the plan's item, in the phases that are not over, and once."""

from contextlib import contextmanager

import pytest
from django.utils import timezone

from billing import lanes
from billing.lifecycle import customers, set_seats
from billing.lifecycle.live_subscription import Standing
from billing.lifecycle.refusals import ChangePending
from billing.models import AccountDeletion, Price, StripeWrite
from billing.tests.subscriptions.test_seats import at_stripe, billed, join, joins, owed, when_it_is_time

pytestmark = pytest.mark.django_db
WANTED = 5


@pytest.fixture(autouse=True)
def _by_the_seat(settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"


@pytest.fixture
def prices(db, world):
    return {name: Price.objects.get(lookup_key=name).pk for name in ("pro_month", "team_month")}


def phase(start, *items, **more):
    return {"start_date": start, "items": [{"price": price, "quantity": number} for price, number in items], **more}


def schedule(*phases, under_way=100):
    current = None if under_way is None else {"start_date": under_way}
    return {"id": "sub_sched_1", "current_phase": current, "end_behavior": "release", "phases": list(phases)}


@pytest.mark.parametrize(
    ("quantities", "is_ahead"),
    [((1, 5, 5), False), ((5, 4, 5), True), ((5, 5, 6), True), ((5, 5, 5), False)],
)
def test_only_phases_that_are_not_over_are_looked_at(prices, quantities, is_ahead):
    before, now, then = quantities
    pro, team = prices["pro_month"], prices["team_month"]
    found = schedule(phase(99, (pro, before)), phase(100, (pro, now)), phase(200, (team, then)))
    assert set_seats._has_other_quantity_ahead(found, WANTED) is is_ahead
    assert [one["start_date"] for one in set_seats._phases(found)] == [100, 200]


def test_before_the_first_phase_has_begun_all_are_to_come(prices):
    found = schedule(phase(100, (prices["pro_month"], 5)), under_way=None)
    assert set_seats._phases(found) == found["phases"]


def test_an_item_that_is_no_plan_of_ours_keeps_its_number(prices):
    found = schedule(phase(100, (prices["pro_month"], WANTED), ("price_addon", 2)))
    assert not set_seats._has_other_quantity_ahead(found, WANTED)
    assert set_seats._plans(found) == {prices["pro_month"]: 1}
    items = set_seats._phase_params(found["phases"][0], {prices["pro_month"]: 1}, 9)["items"]
    assert items == [{"price": prices["pro_month"], "quantity": 9}, {"price": "price_addon", "quantity": 2}]


def test_an_item_without_a_number_gets_none(prices):
    addon = {"start_date": 100, "items": [{"price": {"id": "price_addon"}}]}
    assert set_seats._phase_params(addon, {}, 9)["items"] == [{"price": "price_addon"}]


def test_a_phase_keeps_what_is_not_ours_to_decide(prices):
    kept = {
        "start_date": 100, "end_date": 200, "trial_end": 150, "proration_behavior": "none", "description": "Spring",
    }  # fmt: skip
    given = {"items": [], "discounts": [], **kept, "default_payment_method": {"id": "pm_1"}, "currency": "usd"}
    written = set_seats._phase_params({**given, "billing_thresholds": None}, {}, 9)
    assert {name: written[name] for name in kept} == kept
    assert written["default_payment_method"] == "pm_1"
    assert "billing_thresholds" not in written
    bare = set_seats._phase_params({**given, "trial_end": None, "description": ""}, {}, 9)
    assert not {"trial_end", "description"} & set(bare)


# At the sandbox


@pytest.fixture
def team(world):
    user = world.sign_up()
    join(user)
    join(user)
    return world.subscribed(user=user)


def standing(team, found):
    return Standing(team.row.customer, found)


def rows_of(customer):
    return [StripeWrite(pk=1, lane=customer.pk, object_id=customer.pk, action="set_seats", requested_at=timezone.now())]


@pytest.fixture
def held(team):
    claim = lanes.take(team.customer)
    yield claim
    lanes.let_go(claim)


def test_of_who_is_leaving_or_has_no_seats_nothing_is_written_or_asked(world, team, held, settings):
    join(team.user)
    rows = rows_of(team.row.customer)
    with monitored(world) as calls:
        settings.BILLING_SEATS = ""
        set_seats.write_quantity(rows, held)
        settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"
        AccountDeletion.objects.create(customer=team.row.customer, lane=team.customer, requested_at=timezone.now())
        set_seats.write_quantity(rows, held)
    assert (calls, billed(world, team)) == ([], 2)
    AccountDeletion.objects.all().delete()
    set_seats.write_quantity(rows, held)
    assert (billed(world, team), team.row.quantity) == (3, 3)


def test_who_has_a_customer_and_no_subscription_yet_has_no_seats_to_set(world, team):
    ben = customers.customer_for(world.sign_up("ben@example.com"))
    assert set_seats.write_quantity(rows_of(ben), None) is None
    assert billed(world, team) == 2


@contextmanager
def monitored(world):
    """A list of the paths that Stripe is asked for within."""
    made, before = [], {row["path"]: row["count"] for row in world.calls()["data"]}
    yield made
    made += [row["path"] for row in world.calls()["data"] if row["count"] > before.get(row["path"], 0)]


def posts(world):
    """The writes about subscriptions and their schedules so far."""
    return sum(row["count"] for row in world.calls()["data"]
               if row["method"] == "POST" and row["path"].startswith("/v1/subscription"))  # fmt: skip


def test_seats_that_are_right_are_written_by_nobody(world, team):
    before = posts(world)
    joins(team.user)
    team.user.groups.first().delete()
    when_it_is_time()
    assert (posts(world), billed(world, team), owed().count()) == (before, 2, 0)


def test_seats_that_differ_are_one_write_and_a_bystander_is_billed_as_before(world, team):
    ben = world.subscribed(email="ben@example.com")
    before = posts(world)
    joins(team.user)
    when_it_is_time()
    assert (posts(world), billed(world, team), team.row.quantity) == (before + 1, 3, 3)
    assert (at_stripe(world, ben)["items"]["data"][0]["quantity"], ben.row.quantity) == (1, 1)


@pytest.mark.parametrize("status", ["incomplete", "canceled", "incomplete_expired"])
def test_what_is_not_paid_yet_or_over_is_left_alone(world, team, status):
    found = {**at_stripe(world, team), "status": status}
    assert set_seats._write_if_different(standing(team, found), 9, "key") is False
    assert billed(world, team) == 2


def test_an_item_without_a_number_is_left_alone(world, team):
    found = at_stripe(world, team)
    del found["items"]["data"][0]["quantity"]
    assert set_seats._write_if_different(standing(team, found), 9, "key") is False


def test_while_a_change_waits_for_its_payment_only_what_differs_is_refused(world, team):
    found = {**at_stripe(world, team), "pending_update": {"expires_at": 1}}
    assert set_seats._write_if_different(standing(team, found), 2, "key") is False
    with pytest.raises(ChangePending):
        set_seats._write_if_different(standing(team, found), 3, "key")
    assert billed(world, team) == 2


@pytest.mark.parametrize(("status", "proration"), [("active", "create_prorations"), ("trialing", "none")])
def test_the_plans_item_is_written_by_its_id_and_prorated_but_for_a_trial(world, team, monkeypatch, status, proration):
    asked = []
    monkeypatch.setattr(set_seats.stripe_client, "post", lambda path, **params: asked.append((path, params)))
    found = {**at_stripe(world, team), "status": status}
    assert set_seats._write_if_different(standing(team, found), 5, "key") is True
    item = {"id": found["items"]["data"][0]["id"], "quantity": 5}
    assert asked == [
        (f"/v1/subscriptions/{team.subscription}",
         {"idempotency_key": "key", "items": [item], "proration_behavior": proration})
    ]  # fmt: skip


def test_a_schedule_is_written_whole_and_ends_as_before(prices, monkeypatch):
    asked = []
    monkeypatch.setattr(set_seats.stripe_client, "post", lambda path, **params: asked.append((path, params)))
    pro, team = prices["pro_month"], prices["team_month"]
    found = {**schedule(phase(99, (pro, 1)), phase(100, (pro, 2)), phase(200, (team, 2))), "end_behavior": "cancel"}
    set_seats._write_phases(found, 9, "key")
    [(path, params)] = asked
    assert path == "/v1/subscription_schedules/sub_sched_1"
    assert (params["idempotency_key"], params["end_behavior"], params["proration_behavior"]) == (
        "key", "cancel", "create_prorations",
    )  # fmt: skip
    assert params["phases"] == [
        {"start_date": 100, "items": [{"price": pro, "quantity": 9}]},
        {"start_date": 200, "items": [{"price": team, "quantity": 9}]},
    ]

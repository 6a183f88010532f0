"""Seats are billed once and right after outages, crashes and races, and the sync mends what nobody told of."""

import json
import re
from io import StringIO

import pytest
from django.core.management import call_command

from billing import testing
from billing.events import worker
from billing.lanes import LaneLost
from billing.lifecycle import set_seats
from billing.models import Lane
from billing.testing import assert_all_processed
from billing.tests.parallel import at_once
from billing.tests.subscriptions.test_seats import billed, join, joins, owed, prorations, when_it_is_time

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _by_the_seat(settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"


@pytest.fixture
def team(world):
    """Two seats of pro, paid for."""
    user = world.sign_up()
    join(user)
    join(user)
    return world.subscribed(user=user)


# Outages, crashes and races


def test_an_outage_leaves_it_owed_and_the_next_try_bills_the_truth_of_then(world, team):
    joins(team.user)
    with world.writes_failing():
        testing.work()
    assert billed(world, team) == 2
    assert "StripeUnanswered" in owed().get().error_message
    join(team.user)
    when_it_is_time()
    assert billed(world, team) == 4
    assert not owed().exists()


def test_a_lost_answer_prorates_once(world, team):
    world.control("faults", api={"lose_answer": 4})
    joins(team.user)
    testing.work()
    world.control("faults")
    when_it_is_time()
    assert billed(world, team) == 3
    assert len(prorations(world, team)) == 2
    assert not owed().exists()


def test_a_worker_that_dies_after_the_write_harms_nobody(world, team, monkeypatch):
    with monkeypatch.context() as dying:
        dying.setattr(set_seats, "commit_under", dies)
        joins(team.user)
        assert worker.drain(team.customer) == "lost"
    assert owed().exists()
    testing.work()
    assert (billed(world, team), team.row.quantity, len(prorations(world, team))) == (3, 2, 2)
    world.deliver()
    assert (team.row.quantity, owed().count()) == (3, 0)


def dies(claim, *_):
    """Its lease runs out, and another has the lane."""
    Lane.objects.filter(pk=claim.key).update(token=None, leased_until=None)
    raise LaneLost(claim.key)


def test_who_joins_just_after_seats_were_counted_is_not_forgotten(world, team, monkeypatch):
    bring, late = set_seats._write_if_different, [team.user]

    def bring_late(*arguments):
        while late:
            joins(late.pop())
        return bring(*arguments)

    monkeypatch.setattr(set_seats, "_write_if_different", bring_late)
    joins(team.user)
    testing.work()
    assert billed(world, team) == 4
    assert not owed().exists()


def test_seats_that_cannot_be_counted_are_told_to_staff_and_hold_up_nothing(world, team, settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.broken"
    joins(team.user)
    world.advance(days=31)
    world.deliver()
    assert_all_processed()
    assert "LookupError: seats cannot be counted today" in owed().get().error_message
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.counted"
    when_it_is_time()
    assert billed(world, team) == 3


@pytest.mark.postgres_only
@pytest.mark.django_db(transaction=True)
def test_many_join_and_leave_at_once_while_workers_work(world, team):
    """The host's transactions hold their rows for a while; what was said before a commit is seen after it."""
    members, done = 4, []

    def come_and_go(number):
        if number < members:
            for _ in range(3):
                joins(team.user)
            done.append(number)
            return "joined"
        while len(done) < members:
            worker.drain(team.customer)
        return "worked"

    assert at_once(come_and_go, members + 2) == ["joined"] * members + ["worked"] * 2
    testing.work()
    assert billed(world, team) == 2 + members * 3 == team.row.quantity
    assert not owed().exists()


def test_staff_see_who_asked_and_what_came_of_it(world, team, admin_client):
    def rows():
        page = admin_client.get(f"/admin/billing/stripewrite/?q={team.customer}").content.decode()
        found = re.findall("<tr>.*?</tr>", page.partition("<tbody>")[2], re.DOTALL)
        return [re.sub(r"<[^>]+>|\s+", " ", row) for row in found if "member joined or left" in row]

    joins(team.user)
    assert ["owed" in row for row in rows()] == [True]
    testing.work()
    assert ["done" in row for row in rows()] == [True]


# The sync


def sync(*arguments):
    out = StringIO()
    call_command("sync_stripe", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


@pytest.mark.django_db(transaction=True)
def test_the_sync_finds_seats_nobody_told_of_says_why_and_mends_them(world, team):
    join(team.user)
    found = sync("--full", "--dry-run")
    (drift,) = found["drifts"]
    assert (drift["field"], drift["ours"], drift["theirs"]) == ("quantity", 3, 2)
    assert drift["cause"] == "seats changed, and billing was not told"
    assert billed(world, team) == 2
    assert (sync("--customer", team.customer)["healed"], billed(world, team)) == (1, 3)
    assert sync("--customer", team.customer)["drifted"] == 0


@pytest.mark.django_db(transaction=True)
def test_the_sync_counts_everybodys_seats_once_a_day_and_not_each_hour(world, team):
    sync()
    join(team.user)
    assert (sync()["drifted"], billed(world, team)) == (0, 2)
    world.advance(days=1, hours=1)
    world.deliver()
    assert (sync()["healed"], billed(world, team)) == (1, 3)


@pytest.mark.django_db(transaction=True)
def test_whose_seats_cannot_be_counted_holds_up_the_sync_of_nobody_else(world, team, settings):
    ben = world.subscribed(user=world.sign_up("ben@example.com"))
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.broken_for_some"
    join(team.user)
    found = sync("--full")
    assert (found["drifted"], billed(world, team)) == (1, 3)
    assert f"The seats of {ben.customer} could not be counted: LookupError." in found["notes"]


def test_seats_in_a_database_that_is_away_are_no_reason_to_drain_without_end(world, team, settings):
    settings.BILLING_SEATS = "billing.tests.subscriptions.test_seats.without_its_table"
    joins(team.user)
    assert worker.drain(team.customer) == "drained"
    assert "OperationalError: no such table" in owed().get().error_message

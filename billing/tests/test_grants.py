"""A host project gives plans and features, with or without a Stripe customer: once for each source, and loudly."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from billing import access, grants, lanes, signals, usage
from billing.catalogue import definitions
from billing.events import sweep
from billing.lifecycle import deletion
from billing.models import AnnouncedAccess, Customer, Grant, Lane, Usage
from billing.subscriptions.grants import _end, give

from .parallel import at_once

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _noon(settings, time_machine):
    settings.BILLING_CLOCK = ""
    definitions.update_plans()
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def eve():
    """She never bought anything."""
    return get_user_model().objects.create_user("eve@example.com")


@pytest.fixture
def heard():
    said = []

    def listener(name):
        return lambda subscription, subscriber, **_: said.append((name, subscription, subscriber.email))

    names = ("grant_given", "grant_ended", "access_granted", "access_revoked", "quota_overflowed")
    for name in names:
        getattr(signals, name).connect(listener(name), dispatch_uid="grants", weak=False)
    yield said
    for name in names:
        getattr(signals, name).disconnect(dispatch_uid="grants")


def names(heard):
    return [name for name, _, _ in heard]


def test_who_never_bought_is_given_a_plan_for_good_and_every_change_is_said_once(eve, heard):
    given = grants.grant(eve, plan="pro", source="appsumo:XYZ", reason="bought there")
    assert (given.granted_at, given.until, given.reason) == (NOON, None, "bought there")
    now = access.of(eve)
    assert (now.reason, now.plan.slug, access.access_ends_at(now)) == ("grant", "pro", None)
    assert usage.allowance(eve).limits == {"generations": 1_000}
    assert grants.grant(eve, plan="pro", source="appsumo:XYZ") == given
    assert grants.revoke(eve, "appsumo:XYZ")
    assert not grants.revoke(eve, "appsumo:XYZ")
    assert not access.has_access(eve)
    of_eve = [("grant_given", None, eve.email), ("access_granted", None, eve.email)]
    assert heard == [*of_eve, ("grant_ended", None, eve.email), ("access_revoked", None, eve.email)]
    assert AnnouncedAccess.objects.get().subscriber == eve


def test_what_has_ended_is_not_given_again_by_the_same_source(eve, heard):
    given = grants.grant(eve, plan="pro", source="appsumo:XYZ")
    grants.revoke(eve, "appsumo:XYZ")
    heard.clear()
    assert grants.grant(eve, plan="pro", source="appsumo:XYZ", until=NOON + DAY) == given
    assert (access.has_access(eve), heard) == (False, [])
    grants.grant(eve, plan="pro", source="appsumo:ABC")
    assert access.has_access(eve)


def test_a_repeated_call_may_count_its_end_from_now_even_when_that_is_past(eve, time_machine):
    given = grants.grant(eve, plan="pro", source="promo", until=NOON + DAY)
    time_machine.move_to(NOON + 2 * DAY, tick=False)
    assert grants.grant(eve, plan="pro", source="promo", until=NOON + DAY) == given


def test_a_feature_raises_the_limit_and_its_end_says_what_no_longer_fits(eve, heard):
    grants.grant(eve, feature="generations", quantity=500, until=NOON + DAY, source="promo")
    assert usage.consume(eve, "generations", 300).limit == 510
    assert not access.has_access(eve)
    assert access.has_access(eve, feature="generations")
    grants.revoke(eve, "promo")
    assert names(heard) == ["grant_given", "grant_ended", "quota_overflowed"]
    assert Usage.objects.get().has_announced_overflow


def test_one_that_runs_out_is_ended_by_the_sweep_unless_it_was_extended(eve, heard, time_machine):
    for source in ("short", "long"):
        grants.grant(eve, plan="pro", source=source, until=NOON + DAY)
    grants.extend(eve, "long", NOON + 3 * DAY)
    heard.clear()
    time_machine.move_to(NOON + 2 * DAY, tick=False)
    assert "1 grants ended" in sweep.sweep()
    assert "0 grants ended" in sweep.sweep()
    assert names(heard) == ["grant_ended"]
    assert Grant.objects.open().get().source == "long"
    grants.extend(eve, "long", None)
    assert Grant.objects.open().get().until is None
    with pytest.raises(grants.GrantRefused, match="short"):
        grants.extend(eve, "short", None)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Give either a plan or a feature."),
        ({"plan": "pro", "feature": "generations"}, "Give either a plan or a feature."),
        ({"plan": "gold"}, "There is no plan 'gold'."),
        ({"plan": "free"}, "Everybody has the plan 'free' already."),
        ({"feature": "flights"}, "No plan has the feature 'flights'."),
        ({"plan": "pro", "quantity": 5}, "A quantity is of a feature, and at least 1."),
        ({"feature": "generations", "quantity": 0}, "A quantity is of a feature, and at least 1."),
        ({"plan": "pro", "until": NOON}, "is past."),
        ({"plan": "pro", "until": datetime(2027, 1, 1)}, "The end needs a time zone."),  # noqa: DTZ001
        ({"plan": "pro", "source": ""}, "Name the source, in 1 to 255 characters."),
        ({"plan": "pro", "source": "x" * 256}, "Name the source, in 1 to 255 characters."),
    ],
)
def test_what_cannot_be_given_is_refused_in_words_and_leaves_nothing(eve, heard, given, sentence):
    with pytest.raises(grants.GrantRefused, match=sentence):
        grants.grant(eve, **{"source": "promo", **given})
    assert (Grant.objects.count(), heard) == (0, [])


def test_a_source_that_gave_something_else_is_refused(eve):
    grants.grant(eve, plan="pro", source="promo")
    with pytest.raises(grants.GrantRefused, match="'promo' gave Pro before"):
        grants.grant(eve, plan="team", source="promo")


def test_of_two_subscribers_the_same_source_gives_to_each(eve):
    ben = get_user_model().objects.create_user("ben@example.com")
    for user in (eve, ben):
        grants.grant(user, plan="pro", source="launch day")
    grants.revoke(eve, "launch day")
    assert [access.has_access(user) for user in (eve, ben)] == [False, True]


def test_a_receiver_that_has_the_lane_may_give(eve):
    customer = Customer.objects.create(pk="cus_eve", subscriber=eve)
    with lanes.exclusive(customer.pk) as commit:
        commit(lambda: grants.grant(eve, plan="pro", source="a receiver"))
    assert access.has_access(eve)


def test_nothing_is_given_to_an_account_that_is_being_deleted(eve):
    grants.grant(eve, plan="pro", source="promo")
    deletion.begin(eve)
    assert access.of(eve).reason == "closing"
    with pytest.raises(grants.GrantRefused, match="being deleted"):
        grants.grant(eve, plan="pro", source="another")


def test_the_database_keeps_one_of_a_source_and_either_a_plan_or_a_feature(eve):
    given = grants.grant(eve, plan="pro", source="promo")
    for columns in ({}, {"source": "b", "feature": "generations"}, {"source": "c", "plan": None}):
        row = Grant(**{name: getattr(given, name) for name in ("subscriber", "source", "plan", "granted_at")})
        for name, value in columns.items():
            setattr(row, name, value)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()


@pytest.mark.postgres_only
@pytest.mark.parametrize("has_customer", [False, True])
def test_many_who_give_by_one_source_at_once_give_one_and_say_so_once(eve, heard, has_customer):
    if has_customer:
        Customer.objects.create(pk="cus_eve", subscriber=eve)
    answers = at_once(lambda number: grants.grant(eve, plan="pro", source="appsumo:XYZ").pk, 3)
    assert set(answers) == {Grant.objects.get().pk}
    assert names(heard) == ["grant_given", "access_granted"]


@pytest.mark.postgres_only
def test_whoever_gives_past_the_lane_is_stopped_by_the_database(eve, heard):
    def past_the_lane(number):
        with transaction.atomic():
            return give(eve, feature="generations", source="appsumo:XYZ").pk

    assert set(at_once(past_the_lane, 4)) == {Grant.objects.get().pk}
    assert names(heard) == ["grant_given"]


@pytest.fixture
def earlier(eve):
    """An earlier customer of hers: their lane is another one than that of her current customer."""
    Customer.objects.create(pk="cus_eve", subscriber=eve)
    return Customer.objects.create(pk="cus_earlier", subscriber=eve, is_current=False)


def test_a_receiver_in_the_lane_of_an_earlier_customer_may_give_while_the_other_lane_is_busy(eve, earlier):
    with lanes.exclusive("cus_eve"), lanes.exclusive(earlier.pk) as commit:
        commit(lambda: grants.grant(eve, plan="pro", source="a receiver"))
    assert access.has_access(eve)


def test_a_receiver_about_somebody_else_waits_for_their_lane(eve, earlier):
    bob = get_user_model().objects.create_user("bob@example.com")
    held = []

    def listen(**_):
        held.append(Lane.objects.filter(pk=lanes.lane_of(bob)).exclude(token=None).exists())

    signals.grant_given.connect(listen, dispatch_uid="held")
    with lanes.exclusive(earlier.pk) as commit:
        commit(lambda: grants.grant(bob, plan="pro", source="a receiver"))
    signals.grant_given.disconnect(dispatch_uid="held")
    assert held == [True]


def test_what_another_lane_has_just_ended_is_neither_ended_again_nor_extended(eve, heard, monkeypatch):
    """The lane of a subscriber is another one once their first customer is made: for a moment two may write."""
    grants.grant(eve, plan="pro", source="promo", until=NOON + DAY)
    read = Grant.is_in_force

    def ended_since(grant, at):
        Grant.objects.filter(ended_at=None).update(ended_at=NOON)
        return read(grant, at)

    monkeypatch.setattr(Grant, "is_in_force", ended_since)
    with pytest.raises(grants.GrantRefused, match="in force"):
        grants.extend(eve, "promo", None)
    assert Grant.objects.get().until == NOON + DAY
    seen = list(Grant.objects.open())
    Grant.objects.update(ended_at=NOON)
    assert [_end(eve, seen), len(seen)] == [False, 1]
    assert "grant_ended" not in names(heard)

"""Credits that run low or expire soon are announced once, to the subscriber whose they are."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing import grants, signals, usage
from billing.models import AccountDeletion, Credit

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
A_DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def clock():
    """A clock that stands; the free plan has 10 generations a calendar month."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def heard():
    """Return a list that fills with what is announced: whose, of which feature, left, given or end."""
    said = []

    def on_low(**told):
        said.append((told["subscriber"].email, told["left"], told["given"]))

    def on_expiring(**told):
        said.append((told["subscriber"].email, told["credit"].source, told["expires_at"]))

    signals.credits_low.connect(on_low)
    signals.credits_expiring.connect(on_expiring)
    yield said
    signals.credits_low.disconnect(on_low)
    signals.credits_expiring.disconnect(on_expiring)


def give(user, quantity, source="pack", until=None):
    return grants.give_credits(user, "generations", quantity, source=source, until=until)


def run():
    usage.credit_reminders.hourly()


@pytest.mark.parametrize(("spent", "said"), [(79, []), (80, [("ada@example.com", 20, 100)])])
def test_low_credits_are_announced_once_at_the_percentage(ada, ben, heard, spent, said):
    for user in (ada, ben):
        give(user, 100)
    usage.consume(ada, "generations", 10 + spent)
    run()
    run()
    assert heard == said


@pytest.mark.parametrize("percent", [0, 50])
def test_the_percentage_is_a_setting_and_0_announces_nothing(ada, heard, settings, percent):
    settings.BILLING_CREDITS_LOW_PERCENT = percent
    give(ada, 100)
    usage.consume(ada, "generations", 10 + 50)
    run()
    assert heard == ([("ada@example.com", 50, 100)] if percent else [])


def test_after_more_were_given_they_can_run_low_again(ada, heard):
    give(ada, 100)
    usage.consume(ada, "generations", 10 + 90)
    run()
    give(ada, 50, "second")
    run()
    usage.consume(ada, "generations", 55)
    run()
    assert heard == [("ada@example.com", 10, 100), ("ada@example.com", 5, 50)]


def test_credits_that_are_used_up_are_announced_and_those_taken_back_are_not(ada, ben, heard):
    for user in (ada, ben):
        give(user, 100)
    usage.consume(ada, "generations", 110)
    grants.take_back_credits(ben, "pack")
    run()
    assert heard == [("ada@example.com", 0, 100)]


def test_an_expiry_is_announced_once_for_each_day_of_it(ada, ben, heard, clock):
    until = NOON + 30 * A_DAY
    give(ada, 100, until=until)
    give(ben, 100)
    run()
    clock.move_to(until - 7 * A_DAY)
    run()
    run()
    assert heard == [("ada@example.com", "pack", until)]
    Credit.objects.filter(subscriber=ada).update(until=until + A_DAY)
    clock.move_to(until)
    run()
    assert heard[1:] == [("ada@example.com", "pack", until + A_DAY)]


def test_what_is_spent_or_lasts_only_days_is_not_announced(ada, heard, clock):
    give(ada, 5, "spent", NOON + 30 * A_DAY)
    give(ada, 5, "short", NOON + 13 * A_DAY)
    usage.consume(ada, "generations", 20)
    give(ada, 5, "shorter", clock_end := NOON + 13 * A_DAY)
    clock.move_to(clock_end - A_DAY)
    run()
    clock.move_to(NOON + 29 * A_DAY)
    run()
    assert [each for each in heard if each[1] in {"spent", "short", "shorter"}] == []


def test_who_is_leaving_is_told_nothing(ada, heard, clock):
    give(ada, 100, until=NOON + 30 * A_DAY)
    usage.consume(ada, "generations", 100)
    AccountDeletion.objects.create(subscriber=ada, requested_at=NOON)
    clock.move_to(NOON + 25 * A_DAY)
    run()
    assert heard == []

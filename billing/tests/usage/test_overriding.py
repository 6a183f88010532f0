"""A subscriber's own limit wins over plans and grants, until it ends or is lifted; a hold lets it only lower one."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing import grants, signals, usage
from billing.models import AccountDeletion, Customer, Hold, LimitOverride, Usage

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    """A clock that stands; the free plan has 10 generations a calendar month."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def overflows():
    """Return a list that fills with the overflows heard: whose, used, limit."""
    heard = []

    def hear(**said):
        heard.append((said["subscriber"], said["used"], said["limit"]))

    signals.quota_overflowed.connect(hear)
    yield heard
    signals.quota_overflowed.disconnect(hear)


def limit(user):
    return usage.summary(user)["generations"].limit


@pytest.mark.parametrize("quantity", [0, 5, 50, None])
def test_an_own_limit_wins_over_plan_and_grants(ada, ben, quantity):
    grants.grant(ada, feature="generations", quantity=7, source="summer")
    usage.override_limit(ada, "generations", quantity, reason="a pilot")
    assert (limit(ada), limit(ben)) == (quantity, 10)
    if quantity == 0:
        with pytest.raises(usage.QuotaExceeded):
            usage.consume(ada, "generations")
    else:
        usage.consume(ada, "generations", quantity or 1_000_000)


def test_it_holds_until_its_end_and_then_plans_and_grants_count_again(ada, clock):
    until = NOON + timedelta(days=2)
    usage.override_limit(ada, "generations", 50, until=until)
    clock.move_to(until - timedelta(seconds=1))
    assert limit(ada) == 50
    clock.move_to(until)
    assert limit(ada) == 10


def test_lifting_it_lets_the_plan_count_again_once(ada, ben):
    usage.override_limit(ada, "generations", 50)
    usage.override_limit(ben, "generations", 60)
    assert [usage.lift_override(ada, "generations"), usage.lift_override(ada, "generations")] == [True, False]
    assert (limit(ada), limit(ben)) == (10, 60)


def test_the_same_again_changes_nothing_and_another_replaces_it(ada):
    first = usage.override_limit(ada, "generations", 50, reason="a pilot")
    assert usage.override_limit(ada, "generations", 50, reason="again") == first
    second = usage.override_limit(ada, "generations", 60)
    assert list(LimitOverride.objects.filter(ended_at=None)) == [second]
    assert LimitOverride.objects.get(pk=first.pk).reason == "a pilot"


def test_use_above_a_lowered_limit_is_announced_once_and_not_taken_back(ada, overflows):
    usage.consume(ada, "generations", 8)
    usage.override_limit(ada, "generations", 5)
    usage.override_limit(ada, "generations", 4)
    assert overflows == [(ada, 8, 5)]
    assert Usage.objects.get(subscriber=ada).used == 8
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations")
    usage.lift_override(ada, "generations")
    assert usage.consume(ada, "generations").remaining == 1


@pytest.mark.parametrize(("quantity", "left"), [(50, 10), (None, 10), (3, 3)])
def test_under_a_hold_of_everything_it_may_only_lower(ada, quantity, left):
    customer = Customer.objects.create(id="cus_a", subscriber=ada)
    usage.override_limit(ada, "generations", quantity)
    Hold.objects.create(customer=customer, kind=Hold.Kind.STAFF, reference="x", placed_at=NOON)
    assert limit(ada) == left


def test_credits_are_spent_beyond_an_own_limit(ada):
    usage.override_limit(ada, "generations", 2)
    grants.give_credits(ada, "generations", 3, source="pack")
    assert usage.consume(ada, "generations", 4) == usage.Quota(2, 2, credits=1)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"quantity": -1}, "0 or more"),
        ({"quantity": 2**53 + 1}, "0 or more"),
        ({"feature": "teleports"}, "No plan has the feature 'teleports'"),
        ({"until": datetime(2026, 5, 21)}, "time zone"),  # noqa: DTZ001 (naive on purpose)
        ({"until": NOON}, "is past"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(ada, given, why):
    asked = {"feature": "generations", "quantity": 5, "until": None, **given}
    with pytest.raises(usage.LimitRefused, match=why):
        usage.override_limit(ada, asked["feature"], asked["quantity"], until=asked["until"])
    assert not LimitOverride.objects.exists()


def test_nothing_is_set_for_an_account_that_is_being_deleted_and_its_words_go(ada):
    usage.override_limit(ada, "generations", 50, reason="Ada's pilot")
    AccountDeletion.objects.create(subscriber=ada, requested_at=NOON)
    with pytest.raises(usage.LimitRefused, match="being deleted"):
        usage.override_limit(ada, "generations", 60)
    usage.overriding.forget_words(ada)
    row = LimitOverride.objects.get()
    assert (row.reason, row.ended_at) == ("", NOON)

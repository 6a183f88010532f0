"""Credits are given once by a source, and taken back as far as they are left."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from billing import grants, usage
from billing.models import AccountDeletion, Credit

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def give(user, quantity=100, **given):
    return grants.give_credits(user, "generations", quantity, **{"source": "pack", **given})


def standing(user):
    row = Credit.objects.get(subscriber=user)
    return row.left, row.used, row.taken_back, row.owed_back


def test_a_source_gives_once(ada, ben):
    first = give(ada, reason="thanks")
    usage.consume(ada, "generations", 40)
    assert give(ada, until=NOW + timedelta(days=9)).pk == first.pk
    give(ben)
    assert (standing(ada), standing(ben)) == ((70, 30, 0, 0), (100, 0, 0, 0))


@pytest.mark.parametrize("other", [{"quantity": 99}, {"quantity": 101}])
def test_a_source_that_gave_something_else_is_refused(ada, other):
    give(ada)
    with pytest.raises(grants.CreditRefused, match="gave 100 generations before"):
        give(ada, **other)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"quantity": 0}, "at least 1"),
        ({"quantity": -5}, "at least 1"),
        ({"quantity": 2**60}, "at least 1"),
        ({"source": ""}, "Name the source"),
        ({"source": "x" * 256}, "Name the source"),
        ({"until": NOW}, "is past"),
        ({"until": datetime(2027, 1, 1)}, "time zone"),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_given_is_refused_with_the_reason(ada, given, why):
    with pytest.raises(grants.CreditRefused, match=why):
        give(ada, **given)
    assert not Credit.objects.exists()


def test_a_feature_that_no_plan_has_is_refused(ada):
    with pytest.raises(grants.CreditRefused, match="No plan has the feature 'generation'"):
        grants.give_credits(ada, "generation", 5, source="pack")


def test_nothing_is_given_to_an_account_that_is_being_deleted(ada):
    AccountDeletion.objects.create(subscriber=ada, requested_at=NOW)
    with pytest.raises(grants.CreditRefused, match="being deleted"):
        give(ada)


def test_only_what_is_left_is_taken_back_and_what_was_used_is_told(ada, ben):
    give(ada)
    give(ben)
    usage.consume(ada, "generations", 10 + 30, "job")
    assert grants.take_back_credits(ada, "pack") == grants.TakenBack(taken=70, used=30)
    assert grants.take_back_credits(ada, "pack") == grants.TakenBack(taken=70, used=30)
    assert (standing(ada), standing(ben)) == ((0, 30, 70, 30), (100, 0, 0, 0))
    usage.release(ada, "generations", "job")
    assert standing(ada) == (0, 0, 100, 0)


def test_a_part_is_taken_back_for_a_part_whatever_the_order(ada):
    give(ada)
    assert grants.take_back_credits(ada, "pack", 25) == grants.TakenBack(25, 0)
    assert grants.take_back_credits(ada, "pack", 50) == grants.TakenBack(50, 0)
    usage.consume(ada, "generations", 10 + 50)
    assert grants.take_back_credits(ada, "pack", 75) == grants.TakenBack(50, 25)


@pytest.mark.parametrize(("total", "left"), [(60, 40), (0, 100), (-5, 100)])
def test_a_dispute_that_was_won_gives_again(ada, total, left):
    give(ada)
    grants.take_back_credits(ada, "pack", 60)
    grants.take_back_credits(ada, "pack", total)
    assert standing(ada) == (left, 0, 100 - left, 0)


def test_what_is_given_again_after_its_end_has_expired(ada, clock):
    give(ada, until=NOW + timedelta(days=1))
    grants.take_back_credits(ada, "pack", 60)
    clock.move_to(NOW + timedelta(days=1))
    grants.take_back_credits(ada, "pack", 0)
    usage.crediting.expire()
    row = Credit.objects.get()
    assert (row.left, row.expired, row.taken_back) == (0, 100, 0)


def test_more_than_was_given_is_never_taken(ada):
    give(ada)
    assert grants.take_back_credits(ada, "pack", 500) == grants.TakenBack(100, 0)


def test_a_source_that_gave_nothing_is_refused(ada, ben):
    give(ben)
    with pytest.raises(grants.CreditRefused, match="gave no credits"):
        grants.take_back_credits(ada, "pack")

"""A use is counted of the month's limit, then of credits; a key counts once, and gives back what it took."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction

from billing import grants, usage
from billing.models import Credit, Customer, Hold, KeyedUse, Plan, PlanLimit, Usage

from ..parallel import at_once

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
LAST_SECOND = datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock():
    """A clock that stands; the free plan has 10 generations a calendar month."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def give(user, quantity, source="pack", until=None):
    return grants.give_credits(user, "generations", quantity, source=source, until=until)


def adds_up(user):
    """Return what the credits of a subscriber came to: left, used, expired, taken back."""
    rows = Credit.objects.filter(subscriber=user)
    return tuple(sum(getattr(row, name) for row in rows) for name in ("left", "used", "expired", "taken_back"))


def test_credits_are_spent_when_the_months_limit_is_used_up(ada, ben):
    give(ada, 100)
    give(ben, 100)
    assert usage.consume(ada, "generations", 8) == usage.Quota(8, 10, credits=100)
    assert usage.consume(ada, "generations", 5) == usage.Quota(10, 10, credits=97)
    assert usage.consume(ada, "generations", 97).remaining == 0
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations")
    assert (adds_up(ada), adds_up(ben)) == ((0, 100, 0, 0), (100, 0, 0, 0))


def test_what_limit_and_credits_do_not_hold_together_is_refused_whole(ada):
    give(ada, 5)
    usage.consume(ada, "generations", 8)
    with pytest.raises(
        usage.QuotaExceeded, match=r"8 of 10 .* 5 credits are left, and 8 more would be 1 too many"
    ) as no:
        usage.consume(ada, "generations", 8)
    assert (no.value.over, no.value.credits) == (1, 5)
    assert usage.summary(ada)["generations"] == usage.Quota(8, 10, credits=5)
    assert usage.consume(ada, "generations", 7).remaining == 0


def test_those_that_expire_soonest_go_first(ada):
    give(ada, 5, "for good")
    give(ada, 5, "late", NOON + timedelta(days=20))
    give(ada, 5, "soon", NOON + timedelta(days=2))
    usage.consume(ada, "generations", 10 + 5 + 3)
    assert dict(Credit.objects.values_list("source", "left")) == {"for good": 5, "late": 2, "soon": 0}


@pytest.mark.parametrize(("after", "left"), [(timedelta(seconds=-1), 5), (timedelta(), 0), (timedelta(days=1), 0)])
def test_what_has_expired_cannot_be_spent_whether_or_not_it_was_written_off(ada, clock, after, left):
    until = NOON + timedelta(days=2)
    give(ada, 5, until=until)
    clock.move_to(until + after)
    assert usage.summary(ada)["generations"].credits == left
    usage.consume(ada, "generations", 10)
    if not left:
        with pytest.raises(usage.QuotaExceeded):
            usage.consume(ada, "generations")
    usage.crediting.expire()
    assert adds_up(ada) == ((5, 0, 0, 0) if left else (0, 0, 5, 0))


def test_credits_of_a_feature_that_no_plan_in_effect_has_can_be_spent_and_say_when_they_are_gone(ada):
    PlanLimit.objects.create(plan=Plan.objects.get(slug="pro"), feature="exports", quantity=5)
    with pytest.raises(usage.NoAccess):
        usage.consume(ada, "exports")
    grants.give_credits(ada, "exports", 2, source="pack")
    assert usage.consume(ada, "exports", 2) == usage.Quota(0, 0, credits=0)
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "exports")


def test_a_hold_of_everything_withholds_credits_and_loses_none(ada):
    give(ada, 5)
    customer = Customer.objects.create(pk="cus_ada", subscriber=ada)
    hold = Hold.objects.create(customer=customer, kind="staff", reference="case 7", placed_at=NOON)
    usage.consume(ada, "generations", 10)
    assert usage.summary(ada)["generations"].credits == 0
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations")
    hold.delete()
    assert usage.consume(ada, "generations").credits == 4


# Keys


def test_a_key_counts_once_and_its_answer_stays_the_same(ada, ben):
    give(ada, 100)
    first = usage.consume(ada, "generations", 12, "job 7")
    usage.consume(ada, "generations", 3)
    again = usage.consume(ada, "generations", 12, "job 7")
    assert (again, again.resets_at) == (first, first.resets_at) == (usage.Quota(10, 10, credits=98), first.resets_at)
    assert usage.consume(ben, "generations", 1, "job 7") == usage.Quota(1, 10)
    assert usage.summary(ada)["generations"].credits == 95


def test_a_refused_use_leaves_its_key_free(ada):
    with pytest.raises(usage.QuotaExceeded):
        usage.consume(ada, "generations", 11, "job 7")
    assert not KeyedUse.objects.exists()
    give(ada, 1)
    assert usage.consume(ada, "generations", 11, "job 7").remaining == 0


@pytest.mark.parametrize("quantity", [1, 3])
def test_a_key_with_another_quantity_is_refused(ada, quantity):
    usage.consume(ada, "generations", 2, "job 7")
    with pytest.raises(usage.KeyReused, match="counted 2 before"):
        usage.consume(ada, "generations", quantity, "job 7")
    assert Usage.objects.get().used == 2


@pytest.mark.parametrize("key", ["x" * 256, "a\0b"])
def test_a_key_that_no_column_holds_is_refused(ada, key):
    with pytest.raises(ValueError, match="1 to 255 characters"):
        usage.consume(ada, "generations", 1, key)


def test_release_gives_back_to_where_it_came_from(ada):
    give(ada, 5, "late", NOON + timedelta(days=20))
    give(ada, 5, "soon", NOON + timedelta(days=2))
    usage.consume(ada, "generations", 4)
    usage.consume(ada, "generations", 6 + 5 + 2, "job 7")
    assert usage.release(ada, "generations", "job 7") == usage.Quota(4, 10, credits=10)
    assert usage.release(ada, "generations", "job 7") == usage.Quota(4, 10, credits=10)
    assert dict(Credit.objects.values_list("source", "left")) == {"late": 5, "soon": 5}


def test_what_was_released_cannot_be_counted_by_a_late_duplicate(ada):
    usage.consume(ada, "generations", 2, "job 7")
    usage.release(ada, "generations", "job 7")
    with pytest.raises(usage.KeyReused, match="given back"):
        usage.consume(ada, "generations", 2, "job 7")
    assert usage.summary(ada)["generations"].used == 0


def test_a_key_that_counted_nothing_cannot_be_released_nor_one_of_somebody_else(ada, ben):
    usage.consume(ben, "generations", 2, "job 7")
    for key in ("job 7", "job 8"):
        with pytest.raises(usage.UnknownKey):
            usage.release(ada, "generations", key)
    with pytest.raises(usage.UnknownKey):
        usage.release(ben, "exports", "job 7")
    assert Usage.objects.get().used == 2


def test_what_is_released_after_its_month_does_not_add_to_the_next(ada, clock):
    clock.move_to(LAST_SECOND)
    usage.consume(ada, "generations", 7, "job 7")
    clock.move_to(LAST_SECOND + timedelta(seconds=1))
    usage.consume(ada, "generations", 1)
    assert usage.release(ada, "generations", "job 7") == usage.Quota(1, 10)


def test_what_is_released_in_a_month_without_use_says_how_that_stands_with_the_credits_that_are_left(ada, ben, clock):
    usage.consume(ada, "generations", 4, key="job 7")
    for user, quantity in ((ada, 9), (ben, 50)):
        grants.give_credits(user, "generations", quantity, source="pack")
    clock.shift(timedelta(days=40))
    assert usage.release(ada, "generations", "job 7") == usage.Quota(0, 10, credits=9)


@pytest.mark.parametrize("is_written_off", [False, True])
def test_what_is_released_after_its_credits_expired_has_expired(ada, clock, is_written_off):
    give(ada, 5, until=NOON + timedelta(days=2))
    usage.consume(ada, "generations", 10 + 3, "job 7")
    clock.move_to(NOON + timedelta(days=2))
    if is_written_off:
        usage.crediting.expire()
    assert usage.release(ada, "generations", "job 7").credits == 0
    usage.crediting.expire()
    assert adds_up(ada) == (0, 0, 5, 0)


# Reservations


def test_a_reservation_counts_what_was_used_and_gives_the_rest_back(ada):
    give(ada, 20)
    assert usage.reserve(ada, "generations", 25, key="job 7").remaining == 5
    assert usage.commit(ada, "generations", "job 7", 12) == usage.Quota(10, 10, credits=18)
    assert usage.commit(ada, "generations", "job 7", 12) == usage.Quota(10, 10, credits=18)
    with pytest.raises(usage.KeyReused):
        usage.commit(ada, "generations", "job 7", 13)
    assert usage.release(ada, "generations", "job 7") == usage.Quota(0, 10, credits=20)


def test_of_a_reservation_credits_go_back_before_the_months_limit(ada):
    give(ada, 20)
    usage.reserve(ada, "generations", 25, key="job 7")
    assert usage.commit(ada, "generations", "job 7", 4) == usage.Quota(4, 10, credits=20)


def test_a_commit_without_a_quantity_counts_all(ada):
    usage.reserve(ada, "generations", 6, key="job 7")
    assert usage.commit(ada, "generations", "job 7") == usage.Quota(6, 10)


@pytest.mark.parametrize("quantity", [-1, 7])
def test_more_than_was_held_cannot_be_committed(ada, quantity):
    usage.reserve(ada, "generations", 6, key="job 7")
    with pytest.raises(ValueError, match="holds 6"):
        usage.commit(ada, "generations", "job 7", quantity)
    assert usage.commit(ada, "generations", "job 7", 0) == usage.Quota(0, 10)


def test_what_is_not_settled_in_time_is_given_back_and_only_then(ada, ben, clock):
    for who in (ada, ben):
        usage.reserve(who, "generations", 6, key="job 7", lasting=timedelta(minutes=5))
    clock.move_to(NOON + timedelta(minutes=5, seconds=-1))
    assert usage.release_lapsed() == 0
    usage.commit(ben, "generations", "job 7")
    clock.move_to(NOON + timedelta(minutes=5))
    assert (usage.release_lapsed(), usage.release_lapsed()) == (1, 0)
    assert usage.summary(ada)["generations"].used == 0
    assert usage.summary(ben)["generations"].used == 6
    with pytest.raises(usage.ReservationOver):
        usage.commit(ada, "generations", "job 7")
    assert usage.release(ada, "generations", "job 7") == usage.Quota(0, 10)


def test_of_two_reservations_the_one_whose_time_is_over_is_given_back_and_the_other_is_not(ada, ben, clock):
    usage.reserve(ben, "generations", 4, key="job 7", lasting=timedelta(minutes=9))
    usage.reserve(ada, "generations", 6, key="job 7", lasting=timedelta(minutes=5))
    usage.reserve(ben, "generations", 2, key="job 8", lasting=timedelta(minutes=9))
    clock.move_to(NOON + timedelta(minutes=5))
    assert usage.release_lapsed() == 1
    assert (usage.summary(ada)["generations"].used, usage.summary(ben)["generations"].used) == (0, 6)
    states = KeyedUse.objects.order_by("pk").values_list("subscriber__email", "state")
    assert list(states) == [
        ("ben@example.com", "reserved"),
        ("ada@example.com", "lapsed"),
        ("ben@example.com", "reserved"),
    ]


@pytest.mark.parametrize("left", [0, 5])
def test_in_a_month_without_use_what_stands_is_nothing_used_and_the_credits_that_are_left(ada, ben, clock, left):
    for who, given in ((ada, left), (ben, 7)):
        usage.reserve(who, "generations", 6, key="job 7")
        if given:
            give(who, given)
    clock.move_to(datetime(2026, 6, 2, tzinfo=UTC))
    assert usage.release(ada, "generations", "job 7") == usage.Quota(0, 10, credits=left)
    assert usage.release(ben, "generations", "job 7") == usage.Quota(0, 10, credits=7)


def test_a_key_has_up_to_255_characters_and_no_null(ada):
    assert usage.consume(ada, "generations", key="k" * 255).used == 1
    for key in ("k" * 256, "a\0b"):
        with pytest.raises(ValueError, match="1 to 255"):
            usage.consume(ada, "generations", key=key)
    for key in ("", "k" * 256):
        with pytest.raises(ValueError, match="1 to 255"):
            usage.reserve(ada, "generations", 1, key=key)
    assert KeyedUse.objects.count() == 1


def test_a_reservation_lasts_a_quarter_of_an_hour_unless_it_is_said(ada, ben):
    usage.reserve(ada, "generations", 1, key="job 7")
    usage.reserve(ben, "generations", 1, key="job 7", lasting=timedelta(minutes=1))
    lapses = dict(KeyedUse.objects.values_list("subscriber__email", "lapses_at"))
    assert lapses == {
        "ada@example.com": NOON + timedelta(minutes=15), "ben@example.com": NOON + timedelta(minutes=1)
    }  # fmt: skip


def test_what_is_settled_lapses_no_more(ada, ben):
    for who in (ada, ben):
        usage.reserve(who, "generations", 5, key="job 7")
    usage.commit(ada, "generations", "job 7", 3)
    row = KeyedUse.objects.get(subscriber=ada)
    assert (row.state, row.counted, row.lapses_at) == ("counted", 3, None)
    usage.release(ada, "generations", "job 7")
    row.refresh_from_db()
    assert (row.state, row.counted, row.lapses_at) == ("released", 0, None)
    bens = KeyedUse.objects.get(subscriber=ben)
    assert (bens.state, bens.counted, bens.lapses_at) == ("reserved", 5, NOON + timedelta(minutes=15))


def test_nothing_less_than_one_is_counted_and_one_is_unless_it_is_said(ada):
    for quantity in (0, -1):
        with pytest.raises(ValueError, match="at least 1"):
            usage.consume(ada, "generations", quantity)
        with pytest.raises(ValueError, match="at least 1"):
            usage.consume(ada, "generations", quantity, key="job 7")
    assert usage.consume(ada, "generations").used == 1
    assert usage.consume(ada, "generations", key="job 8").used == 2


@pytest.mark.parametrize("state", ["counted", "reserved"])
def test_what_was_not_counted_in_this_month_is_given_back_to_the_month_that_counted_it(ada, ben, clock, state):
    for who in (ada, ben):
        (usage.consume if state == "counted" else usage.reserve)(who, "generations", 6, key="job 7")
    clock.move_to(datetime(2026, 6, 2, tzinfo=UTC))
    usage.consume(ada, "generations", 2)
    assert usage.release(ada, "generations", "job 7") == usage.Quota(2, 10)
    counters = Usage.objects.order_by("subscriber__email", "period_start").values_list("subscriber__email", "used")
    assert list(counters) == [("ada@example.com", 0), ("ada@example.com", 2), ("ben@example.com", 6)]


# At the same moment


@pytest.mark.postgres_only  # on SQLite a hundred writers wait longer for its one lock than it lets them
@pytest.mark.django_db(transaction=True)
def test_a_hundred_at_once_get_exactly_what_limit_and_credits_allow(ada):
    give(ada, 20, "soon", NOON + timedelta(days=2))
    give(ada, 25, "for good")
    outcomes = at_once(lambda _: usage.consume(ada, "generations"), 100)
    granted = [outcome for outcome in outcomes if isinstance(outcome, usage.Quota)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, usage.QuotaExceeded)]
    assert (len(granted), len(refused)) == (55, 45)
    assert (Usage.objects.get().used, adds_up(ada)) == (10, (0, 45, 0, 0))


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_one_key_from_twenty_at_once_counts_once(ada):
    give(ada, 50)
    outcomes = at_once(lambda _: usage.consume(ada, "generations", 13, "job 7"), 20)
    assert outcomes == [usage.Quota(10, 10, credits=47)] * 20
    assert adds_up(ada) == (47, 3, 0, 0)


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_use_release_refund_and_expiry_at_the_same_instant_lose_and_make_nothing(ada, clock):
    until = NOON + timedelta(seconds=1)
    for number in range(4):
        give(ada, 10, f"pack {number}", until if number % 2 else None)
    for number in range(8):
        usage.consume(ada, "generations", 3, f"job {number}")
    clock.move_to(until)

    def act(number):
        match number % 4:
            case 0:
                usage.release(ada, "generations", f"job {number % 8}")
            case 1:
                grants.take_back_credits(ada, f"pack {number % 4}", 6)
            case 2:
                usage.crediting.expire()
            case 3:
                with suppress(usage.QuotaExceeded):
                    usage.consume(ada, "generations", 2, f"new {number}")

    failures = [outcome for outcome in at_once(act, 24) if outcome is not None]
    assert failures == []
    left, used, expired, taken_back = adds_up(ada)
    assert left + used + expired + taken_back == 40
    by_key = KeyedUse.objects.filter(subscriber=ada)
    assert sum(row.quantity for row in by_key) == used + Usage.objects.get().used
    assert Credit.objects.get(source="pack 1").taken_back + Credit.objects.get(source="pack 1").owed_back <= 6


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_reserve_commit_lapse_purchase_and_refund_at_the_same_instant_lose_and_make_nothing(ada, ben, clock):
    give(ben, 10)
    for number in range(4):
        give(ada, 10, f"pack {number}")
        usage.reserve(ada, "generations", 5, key=f"job {number}", lasting=timedelta(seconds=1))
    clock.move_to(NOON + timedelta(seconds=1))

    def act(number):
        with suppress(usage.QuotaExceeded, usage.ReservationOver):
            match number % 6:
                case 0:
                    usage.commit(ada, "generations", f"job {number % 4}", 3)
                case 1:
                    usage.release_lapsed()
                case 2:
                    give(ada, 10, f"pack {number}")
                case 3:
                    grants.take_back_credits(ada, f"pack {number % 4}", 7)
                case 4:
                    usage.reserve(ada, "generations", 4, key=f"new {number}")
                case 5:
                    usage.consume(ada, "generations", 2)

    failures = [outcome for outcome in at_once(act, 24) if outcome is not None]
    assert failures == []
    left, used, expired, taken_back = adds_up(ada)
    assert left + used + expired + taken_back == 70  # the pack 2 came twice
    by_key = sum(row.quantity for row in KeyedUse.objects.filter(subscriber=ada))
    counted = used + sum(row.used for row in Usage.objects.filter(subscriber=ada))
    assert (counted - by_key) % 2 == 0
    assert 0 <= counted - by_key <= 8
    settled = KeyedUse.objects.filter(subscriber=ada, key__startswith="job")
    assert {(row.state, row.quantity) for row in settled} <= {("counted", 3), ("lapsed", 0)}
    assert adds_up(ben) == (10, 0, 0, 0)


def test_the_database_itself_refuses_credits_that_do_not_add_up(ada):
    row = give(ada, 5)
    with pytest.raises(IntegrityError), transaction.atomic():
        Credit.objects.filter(pk=row.pk).update(left=6)

"""Standing owed writes: those due on one lane, those that are stamped, and the customer they are still about."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from billing import lanes
from billing.lanes import standing_writes, tries
from billing.models import AccountDeletion, Customer, Lane, StripeWrite
from billing.stripe_client import StripeUnavailable

pytestmark = pytest.mark.django_db

SEATS, DETAILS = StripeWrite.Action.SET_SEATS, StripeWrite.Action.UPDATE_CUSTOMER


@pytest.fixture(autouse=True)
def now(time_machine):
    """Time stands still."""
    time_machine.move_to(timezone.now(), tick=False)
    return timezone.now()


def customer(name):
    subscriber = get_user_model().objects.create_user(f"{name}@example.com")
    return Customer.objects.create(pk=f"cus_{name}", subscriber=subscriber)


@pytest.fixture
def ada():
    return customer("ada")


@pytest.fixture
def ben():
    return customer("ben")


def placed_before(customer, action, reference):
    """An order that is a second older than what is placed now."""
    standing_writes.owe(customer, action, reference)
    earlier = timezone.now() - timedelta(seconds=1)
    StripeWrite.objects.filter(reference=reference).update(requested_at=earlier)


def test_an_order_is_owed_on_its_own_lane_and_wakes_that_alone(ada, ben, now):
    placed_before(ada, SEATS, "members")
    standing_writes.owe(ada, SEATS, "members again")
    [(action, rows)] = standing_writes.due_writes(ada.pk).items()
    assert (action, [row.reference for row in rows]) == (SEATS, ["members", "members again"])
    assert {(row.object_id, row.next_attempt_at) for row in rows} == {(ada.pk, now)}
    assert rows[1].requested_at == now
    assert standing_writes.due_writes(ben.pk) == {}
    assert list(Lane.objects.values_list("pk", "arrived")) == [(ada.pk, 2)]


def test_who_holds_the_lane_places_an_order_without_waking_it(ada):
    standing_writes.owe(ada, SEATS, "members", wakes=False)
    assert standing_writes.due_writes(ada.pk)
    assert not Lane.objects.exists()


@pytest.mark.parametrize(("wait", "is_owed"), [(1, False), (0, True), (-1, True)])
def test_an_order_is_due_from_its_moment_and_brings_along_all_that_wait_of_its_kind(ada, now, wait, is_owed):
    placed_before(ada, SEATS, "first")
    StripeWrite.objects.update(next_attempt_at=now + timedelta(microseconds=wait))
    assert bool(standing_writes.due_writes(ada.pk)) is is_owed
    standing_writes.owe(ada, DETAILS, "address")
    assert set(standing_writes.due_writes(ada.pk)) == ({SEATS, DETAILS} if is_owed else {DETAILS})
    standing_writes.owe(ada, SEATS, "second")
    assert [row.reference for row in standing_writes.due_writes(ada.pk)[SEATS]] == ["first", "second"]


def test_one_without_a_moment_is_due(ada):
    standing_writes.owe(ada, SEATS, "members")
    StripeWrite.objects.update(next_attempt_at=None)
    assert standing_writes.due_writes(ada.pk)


@pytest.mark.parametrize("column", ["done_at", "withdrawn_at"])
def test_what_is_done_or_called_off_is_owed_no_more(ada, now, column):
    standing_writes.owe(ada, SEATS, "members")
    StripeWrite.objects.update(**{column: now})
    assert standing_writes.due_writes(ada.pk) == {}


def test_a_write_that_is_not_standing_is_none_of_these(ada):
    StripeWrite.objects.create(
        lane=ada.pk, action="refund", object_id="pi_1", reference="sub_1", requested_at=timezone.now()
    )
    assert standing_writes.due_writes(ada.pk) == {}


def test_the_key_is_of_the_newest_row_and_of_the_most_tries(ada):
    placed_before(ada, SEATS, "first")
    StripeWrite.objects.update(attempts=3)
    standing_writes.owe(ada, SEATS, "second")
    rows = standing_writes.due_writes(ada.pk)[SEATS]
    assert standing_writes.key_of(rows) == f"{StripeWrite.objects.get(reference='second').pk}:3"


def test_an_order_is_about_its_customer_until_they_leave(ada, ben):
    standing_writes.owe(ada, SEATS, "members")
    rows = standing_writes.due_writes(ada.pk)[SEATS]
    AccountDeletion.objects.create(customer=ben, lane=ben.pk, requested_at=timezone.now())
    assert standing_writes.customer_of(rows) == ada
    leaving = AccountDeletion.objects.create(customer=ada, lane=ada.pk, requested_at=timezone.now())
    assert standing_writes.customer_of(rows) is None
    leaving.delete()
    Customer.objects.filter(pk=ada.pk).update(subscriber=None)
    assert standing_writes.customer_of(rows) is None


def test_what_was_carried_out_is_stamped_and_nothing_else(ada, ben, now):
    for who in (ada, ben):
        standing_writes.owe(who, SEATS, "members")
    rows = standing_writes.due_writes(ada.pk)[SEATS]
    standing_writes.owe(ada, SEATS, "meanwhile")
    standing_writes.make(rows, lambda rows: None)
    assert list(StripeWrite.objects.filter(done_at=now).values_list("lane", "reference")) == [(ada.pk, "members")]
    assert StripeWrite.objects.filter(done_at=None).count() == 2


def test_what_fails_is_noted_on_its_own_rows_and_tried_again_later(ada, ben, now, monkeypatch):
    monkeypatch.setattr(tries.random, "uniform", lambda low, high: 1)
    for who in (ada, ben):
        standing_writes.owe(who, SEATS, "members")

    def fails(rows):
        raise StripeUnavailable("Stripe did not answer")

    for attempts, minutes in ((1, 1), (2, 5), (3, 30)):
        standing_writes.make(list(StripeWrite.objects.filter(lane=ada.pk)), fails)
        row = StripeWrite.objects.get(lane=ada.pk)
        assert (row.attempts, row.done_at) == (attempts, None)
        assert row.next_attempt_at == now + timedelta(minutes=minutes)
        assert row.error_message == "StripeUnavailable: Stripe did not answer"
    bystander = StripeWrite.objects.get(lane=ben.pk)
    assert (bystander.attempts, bystander.next_attempt_at, bystander.error_message) == (0, now, "")


def test_who_lost_the_lane_notes_nothing(ada):
    standing_writes.owe(ada, SEATS, "members")

    def lost(rows):
        raise lanes.LaneLost(ada.pk)

    with pytest.raises(lanes.LaneLost):
        standing_writes.make(standing_writes.due_writes(ada.pk)[SEATS], lost)
    row = StripeWrite.objects.get()
    assert (row.attempts, row.done_at, row.error_message) == (0, None, "")


def refused_before(who, action, reference):
    standing_writes.note_refused(who, action, reference, "No.")
    return StripeWrite.objects.get(lane=who.pk, action=action, reference=reference).pk


def lasting():
    return set(StripeWrite.objects.exclude(refused_at=None).values_list("pk", flat=True))


@pytest.mark.parametrize("is_refused", [True, False])
def test_the_newest_answer_says_it_all_of_its_own_kind_and_lane_alone(ada, ben, now, is_refused):
    refused_before(ada, SEATS, "earlier")
    others = {
        refused_before(ada, StripeWrite.Action.MOVE_PRICE, "of another kind"),
        refused_before(ben, SEATS, "ben's"),
    }
    standing_writes.owe(ada, SEATS, "members")

    def answers(rows):
        if is_refused:
            raise standing_writes.GivenUp("x" * (tries.MOST_ERROR_TEXT + 1))

    rows = standing_writes.due_writes(ada.pk)[SEATS]
    standing_writes.make(rows, answers)
    row = StripeWrite.objects.get(reference="members")
    assert lasting() == others | ({row.pk} if is_refused else set())
    assert len(standing_writes.lasting()) == 2 + is_refused
    assert len(standing_writes.lasting(ada.pk)) == 1 + is_refused
    if is_refused:
        assert (row.withdrawn_at, row.done_at, row.attempts) == (now, None, 1)
        assert row.error_message == "x" * tries.MOST_ERROR_TEXT


def test_what_was_given_up_is_tried_again_by_a_new_key_and_what_is_done_or_called_off_is_not(ada, ben, now):
    given_up, bystander = refused_before(ada, SEATS, "ada's"), refused_before(ben, SEATS, "ben's")
    assert standing_writes.try_again(StripeWrite.objects.get(pk=given_up))
    row = StripeWrite.objects.get(pk=given_up)
    assert (row.withdrawn_at, row.refused_at, row.next_attempt_at, row.attempts) == (None, None, now, 1)
    assert (lasting(), lanes.is_awake(ada.pk), lanes.is_awake(ben.pk)) == ({bystander}, True, False)
    for columns in ({"done_at": now}, {"withdrawn_at": now}):
        StripeWrite.objects.filter(pk=given_up).update(**{"done_at": None, "withdrawn_at": None, **columns})
        assert not standing_writes.try_again(row)

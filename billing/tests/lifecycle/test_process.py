"""A deletion row by row: when it is due, what a try that failed leaves on it, and that it is its own account's."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from billing import lanes, signals
from billing.lanes import tries
from billing.lifecycle import deletion
from billing.lifecycle.deletion import process
from billing.models import AccountDeletion, CheckoutAttempt, Customer, Lane, Plan, Price, Subscription
from billing.stripe_client import StripeUnavailable

pytestmark = pytest.mark.django_db

TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def now(settings, time_machine, monkeypatch):
    settings.BILLING_CLOCK = ""
    time_machine.move_to(timezone.now().replace(microsecond=0), tick=False)
    monkeypatch.setattr(tries.random, "uniform", lambda low, high: 1)
    return timezone.now()


def user(name):
    return get_user_model().objects.create_user(f"{name}@example.com")


@pytest.fixture
def ada():
    return Customer.objects.create(pk="cus_ada", subscriber=user("ada"))


@pytest.fixture
def ben():
    return Customer.objects.create(pk="cus_ben", subscriber=user("ben"))


def leaving(customer, **columns):
    return AccountDeletion.objects.create(
        subscriber=customer.subscriber, customer=customer, lane=customer.pk, requested_at=timezone.now(), **columns
    )


@pytest.fixture
def said():
    """The signals about deletions, each with whom and what it names."""
    heard = []

    def listener(name):
        return lambda subscription, deletion, subscriber, **details: heard.append(
            (name, subscription and subscription.stripe_id, deletion.lane, subscriber.email, details.get("email"))
        )

    for name in ("account_closing", "account_closed"):
        getattr(signals, name).connect(listener(name), dispatch_uid="process", weak=False)
    yield heard
    for name in ("account_closing", "account_closed"):
        getattr(signals, name).disconnect(dispatch_uid="process")


def test_it_begins_on_the_customers_lane_closes_their_checkout_and_says_so_once(ada, ben, said, now):
    plan = Plan.objects.create(slug="sold", name="Sold", rank=1)
    price = Price.objects.create(pk="price_1", plan=plan, currency="usd", unit_amount=1, interval="month")
    for customer in (ada, ben):
        Subscription.objects.create(customer=customer, stripe_id=f"sub_{customer.pk}")
        CheckoutAttempt.objects.create(customer=customer, price=price, quantity=1)
    begun = deletion.begin(ada.subscriber)
    assert (begun.customer, begun.lane, begun.requested_at, begun.is_done) == (ada, "cus_ada", now, False)
    assert deletion.begin(ada.subscriber) == begun
    assert said == [("account_closing", "sub_cus_ada", "cus_ada", "ada@example.com", None)]
    assert list(Lane.objects.values_list("pk", "arrived")) == [("cus_ada", 1)]
    assert dict(CheckoutAttempt.objects.values_list("customer", "status")) == {"cus_ada": "expired", "cus_ben": "open"}
    assert (process.deletion_of(ada.subscriber), process.deletion_of(ben.subscriber)) == (begun, None)


def test_who_never_bought_anything_has_a_lane_of_their_own(said):
    eve = user("eve")
    assert deletion.begin(eve).lane == f"subscriber:{eve.pk}"
    assert said == [("account_closing", None, f"subscriber:{eve.pk}", "eve@example.com", None)]


@pytest.mark.parametrize(("wait", "is_due"), [(None, True), (-TICK, True), (timedelta(0), True), (TICK, False)])
def test_it_is_due_on_its_own_lane_from_its_moment(ada, ben, now, wait, is_due):
    row = leaving(ada, next_attempt_at=None if wait is None else now + wait)
    assert process.owed_deletions("cus_ada") == ([row] if is_due else [])
    assert process.due_lanes() == (["cus_ada"] if is_due else [])
    assert process.owed_deletions("cus_ben") == []
    other = leaving(ben)
    assert process.owed_deletions("cus_ben") == [other]


def test_what_is_done_is_due_again_only_if_stripe_bills_again(ada, ben, now):
    leaving(ada, done_at=now)
    Subscription.objects.create(customer=ben, stripe_id="sub_ben", status="active")
    assert process.due_lanes() == []
    Subscription.objects.create(customer=ada, stripe_id="sub_ada", status="active", counts=False)
    assert process.due_lanes() == ["cus_ada"]


def test_a_try_that_fails_is_noted_on_its_own_row_and_waits_longer_each_time(ada, ben, now):
    row, other = leaving(ada), leaving(ben)
    for attempts, minutes in ((1, 1), (2, 5), (3, 30), (4, 60), (5, 60)):
        process.postpone(row, StripeUnavailable("down"))
        row.refresh_from_db()
        assert (row.attempts, row.error_message) == (attempts, "StripeUnavailable: down")
        assert row.next_attempt_at == now + timedelta(minutes=minutes)
    other.refresh_from_db()
    assert (other.attempts, other.next_attempt_at, other.error_message) == (0, None, "")


def test_staff_who_do_not_want_to_wait_make_one_due_and_wake_its_lane_alone(ada, ben, now):
    later = now + timedelta(hours=1)
    row, other = leaving(ada, next_attempt_at=later, attempts=3), leaving(ben, next_attempt_at=later)
    process.try_now(row)
    assert process.due_lanes() == ["cus_ada"]
    assert list(Lane.objects.values_list("pk", flat=True)) == ["cus_ada"]
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.next_attempt_at, row.attempts, other.next_attempt_at) == (None, 3, later)


def test_starting_over_takes_every_step_again_by_other_keys(ada, now):
    row = leaving(ada, attempts=2, done_at=now, **dict.fromkeys(process.STEPS, now))
    process._start_over(row)
    row.refresh_from_db()
    assert {getattr(row, name) for name in (*process.STEPS, "done_at")} == {None}
    assert row.attempts == 3


@pytest.fixture
def steps(ada, monkeypatch):
    """Each step taken, and each renewal of the lease; Stripe has the customer still."""
    taken = []
    for name in process.STEPS:
        monkeypatch.setitem(process.STEPS, name, lambda row, name=name: taken.append(name))
    monkeypatch.setattr(process.lanes, "renew", lambda claim: taken.append("renewed"))
    monkeypatch.setattr(process.steps, "is_customer_deleted", lambda row: False)
    monkeypatch.setattr(process.lanes, "commit_under", lambda claim, reads, work: taken.append("finished"))
    return taken


def test_the_lease_is_renewed_before_each_step_that_is_left_and_before_the_end(ada, steps, now):
    first, *left = process.STEPS
    row = leaving(ada, **{first: now - timedelta(days=1)})
    process._take_steps(row, None)
    assert steps == [*(step for name in left for step in ("renewed", name)), "renewed", "finished"]
    row.refresh_from_db()
    assert (getattr(row, first), {getattr(row, name) for name in left}) == (now - timedelta(days=1), {now})


def test_of_a_customer_deleted_at_stripe_and_of_none_there_is_nothing_to_do_there(ada, steps, monkeypatch):
    nobody = AccountDeletion.objects.create(subscriber=user("eve"), lane="deletion:1", requested_at=timezone.now())
    process._take_steps(nobody, None)
    monkeypatch.setattr(process.steps, "is_customer_deleted", lambda row: True)
    process._take_steps(leaving(ada), None)
    assert steps == ["renewed", "finished"] * 2


def test_a_customer_that_a_crash_left_at_stripe_takes_the_deletion_to_their_lane(ada, monkeypatch):
    eve = user("eve")
    row = AccountDeletion.objects.create(subscriber=eve, lane=f"subscriber:{eve.pk}", requested_at=timezone.now())
    found = []
    monkeypatch.setattr(process.customers, "find_customer", found.append)
    assert process._has_moved(row) is False
    monkeypatch.setattr(process.customers, "find_customer", lambda subscriber: ada)
    assert process._has_moved(row) is True
    row.refresh_from_db()
    assert (row.customer, row.lane, found) == (ada, "cus_ada", [eve])
    assert list(Lane.objects.values_list("pk", flat=True)) == ["cus_ada"]
    assert process._has_moved(row) is False, "it is there now"
    row.customer, row.subscriber = None, None
    assert process._has_moved(row) is False


def test_a_customer_is_left_alone_by_who_lost_the_lane(ada, steps, monkeypatch):
    def lost(claim):
        raise lanes.LaneLost("cus_ada")

    monkeypatch.setattr(process.lanes, "renew", lost)
    with pytest.raises(lanes.LaneLost):
        process._take_steps(leaving(ada), None)
    assert steps == []


@pytest.mark.parametrize(("at_stripe", "told"), [("bills@example.com", "bills@example.com"), ("", "ada@example.com")])
def test_at_the_end_all_is_stamped_and_the_last_mail_goes_to_stripes_address_or_their_own(
    world, said, now, at_stripe, told
):
    ada = Customer.objects.create(pk="cus_ada", subscriber=user("ada"), email=at_stripe, deleted_at=now)
    first = next(iter(process.STEPS))
    earlier = now - timedelta(days=1)
    row = leaving(ada, error_message="x", next_attempt_at=now, **{first: earlier})
    process._finish(row.pk)
    row.refresh_from_db()
    assert (getattr(row, first), row.done_at, row.next_attempt_at, row.error_message) == (earlier, now, None, "")
    assert row.next_step == ""
    assert [(name, lane, address) for name, _, lane, _, address in said] == [("account_closed", "cus_ada", told)]
    assert Customer.objects.get(pk="cus_ada").email == ""

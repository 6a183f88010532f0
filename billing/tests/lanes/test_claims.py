"""Lanes: one pair of hands, no lost arrival, and no commit by who lost the lane."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ

from billing import lanes, stripe_client
from billing.conf import conf
from billing.events import sweep, worker
from billing.models import Customer, Lane

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


@pytest.fixture
def lane():
    with transaction.atomic():
        lanes.wake("cus_1")
    return "cus_1"


def write_under(claim, work):
    with stripe_client.drain_reads() as reads:
        return lanes.commit_under(claim, reads, work)


def in_parallel(number, work):
    """Return what `work` returned in each of so many threads, started together."""
    results, barrier = [], threading.Barrier(number)

    def run():
        barrier.wait()
        try:
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_many_workers_one_takes_the_lane(lane):
    claims = in_parallel(8, lambda: lanes.take(lane))
    assert sum(claim is not None for claim in claims) == 1


def test_many_wake_ups_at_once_are_all_counted_and_queue_one_drain(lane):
    OrmQ.objects.all().delete()
    lanes.release(lanes.take(lane))

    def wake():
        with transaction.atomic():
            lanes.wake(lane)

    in_parallel(8, wake)
    row = Lane.objects.get(pk=lane)
    assert row.arrived - row.drained == 8
    assert OrmQ.objects.count() == 1


def test_a_wake_up_that_rolls_back_leaves_nothing():
    with transaction.atomic():
        lanes.wake("cus_2")
        transaction.set_rollback(True)
    assert not Lane.objects.exists()
    assert not OrmQ.objects.exists()


def test_a_lane_held_by_another_is_not_taken(lane):
    assert lanes.take(lane)
    assert lanes.take(lane) is None


def test_who_takes_a_lane_leaves_every_other_lane_free(lane):
    with transaction.atomic():
        lanes.wake("cus_2")
    claim = lanes.take(lane)
    assert Lane.objects.get(pk="cus_2").token is None
    other = lanes.take("cus_2")
    assert (claim.key, other.key) == (lane, "cus_2")
    lanes.release(other)
    assert Lane.objects.get(pk=lane).token == claim.token
    lanes.let_go(claim)
    assert Lane.objects.get(pk=lane).token is None


def test_a_renewed_lease_is_longer_and_keeps_others_out(lane, settings):
    settings.BILLING_LANE_LEASE_SECONDS = 60
    claim = lanes.take(lane)
    Lane.objects.update(leased_until=timezone.now() + timedelta(seconds=5))
    lanes.renew(claim)
    left = Lane.objects.get(pk=lane).leased_until - timezone.now()
    assert timedelta(seconds=50) < left <= conf.lease
    assert lanes.take(lane) is None


def test_a_fresh_lease_lasts_as_long_as_the_setting_says(lane):
    before = timezone.now()
    lanes.take(lane)
    assert before + conf.lease <= Lane.objects.get(pk=lane).leased_until <= timezone.now() + conf.lease


def test_a_renewal_touches_no_other_lane(lane):
    with transaction.atomic():
        lanes.wake("cus_2")
    claim, other = lanes.take(lane), lanes.take("cus_2")
    ends = Lane.objects.get(pk="cus_2").leased_until
    lanes.renew(claim)
    assert Lane.objects.get(pk="cus_2").leased_until == ends
    lanes.renew(other)


def test_a_lease_that_is_over_is_taken_over_and_the_first_holder_cannot_commit(lane):
    zombie = lanes.take(lane)
    Lane.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
    heir = lanes.take(lane)
    with pytest.raises(lanes.LaneLost):
        write_under(zombie, lambda: Customer.objects.create(pk="cus_zombie"))
    assert not Customer.objects.exists()
    write_under(heir, lambda: Customer.objects.create(pk="cus_heir"))
    assert Customer.objects.filter(pk="cus_heir").exists()
    with pytest.raises(lanes.LaneLost):
        lanes.renew(zombie)


def test_what_arrives_while_a_lane_is_drained_keeps_it_awake(lane):
    claim = lanes.take(lane)
    with transaction.atomic():
        lanes.wake(lane)
    assert not lanes.release(claim)
    assert lanes.release(lanes.take(lane))
    assert not lanes.is_awake(lane)


def test_releasing_a_lane_that_another_has_changes_nothing(lane):
    claim = lanes.take(lane)
    Lane.objects.update(token=uuid.uuid4())
    lanes.release(claim)
    assert Lane.objects.get().token is not None


def test_an_arrival_that_commits_during_the_release_is_not_slept_over(lane):
    """The door has counted its arrival but not committed when the worker releases: the worker must see it."""
    claim = lanes.take(lane)
    counted, released = threading.Event(), []

    def door():
        with transaction.atomic():
            lanes.wake(lane)
            counted.set()
            timer.join(1)
        connection.close()

    def worker_releases():
        counted.wait()
        released.append(lanes.release(claim))
        connection.close()

    timer = threading.Thread(target=worker_releases)
    door_thread = threading.Thread(target=door)
    timer.start()
    door_thread.start()
    door_thread.join()
    timer.join()
    assert lanes.is_awake(lane)
    assert released == [False]


def test_who_holds_a_lane_hands_it_on_awake(lane):
    OrmQ.objects.all().delete()
    with lanes.exclusive(lane) as commit:
        assert commit(lambda: "done") == "done"
        assert worker.drain(lane) == "busy"
    assert OrmQ.objects.count() == 1
    assert worker.drain(lane) == "drained"


def test_who_cannot_have_a_lane_in_time_is_told(lane):
    lanes.take(lane)
    with pytest.raises(lanes.LaneBusy), lanes.exclusive(lane, wait_seconds=0.1):
        pass


def test_the_sweep_requeues_a_lane_whose_task_was_lost(lane):
    OrmQ.objects.all().delete()
    sweep.sweep()
    assert OrmQ.objects.count() == 0, "it may just not have been its turn"
    Lane.objects.update(woken_at=timezone.now() - timedelta(minutes=1))
    sweep.sweep()
    assert OrmQ.objects.count() == 1


def test_the_sweep_requeues_a_lane_whose_worker_died(lane):
    lanes.take(lane)
    OrmQ.objects.all().delete()
    Lane.objects.update(
        woken_at=timezone.now() - timedelta(minutes=5), leased_until=timezone.now() - timedelta(seconds=1)
    )
    sweep.sweep()
    assert OrmQ.objects.count() == 1
    assert worker.drain(lane) == "drained"


def test_the_sweep_leaves_no_lane_leased_by_the_dead(lane):
    lanes.release(lanes.take(lane))
    Lane.objects.update(token=uuid.uuid4(), leased_until=timezone.now() - timedelta(seconds=1))
    sweep.sweep()
    assert Lane.objects.get().token is None


def test_a_write_to_stripe_inside_a_transaction_is_an_error(lane, settings):
    claim = lanes.take(lane)
    with pytest.raises(RuntimeError, match="inside a database transaction"):
        write_under(claim, lambda: stripe_client.post("/v1/customers", idempotency_key="1"))


def test_a_queue_outside_the_database_is_told_of_a_lane_after_the_commit_and_of_none_that_rolled_back(monkeypatch):
    told = []
    monkeypatch.setattr("billing.queues.django_q2.Conf.ORM", None)
    monkeypatch.setattr("billing.queues.django_q2.async_task", lambda *task: told.append(task))
    with transaction.atomic():
        lanes.wake("cus_2")
        transaction.set_rollback(True)
    with transaction.atomic():
        lanes.wake("cus_1")
        assert told == []
    assert told == [("billing.events.worker.drain", "cus_1")]


@pytest.fixture
def runs(lane):
    """Run two pieces of work under the lane, each in a savepoint, and count how often the first one ran."""
    claim, ran = lanes.take(lane), []

    def run(second):
        def work():
            outcomes = []
            for number, part in enumerate((lambda: lanes.wake("cus_2"), second)):
                if number == 0:
                    ran.append(number)
                try:
                    with lanes.savepoint():
                        part()
                except (ValueError, IntegrityError) as error:
                    outcomes.append(type(error).__name__)
            return outcomes

        return write_under(claim, work), len(ran)

    return run


def test_what_fails_nowhere_needs_no_savepoint(runs):
    with CaptureQueriesContext(connection) as statements:
        assert runs(lambda: lanes.wake("cus_3")) == ([], 1)
    assert not [found for found in statements.captured_queries if "SAVEPOINT" in found["sql"]]
    assert Lane.objects.filter(pk__in=["cus_2", "cus_3"]).count() == 2


def test_what_fails_is_undone_alone_and_the_rest_is_committed(runs):
    def fail():
        lanes.wake("cus_3")
        raise ValueError

    assert runs(fail) == (["ValueError"], 2)
    assert Lane.objects.filter(pk="cus_2", arrived=1).exists()
    assert not Lane.objects.filter(pk="cus_3").exists()


def test_what_the_database_refuses_is_undone_alone_too(runs):
    assert runs(lambda: Lane.objects.create(pk="cus_1", woken_at=timezone.now())) == (["IntegrityError"], 2)
    assert Lane.objects.filter(pk="cus_2", arrived=1).exists()


def test_work_outside_of_a_lane_has_savepoints_from_the_start(db):
    def fail():
        with lanes.savepoint():
            lanes.wake("cus_3")
            raise ValueError("outside")

    with transaction.atomic():
        with pytest.raises(ValueError, match="outside"):
            fail()
        lanes.wake("cus_2")
    assert list(Lane.objects.order_by("pk").values_list("pk", flat=True)) == ["cus_2"]

"""Only what an app declares is run for a queue."""

import pytest

from billing import lanes, queues
from billing.models import Lane, ScheduledTask
from billing.monitoring import workers
from billing.queues.tasks import UnknownTask

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("task", ["subprocess.check_output", "billing.lanes.wake", "", "billing.events.worker"])
def test_a_message_that_names_another_function_runs_nothing(task):
    with pytest.raises(UnknownTask):
        queues.run(task, "cus_1")
    assert not Lane.objects.exists()


def test_a_declared_task_is_run_with_its_arguments():
    lanes.wake("cus_1")
    queues.run(lanes.claims.DRAIN, "cus_1")
    assert not lanes.is_awake("cus_1")
    assert workers.last_seen() is None, "drains are too many to be noted"


def test_a_task_of_the_schedule_that_ran_shows_that_a_worker_runs_even_if_it_failed(monkeypatch):
    monkeypatch.setattr("billing.events.sweep._wake_due", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        queues.run("billing.events.sweep.sweep")
    assert workers.last_seen() == ScheduledTask.objects.get().ran_at


def test_what_waits_is_returned_for_each_task_in_its_order():
    for key in ("cus_1", "cus_2", "cus_3"):
        lanes.wake(key)
    lanes.take("cus_1")
    assert lanes.waiting(1) == ["cus_2"]
    assert lanes.waiting(9) == ["cus_2", "cus_3"]

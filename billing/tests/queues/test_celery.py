"""Celery for real: `celery worker` and `celery beat` on a Redis, as docs/queues.md sets them up."""

import json

import pytest
from redis import Redis

from billing import lanes, queues
from billing.tests.redis_server import needs_redis

from . import story

pytest.importorskip("celery", reason="no Celery here: pip install celery")
pytestmark = [pytest.mark.django_db(transaction=True), needs_redis]


@pytest.fixture
def celery(project, redis_server):
    project.follow("Celery", redis_server.url)
    from mysite.celery import app

    app.set_default()
    app.set_current()
    return app


@pytest.mark.postgres_only
def test_with_celery_a_purchase_is_applied_once_whatever_happens(world, project, celery, redis_server):
    story.tell(world, project, "worker", "beat", redis_server)


def test_celerys_queue_is_counted_and_one_that_is_away_is_an_error_at_once(celery, redis_server):
    assert queues.waiting() == 0
    lanes.wake("cus_1")
    assert queues.waiting() == 1
    redis_server.stop()
    lanes.wake("cus_2")
    with pytest.raises(queues.BrokerAway):
        queues.waiting()


def test_the_sync_has_its_hour_whatever_limit_the_project_sets_for_tasks(celery, redis_server):
    celery.conf.task_time_limit, celery.conf.task_soft_time_limit = 300, 60
    queues.enqueue("billing.sync.runs.hourly")
    queues.enqueue("billing.events.worker.drain", "cus_1")
    messages = [json.loads(message)["headers"] for message in Redis.from_url(redis_server.url).lrange("celery", 0, -1)]
    limits = {headers["argsrepr"]: headers["timelimit"] for headers in messages}
    assert limits["('billing.sync.runs.hourly',)"] == [3600, 3600]
    # An older Celery leaves the project's own limit to the worker.
    assert limits["('billing.events.worker.drain', 'cus_1')"] in ([300, 60], [None, None])

"""RQ for real: `rq worker` and `rq cron` on a Redis, as docs/queues.md sets them up."""

import pytest

from billing import lanes, queues
from billing.tests.redis_server import needs_redis

from . import story

pytest.importorskip("rq", reason="no RQ here: pip install rq")
pytestmark = [pytest.mark.django_db(transaction=True), needs_redis]


@pytest.fixture
def rq(project, redis_server):
    project.follow("RQ", redis_server.url)


@pytest.mark.postgres_only
def test_with_rq_a_purchase_is_applied_once_whatever_happens(world, project, rq, redis_server):
    story.tell(world, project, "worker", "cron", redis_server)


def test_rqs_queue_is_counted_and_one_that_is_away_is_an_error_at_once(rq, redis_server):
    assert queues.waiting() == 0
    lanes.wake("cus_1")
    assert queues.waiting() == 1
    redis_server.stop()
    lanes.wake("cus_2")
    with pytest.raises(queues.BrokerAway):
        queues.waiting()

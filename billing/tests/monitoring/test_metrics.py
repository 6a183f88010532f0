"""/metrics: what an operator can draw and be woken by."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper as DatabaseWrapper
from django.utils import timezone
from django_q.conf import Conf
from prometheus_client.parser import text_string_to_metric_families

from billing import stripe_client
from billing.models import Lane, StripeEvent, SyncRun
from billing.stripe_client import StripeRefused, call_counts, circuit
from billing.stripe_client.call_counts import Outcome

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def scrape(client):
    def read():
        answer = client.get("/metrics")
        assert answer.status_code == 200, answer.content
        families = text_string_to_metric_families(answer.content.decode())
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    return read


def event(pk, **changes):
    fields = {"type": "invoice.paid", "created": 1, "livemode": False, "lane": "cus_1", "payload": {}}
    return StripeEvent.objects.create(pk=pk, **{**fields, "received_at": timezone.now(), **changes})


def test_nothing_has_happened_yet(scrape):
    found = scrape()
    assert found["billing_oldest_waiting_seconds",] == 0
    assert found["billing_event_lag_seconds_bucket", "+Inf"] == 0
    assert found["billing_stripe_circuit_open",] == 0


def test_events_are_shown_by_type_and_state(scrape):
    long_ago = timezone.now() - timedelta(days=30)
    event("evt_1", received_at=long_ago)
    event("evt_2", received_at=long_ago, status="dead")
    event("evt_3", received_at=long_ago, status="processed")
    event("evt_4", status="processed", type="customer.updated")
    found = scrape()
    assert found["billing_events_waiting", "received", "invoice.paid"] == 1
    assert found["billing_events_dead", "invoice.paid"] == 1
    assert found["billing_events_recent", "processed", "customer.updated"] == 1
    assert ("billing_events_recent", "processed", "invoice.paid") not in found


def test_the_lag_from_receipt_to_effect_is_a_histogram(scrape):
    now = timezone.now()
    for number, seconds in enumerate([0.2, 2, 200]):
        event(f"evt_{number}", received_at=now, processed_at=now + timedelta(seconds=seconds), status="processed")
    found = scrape()
    counted = [found["billing_event_lag_seconds_bucket", le] for le in ("0.1", "0.25", "2.5", "300.0", "+Inf")]
    assert counted == [0, 1, 2, 3, 3]


def test_lanes_waiting_and_held_are_told_apart(scrape):
    Lane.objects.create(key="cus_1", arrived=1, woken_at=timezone.now())
    Lane.objects.create(key="cus_2", arrived=1, woken_at=timezone.now(), token="0" * 32)
    Lane.objects.create(key="cus_3", arrived=1, drained=1, woken_at=timezone.now())
    found = scrape()
    assert (found["billing_lanes_waiting",], found["billing_lanes_held",]) == (1, 1)


def test_calls_to_stripe_are_counted_by_outcome_and_time(world, scrape):
    before = scrape()
    stripe_client.get("/v1/customers")
    with pytest.raises(StripeRefused):
        stripe_client.get("/v1/customers/cus_nobody")
    found = scrape()
    for outcome in ("answered", "refused"):
        key = ("billing_stripe_call_seconds_count", outcome)
        assert found[key] - before.get(key, 0) == 1
        took = ("billing_stripe_call_seconds_sum", outcome)
        assert found[took] > before.get(took, 0)


def test_what_the_processes_count_adds_up(scrape):
    for _ in range(2):
        call_counts.count([Outcome(200, 0.07), Outcome(0, 30)], at_once=True)
    found = scrape()
    assert found["billing_stripe_call_seconds_bucket", "0.05", "answered"] == 0
    assert found["billing_stripe_call_seconds_bucket", "0.1", "answered"] == 2
    assert found["billing_stripe_call_seconds_bucket", "20.0", "failed"] == 0
    assert found["billing_stripe_call_seconds_sum", "failed"] == 60


def test_an_open_circuit_is_seen(scrape):
    circuit.failed(5)
    assert scrape()["billing_stripe_circuit_open",] == 1


def sync(hours, **fields):
    began = timezone.now() - timedelta(hours=hours)
    SyncRun.objects.create(**{"mode": "routine", "status": "done", "started_at": began, "clock_at": began, **fields})


def test_the_drift_of_a_day_is_told_and_how_old_the_last_good_sync_is(scrape):
    assert scrape()["billing_sync_drift", "found"] == 0
    assert ("billing_sync_age_seconds",) not in scrape()
    sync(30, drifted=50, healed=50)
    sync(3, drifted=4, healed=3)
    sync(2, drifted=1, healed=1)
    sync(1, drifted=2, status="failed")
    found = scrape()
    assert (found["billing_sync_drift", "found"], found["billing_sync_drift", "healed"]) == (7, 4)
    assert found["billing_sync_age_seconds",] == pytest.approx(2 * 3600, abs=60)


def test_a_database_that_is_away_leaves_what_the_process_knows_itself(scrape, monkeypatch):
    assert scrape()["billing_up", "database"] == 1

    def away(*args, **kwargs):
        raise OperationalError("gone")

    monkeypatch.setattr(DatabaseWrapper, "cursor", away)
    found = scrape()
    assert (found["billing_up", "database"], found["billing_up", "queue"]) == (0, 0)
    assert found["process_resident_memory_bytes",] > 0
    assert ("billing_oldest_waiting_seconds",) not in found


def test_a_queue_that_is_away_takes_nothing_else_with_it(scrape, monkeypatch):
    monkeypatch.setattr(Conf, "ORM", None)
    monkeypatch.setattr(Conf, "REDIS", "redis://127.0.0.1:9/0")
    found = scrape()
    assert (found["billing_up", "database"], found["billing_up", "queue"]) == (1, 0)
    assert found["billing_oldest_waiting_seconds",] == 0
    assert ("billing_queue_tasks",) not in found


def test_a_scrape_takes_the_same_few_queries_however_much_there_is(client, django_assert_max_num_queries):
    for number in range(30):
        event(f"evt_{number}", status="dead" if number % 2 else "received")
    with django_assert_max_num_queries(19):
        client.get("/metrics")

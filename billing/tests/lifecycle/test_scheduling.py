"""A change for the end of the period is written as two phases, into the schedule that there is or a new one."""

from types import SimpleNamespace

import pytest

from billing.lifecycle import phases, scheduling

FOUND = {"id": "sub_1", "status": "active", "items": {"data": [{"price": {"id": "price_1"}, "quantity": 2}]}}
THEN = [{"price": "price_2", "quantity": 2}]
OWN = {"id": "sched_own", "current_phase": {"start_date": 50}}


@pytest.fixture
def written(monkeypatch):
    calls = []

    def post(path, idempotency_key, **params):
        calls.append((path, idempotency_key, params))
        return {"id": "sched_new", "current_phase": {"start_date": 100}}

    monkeypatch.setattr("billing.stripe_client.post", post)
    return calls


@pytest.mark.parametrize(("schedule", "name", "start"), [(None, "sched_new", 100), (OWN, "sched_own", 50)])
def test_the_items_change_at_the_end_of_the_period_and_nothing_else(written, schedule, name, start):
    now = SimpleNamespace(id="sub_1", found=FOUND, schedule=schedule, period_end=900)
    scheduling.schedule_items(now, "key", THEN)
    made = [("/v1/subscription_schedules", "schedule:key", {"from_subscription": "sub_1"})]
    stays = phases.of_subscription(FOUND)
    last_a_day = {"duration": {"interval": "day", "interval_count": 1}, "proration_behavior": "none"}
    params = {
        "end_behavior": "release",
        "proration_behavior": "none",
        "phases": [{**stays, "start_date": start, "end_date": 900}, {**stays, "items": THEN, **last_a_day}],
    }
    assert written == [*([] if schedule else made), (f"/v1/subscription_schedules/{name}", "phases:key", params)]

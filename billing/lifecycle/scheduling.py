"""A change for the end of the period is a schedule at Stripe of two phases: as it is until then, and from then on."""

from typing import Any

from billing import stripe_client

from . import phases
from .live_subscription import Standing


def schedule_items(now: Standing, key: str, then: list[dict[str, Any]]) -> None:
    """Have the subscription bill other items from the end of its period on, in two calls; `key` makes them once.

    Both phases repeat all that the subscription says, so that only the items change. A try that stops between the
    calls leaves a schedule without a change, which the next try continues. The last phase lasts a day: then Stripe
    releases the subscription, and the portal can manage it again.
    """
    schedule = now.schedule or stripe_client.post(
        "/v1/subscription_schedules", idempotency_key=f"schedule:{key}", from_subscription=now.id
    )
    under_way, now_phase = schedule["current_phase"], phases.of_subscription(now.found)
    stripe_client.post(
        f"/v1/subscription_schedules/{schedule['id']}",
        idempotency_key=f"phases:{key}",
        end_behavior="release",
        proration_behavior="none",
        phases=[
            {**now_phase, "start_date": under_way["start_date"], "end_date": now.period_end},
            {
                **now_phase,
                "items": then,
                "proration_behavior": "none",
                "duration": {"interval": "day", "interval_count": 1},
            },
        ],
    )

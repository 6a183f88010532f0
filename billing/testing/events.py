"""Tests post signed events to the door, and the worker works when it is told to."""

import itertools
import json
from typing import Any

from django.db.models import F
from django.test import Client
from django.utils import timezone

from billing import site
from billing.conf import conf
from billing.events import sign, worker
from billing.models import Lane, StripeEvent

from .examples import example

__all__ = ["assert_all_processed", "deliver", "event", "post", "retry", "sign", "work"]

_numbers = itertools.count(1)


def event(event_type: str, obj: dict[str, Any] | None = None, **overrides: Any) -> dict[str, Any]:
    """Return an event around `obj`, else around an `example` for the type, at the pinned version, as Stripe posts
    it.
    """
    return {
        "id": f"evt_test_{next(_numbers)}",
        "object": "event",
        "type": event_type,
        "api_version": conf.api_version,
        "created": int(timezone.now().timestamp()),
        "livemode": conf.live_mode,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": example(event_type) if obj is None else obj},
        **overrides,
    }


def post(body: bytes, signature: str | None = None, client: Client | None = None) -> Any:
    """Post a body to the door with a good signature, or with the one given; return the response."""
    signature = sign(body, conf.webhook_secrets[0]) if signature is None else signature
    return (client or Client()).post(
        site.without_prefix(site.path_of("stripe_webhook")),
        data=body,
        content_type="application/json",
        headers={"Stripe-Signature": signature},
        secure=True,
    )


def deliver(data: dict[str, Any], client: Client | None = None) -> Any:
    """Sign an event and post it to the door; return the response."""
    return post(json.dumps(data).encode(), client=client)


def work() -> None:
    """Drain every lane that has waiting work, as the worker would."""
    while keys := list(Lane.objects.filter(arrived__gt=F("drained")).values_list("pk", flat=True)):
        for key in keys:
            worker.drain(key)


def retry() -> None:
    """Try at once every event that waits for its next try, as the sweep would when its time has come."""
    waiting = StripeEvent.objects.waiting()
    waiting.update(next_attempt_at=None)
    for lane in set(waiting.values_list("lane", flat=True)):
        worker.drain(lane)


def assert_all_processed() -> None:
    """Raise AssertionError if an event waits or has failed, with its type and error, those of your receivers too."""
    left = StripeEvent.objects.exclude(status__in=[StripeEvent.Status.PROCESSED, StripeEvent.Status.IGNORED])
    told = [f"{row.type} is {row.status}: {row.error_message or 'not applied yet'}" for row in left]
    if told:
        raise AssertionError("\n".join(told))

"""Among all subscriptions that a customer has at Stripe, one counts."""

from typing import Any

from billing import catalogue
from billing.models import Customer, Subscription
from billing.stripe_client import fetch

from . import duplicates

Status = Subscription.Status

LIVE = (Status.ACTIVE, Status.TRIALING, Status.PAST_DUE, Status.UNPAID, Status.PAUSED, Status.INCOMPLETE)


def current_subscription(found: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the subscription that counts: one to a plan of ours first, then by status in the order of `LIVE`.

    Among equals the older counts while live, and the newer once ended. A duplicate never counts.
    """
    too_many = duplicates.duplicates_among(found)
    found = [item for item in found if item not in too_many]
    ours = [item for item in found if catalogue.is_plan(item["items"]["data"])] or found
    live = [item for item in ours if item["status"] in LIVE]
    if live:
        return min(live, key=lambda item: (LIVE.index(Status(item["status"])), item["created"], item["id"]))
    return max(ours, key=lambda item: (item["ended_at"] or 0, item["created"], item["id"]), default=None)


def is_live(customer: Customer, subscription_id: str) -> bool:
    """Return whether Stripe would still bill this subscription, be it the one that counts or not."""
    return any(item["id"] == subscription_id and item["status"] in LIVE for item in fetch.subscriptions(customer.pk))

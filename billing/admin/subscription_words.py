"""The admin shows the status of a subscription in a badge; `billing.access.words` explains the access."""

from typing import Any

from billing.access import Access
from billing.models import Subscription, SubscriptionItem

from . import display

Status = Subscription.Status

KIND_OF_BADGE = {
    Status.NONE: "quiet",
    Status.INCOMPLETE: "waiting",
    Status.INCOMPLETE_EXPIRED: "quiet",
    Status.TRIALING: "good",
    Status.ACTIVE: "good",
    Status.PAST_DUE: "bad",
    Status.UNPAID: "dead",
    Status.PAUSED: "waiting",
    Status.CANCELED: "quiet",
}


def status_badge(status: str) -> Any:
    known = Status(status)
    return display.badge(known.label.lower().replace("_", " "), KIND_OF_BADGE[known])


WHOSE = {
    Subscription.Whose.OURS: ("ours", "quiet"),
    Subscription.Whose.UNKNOWN: ("unknown price", "bad"),
    Subscription.Whose.FOREIGN: ("another product", "quiet"),
}


def whose_badge(row: Subscription) -> Any:
    words, kind = WHOSE[Subscription.Whose(row.whose)]
    return display.badge(words, kind)


def item_in_words(item: SubscriptionItem) -> str:
    """Return what an item bills: "2 × 20.00 USD per month, price_1"."""
    amount = display.amount(item.unit_amount, item.currency) or "by tiers or use"
    every = item.interval if item.interval_count == 1 else f"{item.interval_count} {item.interval}s"
    times = f"{item.quantity} × " if item.quantity not in (None, 1) else ""
    return f"{times}{amount} per {every}, {item.price or item.add_on_price or item.stripe_price}"


def access_badge(access: Access) -> Any:
    kind = "good" if access.has_access else "bad"
    if access.reason == "grace":
        kind = "waiting"
    return display.badge("access" if access.has_access else "no access", kind)

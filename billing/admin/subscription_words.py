"""The admin shows the status of a subscription in a badge; `billing.access.words` explains the access."""

from typing import Any

from billing.access import Access
from billing.models import Subscription

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


def access_badge(access: Access) -> Any:
    kind = "good" if access.has_access else "bad"
    if access.reason == "grace":
        kind = "waiting"
    return display.badge("access" if access.has_access else "no access", kind)

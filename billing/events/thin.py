"""A thin event says that something happened to an object, without the object; what it is about is asked for later.

Of the thin events we hear those of meters, which have no other form. A second destination at Stripe sends them to the
same door. The ledger keeps them in the form of the others, so that whoever reads events reads these too.
"""

from datetime import datetime
from typing import Any

from billing import usage

KIND = "v2.core.event"
METER_ERRORS = usage.meter_errors.TYPES
NO_EFFECT = "No effect: it refuses no usage report of ours."


def is_thin(data: Any) -> bool:
    return isinstance(data, dict) and data.get("object") == KIND


def as_event(data: dict[str, Any]) -> dict[str, Any]:
    """Return a thin event in the form of the others: the object has only its kind and id. What is missing or of another
    type is left so, and refused as in others."""
    related = data.get("related_object")
    related = related if isinstance(related, dict) else {}
    kind = {"object": related.get("type"), "id": related.get("id")} if related else {"object": "billing.meter"}
    told = {name: data.get(name) for name in ("id", "type", "livemode")}
    account = data.get("context") if isinstance(data.get("context"), str) else ""
    return {**told, "object": "event", "created": _seconds(data.get("created")), "account": account,
            "data": {"object": kind}, "is_thin": True}  # fmt: skip


def _seconds(created: Any) -> int | None:
    try:
        return int(datetime.fromisoformat(created).timestamp())
    except (TypeError, ValueError, OverflowError):
        return None


def apply(event_id: str) -> str:
    """Ask for the event of a meter, and refuse the usage reports that it names. Returns a note where there are none."""
    return "" if usage.meter_errors.hear(event_id) else NO_EFFECT

"""An event destination at Stripe sends the thin events that we hear to our webhook endpoint: error reports of meters,
which have no other form. It is needed where a plan prices use beyond its limit.
"""

import hashlib
import json
from typing import Any

from billing import stripe_client
from billing.lifecycle.portal import MARK
from billing.models import OveragePrice
from billing.stripe_client import StripeRefused, readers
from billing.usage import meter_errors

DESTINATIONS = "/v2/core/event_destinations"
NAME = "Meter errors, to billing"
PLACE = "STRIPE_WEBHOOK_SECRETS (in the environment STRIPE_WEBHOOK_SECRET, after a comma)"
ADDRESS = "webhook_endpoint.url"
SECRET = "webhook_endpoint.signing_secret"  # noqa: S105  the name of a field


def is_needed() -> bool:
    return OveragePrice.objects.filter(is_current=True).exists()


def at(url: str) -> list[dict[str, Any]]:
    """Return the destinations of thin events that lead to our address, ours first."""
    rows = stripe_client.get(DESTINATIONS, limit=100, include=[ADDRESS])["data"]
    here = [row for row in rows if row["event_payload"] == "thin" and _address(row) == url]
    return sorted(here, key=lambda row: (not is_ours(row), row["id"]))


def is_ours(row: dict[str, Any]) -> bool:
    return bool(readers.metadata_of(row).get(MARK))


def is_right(row: dict[str, Any]) -> bool:
    """Return whether a destination, whoever made it, sends all thin events that we hear."""
    return row["status"] == "enabled" and not lacks(row)


def lacks(row: dict[str, Any]) -> frozenset[str]:
    """Return the types that we hear and the destination does not send."""
    sent = set(row["enabled_events"])
    return frozenset() if "*" in sent else meter_errors.TYPES - sent


def make(url: str) -> str:
    """Make the destination, and return its secret with where to put it. Stripe answers a known key with what it made
    then, even if that is deleted, so the next key asks anew."""
    params = {
        "name": NAME,
        "type": "webhook_endpoint",
        "event_payload": "thin",
        "enabled_events": sorted(meter_errors.TYPES),
        "webhook_endpoint": {"url": url},
        "include": [SECRET],
        "metadata": {MARK: "thin"},
    }
    key = _key("make", params)
    while True:
        made = stripe_client.post(DESTINATIONS, idempotency_key=key, **params)
        if _exists(made["id"]):
            secret = made["webhook_endpoint"]["signing_secret"]
            return f"Secret of the event destination, shown only once: {secret}\nPut it into {PLACE}, beside the other."
        key = f"{key}:after:{made['id']}"


def mend(row: dict[str, Any]) -> str:
    """Enable our destination, and have it send what it lacks beside what it sends."""
    path = f"{DESTINATIONS}/{row['id']}"
    if lacks(row):
        events = sorted({*row["enabled_events"], *meter_errors.TYPES})
        stripe_client.post(path, idempotency_key=_key("events", row["id"], row["updated"]), enabled_events=events)
    if row["status"] != "enabled":
        stripe_client.post(f"{path}/enable", idempotency_key=_key("enable", row["id"], row["updated"]))
    return ""


def _address(row: dict[str, Any]) -> str:
    return str((row.get("webhook_endpoint") or {}).get("url") or "").rstrip("/")


def _exists(destination: str) -> bool:
    try:
        stripe_client.get(f"{DESTINATIONS}/{destination}")
    except StripeRefused as error:
        if error.code in {"resource_missing", "not_found"}:
            return False
        raise
    return True


def _key(*what: Any) -> str:
    """Return an idempotency key: the same change at the same state of the account is the same write."""
    return f"setup:thin:{hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]}"

"""The ledger records each event before Stripe is answered, whether the webhook, the sync or a replay brings it."""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from billing import lanes, stripe_account
from billing.catalogue import refreshing
from billing.conf import conf
from billing.models import Lane, StripeEvent
from billing.stripe_client import id_of

from . import placement, thin
from .event_types import EVENT_TYPES
from .parsing import Event

Status = StripeEvent.Status

# The door locks a lane and then only rows it makes itself; the worker stamps events and then locks its lane. So neither
# waits for the other in a circle: a known event's delivery is counted by a statement of its own, under no lane's lock.
TABLE = StripeEvent._meta.db_table
INSERT = """
INSERT INTO {table} (id, type, created, status, error_message, received_at, livemode, api_version, object_id,
                           lane, source, payload, verified_by, attempts, deliveries)
SELECT %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 1 {where}
ON CONFLICT (id) DO NOTHING
RETURNING 1
"""
COUNT_DELIVERY = f"UPDATE {TABLE} SET deliveries = deliveries + 1 WHERE id = %s RETURNING 1"
STORE = INSERT.format(table=TABLE, where="WHERE true")
STORE_ON_AWAKE_LANE = f"""
WITH known AS (SELECT 1 FROM {TABLE} WHERE id = %s),
     awake AS (UPDATE {Lane._meta.db_table} SET arrived = arrived + 1
               WHERE key = %s AND arrived > drained AND NOT EXISTS (SELECT 1 FROM known) RETURNING 1),
     stored AS ({INSERT.format(table=TABLE, where="FROM awake")})
SELECT EXISTS (SELECT 1 FROM known), EXISTS (SELECT 1 FROM stored)
"""


def record(event: Event, source: str = StripeEvent.Source.WEBHOOK, verified_by: str = "") -> str:
    """Store an event and wake its lane, in one transaction; `verified_by` is the fingerprint of the secret that signed
    it.

    Returns "received", "duplicate" (only its delivery is counted) or "ignored" (stored, never processed).
    """
    reason = why_ignored(event)
    status = Status.RECEIVED if reason is None else Status.IGNORED
    lane = lane_of(event.type, event.object, event.previous)
    values = [event.id, event.type, event.created, status.value, reason or "", timezone.now(), event.livemode]
    values += [event.api_version, event.object_id, lane, source, event.text, verified_by]
    is_new = _store_on_lane(lane, values) if reason is None else bool(_execute(STORE, values))
    if not is_new:
        _execute(COUNT_DELIVERY, values[:1])
        return "duplicate"
    return "received" if reason is None else "ignored"


def lane_of(event_type: str, obj: dict[str, Any], previous: dict[str, Any]) -> str:
    """Return the customer's id; else the payment intent's, charge's or invoice's, until the worker knows the
    customer. Prices and products have a lane of their own.
    """
    if obj.get("object") in refreshing.KINDS:
        return refreshing.LANE
    if obj.get("object") == "customer":
        return id_of(obj.get("id")) or event_type
    customer = id_of(obj.get("customer")) or id_of(previous.get("customer"))
    if customer:
        return customer
    if obj.get("object") in placement.WITHOUT_CUSTOMER:
        names = placement.names_of(obj)
        return placement.customer_known_by(names) or next((name for name in names if name), event_type)
    return id_of(obj.get("id")) or event_type


def why_ignored(event: Event) -> str | None:
    """Return None for an event that we process; else the sentence that staff read, empty for a type we do not listen
    to.
    """
    if event.livemode != conf.live_mode:
        ours, theirs = ("live", "test") if conf.live_mode else ("test", "live")
        return f"A {theirs} mode event, and this project runs in {ours} mode: never processed."
    if event.account and _is_connected(event.account):
        return f"An event of the connected account {event.account}, whose customers are not ours: never processed."
    return None if event.type in EVENT_TYPES or event.type in thin.METER_ERRORS else ""


def _is_connected(account: str) -> bool:
    """Return whether an event's account is another one than ours. Events of ours seldom name it; while ours is not
    known, the worker finds out by the customer."""
    return stripe_account.known() not in ("", account)


def _store_on_lane(lane: str, values: list[Any]) -> bool:
    """Store an event and wake its lane; False for one we have.

    In a burst most events find their lane awake, where nothing is to be queued: there PostgreSQL does all of it in one
    statement, which is its own transaction, in place of four round trips.
    """
    if connection.vendor == "postgresql":
        is_known, is_stored = _execute(STORE_ON_AWAKE_LANE, [values[0], lane, *values])
        if is_known or is_stored:
            return bool(is_stored)
    with transaction.atomic():
        lanes.wake(lane)
        is_new = bool(_execute(STORE, values))
        transaction.set_rollback(not is_new)
    return is_new


def _execute(statement: str, values: list[Any]) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


def mark_handled(event_ids: list[str]) -> int:
    """Mark failed or dead events as handled, as staff say; return how many were failed or dead.

    They are dead from then on, tried no more and no alarm: only a replay takes that back.
    """
    gone_wrong = StripeEvent.objects.filter(pk__in=event_ids, status__in=[Status.FAILED, Status.DEAD], handled_at=None)
    with transaction.atomic():
        found = list(gone_wrong.locked().values_list("pk", flat=True))
        changes = {"status": Status.DEAD, "handled_at": timezone.now(), "next_attempt_at": None}
        return StripeEvent.objects.filter(pk__in=found).update(**changes)


def replay(event_ids: list[str]) -> int:
    """Set events to go through their lane again, whatever became of them; return how many.

    Their effects stay once only: facts and mails have unique keys. Pruned events are never replayed, nor are those of
    the other mode.
    """
    with transaction.atomic():
        heard = EVENT_TYPES | thin.METER_ERRORS
        events = StripeEvent.objects.filter(pk__in=event_ids, livemode=conf.live_mode, type__in=heard).exclude(
            payload={}
        )
        found = list(events.locked().values_list("pk", "lane"))
        StripeEvent.objects.filter(pk__in=[pk for pk, _ in found]).update(
            status=Status.RECEIVED,
            source=StripeEvent.Source.REPLAY,
            attempts=0,
            next_attempt_at=None,
            error_message="",
            handled_at=None,
        )
        lanes.wake_all(lane for _, lane in found)
    return len(found)

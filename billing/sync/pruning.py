"""Pruning makes old events small: the payload goes first; the id stays, so that a late duplicate is recognised."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from djstripe.models import Event as DjstripeEvent

from billing import clock
from billing.models import KeyedUse, StripeEvent

PORTION = 500
PAUSE_SECONDS = 0.02
# Stripe keeps events for 30 days and sends none again after that; a year leaves room for restored backups.
IDS_ARE_KEPT = timedelta(days=365)
EMPTY: dict[str, Any] = {}


@dataclass
class Pruned:
    payloads: int = 0
    ids: int = 0
    freed_bytes: int = 0
    keys: int = 0


def prune(older_than: timedelta, tick: Callable[[Pruned], None] = lambda pruned: None) -> Pruned:
    """Empty the payloads of events that were done with long enough ago; forget events and keys of uses of a year ago.

    In short transactions with a pause between them: the door waits for none of them.
    What waits or failed stays, and what died until staff calls it handled.
    """
    pruned, now = Pruned(), timezone.now()
    old = StripeEvent.objects.done().filter(received_at__lt=now - older_than)
    for ids in _portions(old.exclude(payload=EMPTY)):
        payloads, freed_bytes = _empty(ids)
        pruned.payloads += payloads
        pruned.freed_bytes += freed_bytes
        tick(pruned)
    for ids in _portions(old.filter(received_at__lt=now - max(older_than, IDS_ARE_KEPT))):
        pruned.ids += StripeEvent.objects.done().filter(pk__in=ids).delete()[0]
        tick(pruned)
    settled = KeyedUse.objects.filter(lapses_at=None, made_at__lt=clock.now() - max(older_than, IDS_ARE_KEPT))
    while rows := list(settled.values_list("pk", flat=True)[:PORTION]):
        pruned.keys += KeyedUse.objects.filter(pk__in=rows).delete()[0]
        time.sleep(PAUSE_SECONDS)
    return pruned


def _portions(events: QuerySet[StripeEvent]) -> Iterator[list[str]]:
    """Yield the ids in portions, the oldest first; each portion begins where the last one ended."""
    rest = events.order_by("received_at")
    while rows := list(rest.values_list("pk", "received_at")[:PORTION]):
        yield [pk for pk, _ in rows]
        rest = rest.filter(received_at__gte=rows[-1][1])
        time.sleep(PAUSE_SECONDS)


def _empty(ids: list[str]) -> tuple[int, int]:
    """Empty these payloads and delete dj-stripe's copies; return how many events, and how many bytes of JSON.

    An event that staff have just asked to process again is no longer done, so it stays.
    """
    size = "pg_column_size(payload)" if connection.vendor == "postgresql" else "length(payload)"
    with transaction.atomic():
        still = list(StripeEvent.objects.done().locked().filter(pk__in=ids).values_list("pk", flat=True))
        if not still:
            return 0, 0
        with connection.cursor() as cursor:
            names = ", ".join(["%s"] * len(still))
            events = StripeEvent._meta.db_table
            cursor.execute(f"SELECT coalesce(sum({size}), 0) FROM {events} WHERE id IN ({names})", still)  # noqa: S608
            freed = int(cursor.fetchone()[0])
        StripeEvent.objects.filter(pk__in=still).update(payload=EMPTY, failures=None)
        DjstripeEvent.objects.filter(id__in=still).delete()
    return len(still), freed

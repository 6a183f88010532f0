"""A use that fits in what was decided for the use before it is counted by one statement, which checks that it holds.

What a counter keeps, the limit and until when it holds by time, is true as long as no change of access was noted since:
`AccessChange` has a row for each, added in the transaction that makes the change. The number of rows and the sum of
their ids are compared; together they can't be the same for other rows, since rows are deleted only when they are older
than any transaction. Nothing is kept for who has credits, nor where BILLING_ACCESS_RULE decides too.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from billing import clock
from billing.conf import conf
from billing.models import AccessChange, Usage

from .allowances import Allowance
from .quotas import Quota

KEPT_FOR = timedelta(minutes=10)
NOTED = frozenset({"postgresql", "sqlite"})
FORGOTTEN_AFTER = timedelta(hours=1)
AT_ONCE = 1000

Seen = tuple[int, int]


def count(subscriber: Any, feature: str, quantity: int) -> Quota | None:
    """Count by what was kept; None if nothing is kept that holds, or if the use doesn't fit in it."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor not in NOTED or conf.access_rule:
        return None
    column: Any = Usage._meta.get_field("subscriber")
    now = connection.ops.adapt_datetimefield_value(clock.now())
    whose = column.get_db_prep_value(subscriber.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(_statement(), [quantity, whose, feature, now, now, quantity])
        found = cursor.fetchone()
    if found is None:
        return None
    used, limit, resets_at = found
    return Quota(used, limit, _moment(resets_at))


def _statement() -> str:
    usage, changes = Usage._meta.db_table, AccessChange._meta.db_table
    whose = f"'{AccessChange.SUBSCRIBER}' || CAST({usage}.subscriber_id AS TEXT)"
    return f"""UPDATE {usage} SET used = used + %s WHERE subscriber_id = %s AND feature = %s
        AND kept_from <= %s AND kept_until > %s AND (kept_limit IS NULL OR used + %s <= kept_limit)
        AND (kept_changes, kept_sum) = (
            SELECT COUNT(*), COALESCE(SUM(id), 0) FROM {changes} WHERE key IN ('{AccessChange.CATALOGUE}', {whose})
        ) RETURNING used, kept_limit, kept_resets_at"""  # noqa: S608 (names of ours)


def _moment(value: Any) -> datetime:
    """Return a moment as the database gives it: SQLite has text in UTC."""
    return datetime.fromisoformat(value).replace(tzinfo=UTC) if isinstance(value, str) else value.astimezone(UTC)


def seen(subscriber: Any) -> Seen:
    """Return which changes there are; ask before reading what access is decided by."""
    column: Any = Usage._meta.get_field("subscriber")
    connection = connections[DEFAULT_DB_ALIAS]
    changes = AccessChange._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT COUNT(*), COALESCE(SUM(id), 0) FROM {changes} WHERE key IN "  # noqa: S608 (names of ours)
            f"('{AccessChange.CATALOGUE}', '{AccessChange.SUBSCRIBER}' || CAST(%s AS TEXT))",
            [column.get_db_prep_value(subscriber.pk, connection)],
        )
        number, total = cursor.fetchone()
    return int(number), int(total)


def keep(row: Usage, granted: Allowance, quota: Quota, known: Seen) -> None:
    """Keep what was decided, for the next use, unless credits or the project's rule have a say."""
    if quota.credits or conf.access_rule or connections[DEFAULT_DB_ALIAS].vendor not in NOTED:
        return
    now = clock.now()
    until = min([now + KEPT_FOR, *(end for end in granted.ends if end > now)])
    Usage.objects.filter(subscriber=row.subscriber, feature=row.feature, period_start=row.period_start).update(
        kept_from=now,
        kept_until=until,
        kept_limit=quota.limit,
        kept_resets_at=quota.resets_at,
        kept_changes=known[0],
        kept_sum=known[1],
    )


def hourly() -> str:
    """Delete what was noted longer ago than any transaction lasts. Returns a summary for the queue."""
    old = AccessChange.objects.filter(at__lt=timezone.now() - FORGOTTEN_AFTER).order_by("pk")
    deleted = 0
    while portion := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        deleted += AccessChange.objects.filter(pk__in=portion).delete()[0]
    return f"{deleted} changes of access forgotten"

"""A use that fits in what was decided for the use before it is counted by one statement, which checks that it holds.

What a counter keeps, the limit and until when it holds by time, is true as long as no change of access was noted since:
`AccessChange` has a row for each, added in the transaction that makes the change. The number of rows and the sum of
their ids are compared; together they can't be the same for other rows, since rows are deleted only when they are older
than any transaction. Nothing is kept where BILLING_ACCESS_RULE decides too.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.utils import timezone

from billing import clock
from billing.conf import conf
from billing.models import AccessChange, Subscription, Usage

from .allowances import Allowance
from .quotas import Quota

KEPT_FOR = timedelta(minutes=10)
NOTED = frozenset({"postgresql", "sqlite"})
FORGOTTEN_AFTER = timedelta(hours=1)
AT_ONCE = 1000

Seen = tuple[int, int]


@dataclass(frozen=True)
class Counted:
    """A use was counted by what was kept, in the month that began at `period_start`."""

    quota: Quota
    period_start: datetime


def count(subscriber: Any, feature: str, quantity: int) -> Counted | None:
    """Count by what was kept; None if nothing is kept that holds, if the use doesn't fit in it, or beside credits,
    whose balance is to be told."""
    now = _now()
    found = _asked(
        f"""UPDATE {Usage._meta.db_table} SET used = used + %s
        WHERE {_holds()} AND (kept_limit IS NULL OR used + %s <= kept_limit) AND NOT kept_credits
        RETURNING used, kept_limit, kept_resets_at, overage, period_start""",  # noqa: S608 (names of ours)
        [quantity, *_which(subscriber, feature), now, now, quantity],
    )
    if found is None:
        return None
    used, limit, resets_at, over, period_start = found
    return Counted(Quota(used, limit, _moment(resets_at), overage=over), _moment(period_start))


def standing(subscriber: Any, feature: str) -> Allowance | None:
    """Return what was kept of one feature, for a use that doesn't fit in its limit; None if nothing holds."""
    now = _now()
    found = _asked(
        f"""SELECT kept_limit, kept_resets_at, period_start, kept_billing FROM {Usage._meta.db_table}
        WHERE {_holds()} AND kept_billing IS NOT NULL""",  # noqa: S608 (names of ours)
        [*_which(subscriber, feature), now, now],
    )
    if found is None:
        return None
    limit, resets_at, period_start, billing = found
    period = _moment(period_start), _moment(resets_at)
    bills = Subscription.objects.filter(stripe_id=billing).first() if billing else None
    return Allowance(None, *period, {feature: limit}, {feature: period}, overage={feature: bills} if bills else {})


def _holds() -> str:
    """Return the condition on a counter that what it keeps is true now."""
    usage, changes = Usage._meta.db_table, AccessChange._meta.db_table
    whose = f"'{AccessChange.SUBSCRIBER}' || CAST({usage}.subscriber_id AS TEXT)"
    return f"""subscriber_id = %s AND feature = %s AND kept_from <= %s AND kept_until > %s
        AND (kept_changes, kept_sum) = (
            SELECT COUNT(*), COALESCE(SUM(id), 0) FROM {changes} WHERE key IN ('{AccessChange.CATALOGUE}', {whose})
        )"""  # noqa: S608 (names of ours)


def _which(subscriber: Any, feature: str) -> list[Any]:
    column: Any = Usage._meta.get_field("subscriber")
    return [column.get_db_prep_value(subscriber.pk, connections[DEFAULT_DB_ALIAS]), feature]


def _now() -> Any:
    return connections[DEFAULT_DB_ALIAS].ops.adapt_datetimefield_value(clock.now())


def _asked(statement: str, values: list[Any]) -> Any:
    """Return the row that a statement finds; None where nothing is kept."""
    connection = connections[DEFAULT_DB_ALIAS]
    if connection.vendor not in NOTED or conf.access_rule:
        return None
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()


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
    """Keep what was decided, for the next use, unless the project's rule has a say."""
    if conf.access_rule or connections[DEFAULT_DB_ALIAS].vendor not in NOTED:
        return
    now = clock.now()
    until = min([now + KEPT_FOR, *(end for end in granted.ends if end > now)])
    Usage.objects.filter(subscriber=row.subscriber, feature=row.feature, period_start=row.period_start).update(
        kept_from=now,
        kept_until=until,
        kept_limit=quota.limit,
        kept_resets_at=quota.resets_at,
        kept_credits=quota.credits > 0,
        kept_billing=_billing(row, granted),
        kept_changes=known[0],
        kept_sum=known[1],
    )


def _billing(row: Usage, granted: Allowance) -> str | None:
    """Return what bills use beyond the limit, "" if nothing does; None if that hangs on other features too."""
    if granted.withholds_credits:
        return None
    if not granted.overage:
        return ""
    others = Usage.objects.filter(subscriber=row.subscriber, has_overage=True).exclude(feature=row.feature)
    if len(granted.overage) > 1 or others.exists():
        return None
    bills = granted.overage.get(row.feature)
    return bills.stripe_id if bills else ""


def hourly() -> str:
    """Delete what was noted longer ago than any transaction lasts. Returns a summary for the queue."""
    old = AccessChange.objects.filter(at__lt=timezone.now() - FORGOTTEN_AFTER).order_by("pk")
    deleted = 0
    while portion := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        deleted += AccessChange.objects.filter(pk__in=portion).delete()[0]
    return f"{deleted} changes of access forgotten"

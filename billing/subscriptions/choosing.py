"""In each line one subscription counts: the one that gives most from now on.

It has access today rather than not, goes on rather than ends on a scheduled day, is to the higher plan, and is the
newest. Where none gives access, one that lives is shown before one that has ended.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from billing import access, clock
from billing.access import AccessFacts
from billing.models import Subscription

Status = Subscription.Status

LIVE = (Status.ACTIVE, Status.TRIALING, Status.PAST_DUE, Status.UNPAID, Status.PAUSED, Status.INCOMPLETE)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def mark_counting(rows: Iterable[Subscription], too_many: frozenset[str] = frozenset()) -> None:
    """Set `counts` of a customer's rows. A duplicate, whose id is among `too_many`, never counts; nor does one for
    another product.
    """
    at, lines = clock.now(), dict[str, list[Subscription]]()
    for row in rows:
        row.counts = False
        if not row.is_foreign and row.stripe_id not in too_many:
            lines.setdefault(row.line, []).append(row)
    for of_line in lines.values():
        max(of_line, key=lambda row: _worth(row, at)).counts = True


def _worth(row: Subscription, at: datetime) -> tuple[object, ...]:
    """Return what a row is worth, to be compared: more is better."""
    rank = row.plan.rank if row.plan else -1
    newest = (row.started_at or NEVER, row.stripe_id)
    if access.decide(AccessFacts(row), at).has_access:
        is_healthy = row.status in (Status.ACTIVE, Status.TRIALING)
        return (True, row.cancel_at is None, rank, not row.is_free, is_healthy, *newest)
    if row.status in LIVE:
        return (False, True, -LIVE.index(Status(row.status)), rank, False, *newest)
    return (False, False, 0, 0, False, row.ended_at or NEVER, *newest)

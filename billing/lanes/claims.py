"""A lane lets one worker at a time change one customer's state.

A lane is claimed by a conditional UPDATE that sets token and lease, with no transaction open. Work under the lane
commits in a transaction whose last UPDATE matches the token: a worker that lost the lane meanwhile changes nothing.
A lane is put to sleep only if nothing has arrived since it was claimed. All code that writes a subscriber's state
takes the lane: the worker by `take`, all other code by `exclusive`.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from structlog.contextvars import bound_contextvars

from billing import queues, stripe_client
from billing.conf import conf
from billing.models import Customer, Lane
from billing.stripe_client import NotFetched, Reads

T = TypeVar("T")

log = logging.getLogger(__name__)

COLLISIONS = frozenset({"40001", "40P01"})  # serialization failure, deadlock

# The worker stands some floors above this room, so the queue is told its name.
DRAIN = "billing.events.worker.drain"

TABLE = Lane._meta.db_table
WAKE = f"""
INSERT INTO {TABLE} (key, arrived, drained, woken_at) VALUES (%s, 1, 0, %s)
ON CONFLICT (key) DO UPDATE SET
    arrived = {TABLE}.arrived + 1,
    woken_at = CASE WHEN {TABLE}.arrived = {TABLE}.drained THEN excluded.woken_at
                    ELSE {TABLE}.woken_at END
RETURNING arrived - drained
"""  # noqa: S608


_held: ContextVar[frozenset[str]] = ContextVar("billing_lanes_held", default=frozenset())
_has_savepoints: ContextVar[bool] = ContextVar("billing_lanes_has_savepoints", default=True)


class LaneBusy(Exception):
    """Another worker has the lane for longer than we can wait."""


class LaneLost(LaneBusy):
    """Our lease ran out and another worker took the lane over: our transaction is rolled back."""


class _SavepointsWanted(BaseException):
    """Something failed in a transaction without savepoints: roll back, and begin again with them.

    Not an `Exception`: nobody between here and `commit_under` can go on in this transaction.
    """


@dataclass(frozen=True)
class Claim:
    """A claim says that we have the lane. `arrived` counts how often the lane had been woken when we took it."""

    key: str
    token: uuid.UUID
    arrived: int

    def mine(self) -> "Q":
        return Q(pk=self.key, token=self.token)


def wake(key: str) -> None:
    """Count an arrival on the lane, and queue a drain if the lane was asleep. Call this in the transaction that gave
    it work.
    """
    with connection.cursor() as cursor:
        cursor.execute(WAKE, [key, timezone.now()])
        was_asleep = cursor.fetchone()[0] == 1
    if was_asleep:
        queue_drain(key)


def wake_all(keys: Iterable[str]) -> None:
    """Wake several lanes in one transaction, in the order that everybody keeps, so that no two wait for each other."""
    for key in sorted(set(keys)):
        wake(key)


def queue_drain(key: str) -> None:
    """Queue a drain of the lane. If the broker is away, the sweep finds the lane."""
    queues.enqueue(DRAIN, key)


@contextmanager
def exclusive(key: str, wait_seconds: float = 3.0) -> Iterator[Callable[[Callable[[], T]], T]]:
    """Take the lane lock for work other than events, and yield a function that commits work under it.

    The work may read Stripe through `stripe_client.fetch` and is run again until all it reads has been fetched outside
    the transaction. Raises LaneBusy, StripeUnavailable; nothing is changed then.
    """
    claim = _take_within(key, wait_seconds)
    try:
        with bound_contextvars(lane=key), stripe_client.drain_reads() as reads:
            yield lambda work: commit_under(claim, reads, work)
    finally:
        let_go(claim)
        if is_awake(key):
            queue_drain(key)


def run_in_lane_of(subscriber: Any, work: Callable[[], T]) -> T:
    """Run `work` under the lane lock: in the transaction that has a lane of the subscriber already, such as of a
    receiver, else in one of its own. Raises LaneBusy.

    A receiver may be in the lane of an earlier customer. It does not wait for another lane with a transaction open.
    """
    if (held := _held.get()) and held & _lanes_of(subscriber):
        return work()
    with exclusive(lane_of(subscriber)) as commit:
        return commit(work)


def lane_of(subscriber: Any) -> str:
    """Return the lane of a subscriber's state: that of their Stripe customer, or one of their own without a customer.

    Nothing moves when the first customer is made: a lane only keeps two from writing at the same time.
    """
    customer = Customer.objects.of(subscriber, deleted_too=True)
    return customer.pk if customer else f"subscriber:{subscriber.pk}"


def _lanes_of(subscriber: Any) -> frozenset[str]:
    return frozenset([lane_of(subscriber), *Customer.objects.all_of(subscriber).values_list("pk", flat=True)])


@contextmanager
def _holding(key: str) -> Iterator[None]:
    token = _held.set(_held.get() | {key})
    try:
        yield
    finally:
        _held.reset(token)


def commit_under(claim: Claim, reads: Reads, work: Callable[[], T], *, has_savepoints: bool = False) -> T:
    """Run `work` in one transaction that commits only while the lane is ours.

    What it reads of Stripe and was not fetched before is fetched after a rollback, and `work` starts again. So it does
    where it met another transaction in a deadlock, and where something failed in a `savepoint`. `has_savepoints`: it is
    likely to fail, so they are made from the start.
    """
    while True:
        try:
            with _savepoints(has_savepoints), transaction.atomic(), reads.sealed():
                reads.begin()
                with _holding(claim.key):
                    result = work()
                if not Lane.objects.filter(claim.mine()).update(token=claim.token):
                    raise LaneLost(claim.key)
            return result
        except NotFetched as missing:
            reads.fetch(missing.request)
        except _SavepointsWanted:
            has_savepoints = True
        except OperationalError as error:
            if not is_collision(error):
                raise
            log.info("collided, begun again", extra={"lane": claim.key})


@contextmanager
def savepoint() -> Iterator[None]:
    """Undo what is done inside if it fails, and leave the rest of the transaction as it is.

    Nearly always nothing fails. So `commit_under` runs its work without savepoints first, two statements less for each,
    and runs it again with them if something fails inside one. Anywhere else this is `transaction.atomic`.
    """
    if _has_savepoints.get():
        with transaction.atomic():
            yield
        return
    try:
        yield
    except Exception as error:
        if isinstance(error, OperationalError) and is_collision(error):
            raise
        raise _SavepointsWanted from error


@contextmanager
def _savepoints(are_made: bool) -> Iterator[None]:
    token = _has_savepoints.set(are_made)
    try:
        yield
    finally:
        _has_savepoints.reset(token)


def is_collision(error: OperationalError) -> bool:
    """Return whether PostgreSQL rolled us back in favour of another transaction: the same work may succeed at once.

    Lanes share no row of ours, but they share what is not of one customer: dj-stripe's products and prices, or tables
    of the host project.
    """
    return getattr(error.__cause__, "sqlstate", None) in COLLISIONS


def take(key: str) -> Claim | None:
    """Claim a lane that no worker has, or whose lease is over; return None while another worker has it."""
    token, now = uuid.uuid4(), timezone.now()
    is_free = Q(token=None) | Q(leased_until__lt=now)
    if not Lane.objects.filter(is_free, pk=key).update(token=token, leased_until=now + conf.lease):
        return None
    arrived = Lane.objects.filter(pk=key, token=token).values_list("arrived", flat=True).first()
    return None if arrived is None else Claim(key, token, arrived)


def release(claim: Claim) -> bool:
    """Release a drained lane and let it sleep; return False if it was woken again meanwhile, or is no longer ours."""
    asleep = Lane.objects.filter(claim.mine(), arrived=claim.arrived)
    if asleep.update(token=None, leased_until=None, drained=claim.arrived):
        return True
    return not Lane.objects.filter(claim.mine()).update(token=None, leased_until=None)


def let_go(claim: Claim) -> None:
    """Release the lane, but leave it marked as having work."""
    Lane.objects.filter(claim.mine()).update(token=None, leased_until=None)


def renew(claim: Claim) -> None:
    """Renew the lease before more work. Raises LaneLost."""
    if not Lane.objects.filter(claim.mine()).update(leased_until=timezone.now() + conf.lease):
        raise LaneLost(claim.key)


def waiting(most: int) -> list[str]:
    """Return the lanes with waiting work that no worker holds, first those that have waited longest."""
    is_free = Q(token=None) | Q(leased_until__lt=timezone.now())
    free = Lane.objects.filter(is_free).exclude(arrived=F("drained")).order_by("woken_at")
    return list(free.values_list("pk", flat=True)[:most])


def is_awake(key: str) -> bool:
    return Lane.objects.filter(pk=key, arrived__gt=F("drained")).exists()


def _take_within(key: str, wait_seconds: float) -> Claim:
    Lane.objects.get_or_create(pk=key, defaults={"woken_at": timezone.now()})
    deadline = time.monotonic() + wait_seconds
    while not (claim := take(key)):
        if time.monotonic() > deadline:
            raise LaneBusy(key)
        time.sleep(0.05)
    return claim

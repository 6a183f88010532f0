"""This module runs the sync, for the command and for the schedule; only one sync runs at a time."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import ngettext

from billing import cause, clock, stripe_account, stripe_client
from billing.models import Customer, SyncRun
from billing.monitoring import alerts
from billing.stripe_account import WrongAccount

from . import books, for_people, full, missed, prices, purchases, report, seats, unknown_customers, usage, whom_to_ask
from .alone import AnotherRuns, alone, is_free
from .catching_up import catch_up
from .healing import compare_customers

Mode, Status = SyncRun.Mode, SyncRun.Status

DAY = timedelta(days=1)
EVENTS_ARE_KEPT = timedelta(days=29)
OF_NOBODY = (
    "Stripe has these customers, and no row here says whose they are: they were made elsewhere, or signed up in time "
    "that a failover or a restored backup has lost. They may pay, and buy again under the same address. See who they "
    "are with manage.py import_customers --by email --dry-run, then link them by the same command without --dry-run."
)


@dataclass(frozen=True)
class Wanted:
    """A run is wanted with these options. `since`: UTC seconds, in place of the watermark. `customer`: this customer
    alone.
    """

    is_full: bool = False
    since: int | None = None
    customer: str = ""
    is_dry: bool = False


class UnknownCustomer(Exception):
    """The customer is not one of ours."""


def hourly() -> str:
    """Run the schedule's task and return what was done, or that another sync is running."""
    try:
        return report.summary(run(Wanted()))
    except AnotherRuns as another:
        return str(another)


hourly.queue_timeout = 3600  # type: ignore[attr-defined]


def run(wanted: Wanted, progress: Callable[[str], None] = lambda text: None) -> SyncRun:
    """Bring our rows to Stripe's state. Raises `AnotherRuns`, `UnknownCustomer`, `StripeUnavailable`,
    `StripeRefused`.

    A dry run takes no lane and saves no row: the `SyncRun` it returns is on no disk.
    """
    if wanted.customer and not Customer.objects.filter(pk=wanted.customer).exists():
        raise UnknownCustomer(f"{wanted.customer} is not a customer of ours.")
    if not wanted.is_dry:
        with alone() as renew:
            return _recorded(wanted, renew, progress)
    if not is_free():
        raise AnotherRuns
    return _measured(_new(wanted), wanted, lambda: None, progress)


def leave(account: str) -> int:
    """End our customers of an account or mode that was left for good, and return how many. Raises `AnotherRuns`."""
    with alone() as renew, cause.recorded_as("sync"):
        stripe_account.ask_again()
        return unknown_customers.leave(account, renew)


def _recorded(wanted: Wanted, renew: Callable[[], None], progress: Callable[[str], None]) -> SyncRun:
    broken_off = SyncRun.objects.filter(status=Status.RUNNING)
    broken_off.update(status=Status.FAILED, error="Broken off.", finished_at=timezone.now())
    row = _new(wanted)
    row.save()
    try:
        _measured(row, wanted, renew, progress)
    except BaseException as error:
        row.status, row.error = Status.FAILED, f"{type(error).__name__}: {error}"[:2000]
        raise
    else:
        row.status = Status.DONE
    finally:
        row.finished_at = timezone.now()
        row.save()
        _alert_staff(row)
    return row


def _alert_staff(row: SyncRun) -> None:
    where = f"The admin shows the run {row}, under Sync runs."
    if row.status == Status.FAILED:
        alerts.alert_staff(
            "sync_failed", "The sync with Stripe failed", f"It ended with {row.error.partition(':')[0]}. {where}"
        )
    if row.troubled:
        subject = ngettext("%d customer could not be synced", "%d customers could not be synced", row.troubled)
        alerts.alert_staff("sync_trouble", subject % row.troubled, f"The others were. {where} The log has the errors.")
    if row.imported and (strangers := _imported_of_nobody(row)):
        subject = ngettext("%d customer of nobody was imported", "%d customers of nobody were imported", strangers)
        alerts.alert_staff("imported", subject % strangers, f"{OF_NOBODY} {where}")
    if row.drifted:
        subject = ngettext("%d difference from Stripe found", "%d differences from Stripe found", row.drifted)
        alerts.alert_staff("drift", subject % row.drifted, f"The sync corrected {row.healed} of {row.drifted}. {where}")


def _imported_of_nobody(row: SyncRun) -> int:
    return Customer.objects.filter(created_at__gte=row.started_at, subscriber=None, deleted_at=None).count()


def _measured(row: SyncRun, wanted: Wanted, renew: Callable[[], None], progress: Callable[[str], None]) -> SyncRun:
    with cause.recorded_as("sync"), stripe_client.patient(), stripe_client.counted() as calls:
        try:
            _work(row, wanted, renew, progress)
            for sentence in for_people.sentences(wanted.customer):
                report.note(row, sentence)
        finally:
            row.calls, row.finished_at = calls.made, timezone.now()
    return row


def _new(wanted: Wanted) -> SyncRun:
    mode = Mode.CUSTOMER if wanted.customer else Mode.FULL if wanted.is_full else Mode.ROUTINE
    return SyncRun(mode=mode, started_at=timezone.now(), clock_at=clock.now())


def _work(row: SyncRun, wanted: Wanted, renew: Callable[[], None], progress: Callable[[str], None]) -> None:
    """Look for missed events, then compare prices and customers with something pending. When a full run is due, compare
    everything, and quantities with seats, for which the project counts the seats of each subscriber."""

    def tick() -> None:
        renew()
        progress(f"{row.missed:,} events, {row.compared:,} compared, {row.drifted:,} differences")

    try:
        unknown_customers.check_account()
        _look_for_differences(row, wanted, tick)
        unknown_customers.refuse_if_most()
    except WrongAccount as error:
        alerts.remind_staff("stripe_account", "The sync stopped: another Stripe account or mode", f"{error}.")
        raise


def _look_for_differences(row: SyncRun, wanted: Wanted, tick: Callable[[], None]) -> None:
    if wanted.customer:
        compare_customers(row, [wanted.customer], tick, is_dry=wanted.is_dry)
        seats.correct(row, wanted.customer, tick, is_dry=wanted.is_dry)
        purchases.deliver(row, wanted.customer, tick, is_dry=wanted.is_dry)
        usage.compare(row, wanted.customer, tick, is_dry=wanted.is_dry)
        return
    touched = _events(row, wanted, tick)
    prices.refresh(row, is_dry=wanted.is_dry)
    books.fill(row, tick, from_the_beginning=wanted.is_full, is_dry=wanted.is_dry)
    purchases.deliver(row, "", tick, is_dry=wanted.is_dry)
    usage.compare(row, "", tick, is_dry=wanted.is_dry)
    last_full = SyncRun.objects.filter(mode=Mode.FULL, status=Status.DONE).order_by("-started_at").first()
    if row.mode == Mode.ROUTINE and (last_full is None or row.clock_at - last_full.clock_at > DAY):
        row.mode = Mode.FULL
    waiting = whom_to_ask.customers(last_full.started_at if last_full else None)
    compare_customers(row, [customer for customer in waiting if customer not in touched], tick, is_dry=wanted.is_dry)
    if row.mode == Mode.FULL:
        full.compare_all(row, tick, is_dry=wanted.is_dry)
        seats.correct(row, "", tick, is_dry=wanted.is_dry)
        books.compare(row, tick, is_dry=wanted.is_dry)


def _events(row: SyncRun, wanted: Wanted, tick: Callable[[], None]) -> set[str]:
    """Apply missed events; return the customers they were about."""
    earlier = SyncRun.objects.exclude(mode=Mode.CUSTOMER).exclude(pk=row.pk).order_by("-started_at")
    watermark = earlier.exclude(watermark=None).values_list("watermark", flat=True).first()
    since = wanted.since if wanted.since is not None else _with_overlap(watermark)
    with missed.find(since) as found:
        if _has_gap(row, earlier.filter(status=Status.DONE).first(), found.newest - (watermark or found.newest)):
            row.mode = Mode.FULL
        touched = {lane for event in found.oldest_first() if (lane := missed.lane_of(event))}
        if wanted.is_dry:
            row.events = dict(Counter(event["type"] for event in found.oldest_first()))
            known = Customer.objects.filter(pk__in=touched, deleted_at=None).values_list("pk", flat=True)
            compare_customers(row, list(known), tick, is_dry=True, cause="a missed event")
            return touched
        catch_up(row, found, tick)
    if watermark is None or since is None or since <= watermark:
        row.watermark = max(found.newest, watermark or 0) or None
        row.save()
    return touched


def _with_overlap(watermark: int | None) -> int | None:
    return None if watermark is None else watermark - missed.OVERLAP_SECONDS


def _has_gap(row: SyncRun, last: SyncRun | None, seconds: int) -> bool:
    """Return whether Stripe may have forgotten events that we never asked for: by our clock, or by Stripe's."""
    is_long_ago = last is None or row.clock_at - last.clock_at > EVENTS_ARE_KEPT
    return is_long_ago or seconds > EVENTS_ARE_KEPT.total_seconds()

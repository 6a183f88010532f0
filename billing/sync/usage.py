"""This part of the sync compares what Stripe's meters have summed up with our reports, and mends metered items.

What differs is named, and nothing is sent for it: a report is sent at most once, so a person decides. Errors that
Stripe found after it took a report are asked for, in case their thin events were not heard.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from billing import clock, subscriptions, usage
from billing.events import worker
from billing.models import OveragePrice, SyncRun, UsageReport, in_pages
from billing.stripe_client import StripeRefused

from . import report, trouble
from .parallel import each

# Stripe sums up some minutes later.
JUST_SENT = timedelta(minutes=10)
LOOKED_BACK = timedelta(days=40)
AT_ONCE = 200
OPEN = "a usage report without an answer"
NEEDS_PERSON = "a usage report that waits for a person"


def compare(run: SyncRun, customer: str, tick: Callable[[], None], *, is_dry: bool) -> None:
    """Compare one customer, or with "" all who have used anything beyond a limit of late."""
    if not OveragePrice.objects.exists():
        return
    _mend_items(run, customer, tick, is_dry=is_dry)
    if not is_dry:
        usage.meter_errors.ask()
    for lane, meter in _metered(customer):
        with trouble.of_one(run, lane):
            _compare(run, lane, meter)
        run.compared += 1
        tick()


def _metered(customer: str) -> list[tuple[str, str]]:
    """Return each customer with each meter that their reports went to."""
    rows = UsageReport.objects.filter(at__gt=clock.now() - LOOKED_BACK)
    rows = rows.filter(customer_id=customer) if customer else rows
    return list(rows.order_by("customer_id", "price__meter").values_list("customer_id", "price__meter").distinct())


def _compare(run: SyncRun, customer: str, meter: str) -> None:
    """Compare a customer's month for month, as the counters have them."""
    rows = UsageReport.objects.filter(customer_id=customer, price__meter=meter, at__gt=clock.now() - LOOKED_BACK)
    starts = sorted(set(rows.values_list("usage__period_start", flat=True)))
    feature = rows.values_list("price__feature", flat=True).first()
    for number, start in enumerate(starts):
        begin = _minute(max(start, clock.now() - LOOKED_BACK))
        end = _minute(starts[number + 1]) if number + 1 < len(starts) else _minute(clock.now() + timedelta(minutes=1))
        if begin >= end:
            continue
        ours = usage.doubts.sent(customer, meter, begin, end)
        try:
            theirs = usage.doubts.summed(customer, meter, begin, end)
        except StripeRefused as refusal:
            report.note(run, f"Stripe does not tell the usage of {customer}: {refusal.user_message or refusal}")
            return
        if theirs != ours and not _was_just_sent(customer, meter, begin, end):
            name = f"usage of {feature} since {begin:%Y-%m-%d}"
            report.drift(run, customer, {name.replace(" ", "_"): (ours, theirs)}, _cause(customer, meter, begin, end))


def _was_just_sent(customer: str, meter: str, begin: datetime, end: datetime) -> bool:
    rows = UsageReport.objects.filter(customer_id=customer, price__meter=meter, at__gte=begin, at__lt=end)
    return rows.filter(sent_at__gt=clock.now() - JUST_SENT).exists()


def _cause(customer: str, meter: str, begin: datetime, end: datetime) -> str:
    rows = UsageReport.objects.filter(customer_id=customer, price__meter=meter, at__gte=begin, at__lt=end)
    if rows.filter(state__in=UsageReport.OPEN).exists():
        return OPEN
    return NEEDS_PERSON if rows.filter(state__in=UsageReport.NEEDS_PERSON).exists() else "unknown"


def _mend_items(run: SyncRun, customer: str, tick: Callable[[], None], *, is_dry: bool) -> None:
    """Owe the metered items of subscriptions that differ from their plan, and make what is owed."""
    rows = subscriptions.overage.doubtful()
    rows = rows.filter(customer=customer) if customer else rows
    wrong = [row for row in in_pages(rows, AT_ONCE) if subscriptions.overage.is_wrong(row)]
    for row in wrong:
        report.drift(run, row.customer_id, {"metered_items": ("of the plan", "others")}, "the plan pays by use")
        if not is_dry:
            subscriptions.overage.owe_items(row)
    if is_dry or not wrong:
        return
    each(worker.drain, sorted({row.customer_id for row in wrong}), tick)
    still = subscriptions.overage.doubtful().filter(pk__in=[row.pk for row in wrong])
    run.healed += len(wrong) - sum(subscriptions.overage.is_wrong(row) for row in still)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)

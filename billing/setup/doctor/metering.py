"""This check examines what was reported to Stripe's meters."""

from collections.abc import Iterator
from datetime import timedelta

from billing import clock, usage
from billing.models import OveragePrice, UsageReport

from .findings import Finding, ok, warning

MOST_NAMED = 20
LATE = timedelta(hours=3)


def usage_reports() -> Iterator[Finding]:
    """Name the usage reports that Stripe did not count, and those that have waited long."""
    found = usage.reporting.lasting()
    for sentence in found[:MOST_NAMED]:
        todo = "Choose on the list of usage reports in the admin: send again, mark as counted, or give up."
        yield warning("usage reports", sentence, todo)
    late = UsageReport.objects.filter(state__in=UsageReport.OPEN, made_at__lt=clock.now() - LATE).count()
    if late:
        text = f"The number of usage reports that have waited for more than three hours is {late}."
        yield warning("usage reports", text, "Start the worker, and see in the admin why they wait.")
    if OveragePrice.objects.exists() and not found and not late:
        yield ok("usage reports", "Stripe has counted everything that was reported to its meters.")

"""These checks examine what was reported to Stripe's meters, and how errors of meters are heard."""

from collections.abc import Iterator
from datetime import timedelta

from billing import clock, usage
from billing.models import OveragePrice, UsageReport
from billing.setup import account, thin_destination

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


def meter_errors() -> Iterator[Finding]:
    """Check that Stripe sends error reports of meters to our address."""
    if account.is_on_loopback() or not thin_destination.is_needed():
        return
    here = thin_destination.at(account.webhook_url())
    if right := next(filter(thin_destination.is_right, here), None):
        yield ok("meter errors", f"The event destination {right['id']} sends error reports of meters at once.")
        return
    named = ", ".join(f"{row['id']} ({row['status']})" for row in here)
    text = f"No event destination sends error reports of meters to {account.webhook_url()}"
    text += f": {named} does not." if named else "."
    todo = "Run `manage.py setup_stripe`. Until then the worker asks Stripe for them each minute."
    yield warning("meter errors", text, todo)


CHECKS = (usage_reports, meter_errors)

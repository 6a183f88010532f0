"""This part of the sync asks for purchases whose payment may have come unheard, and delivers what is paid."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from billing import clock
from billing.lanes import LaneBusy
from billing.lifecycle import purchases
from billing.models import SyncRun, in_pages
from billing.payments.purchases import awaited

from . import report, trouble

# Who is paying just now is not disturbed.
LEFT_ALONE = timedelta(minutes=2)
AT_ONCE = 100


def deliver(run: SyncRun, customer: str, tick: Callable[[], None], *, is_dry: bool) -> None:
    """Ask for the purchases of one customer, or with "" of all, that wait; deliver what was paid."""
    if is_dry:
        return
    whose = {"customer": customer} if customer else {"created_at__lt": clock.now() - LEFT_ALONE}
    for purchase in in_pages(awaited().filter(**whose).select_related("customer"), AT_ONCE):
        before = purchase.status
        with suppress(LaneBusy), trouble.of_one(run, purchase.customer_id):
            after = purchases.refresh(purchase)
            if after.status != before:
                report.drift(run, purchase.customer_id, {"purchase": (before, after.status)}, "a session not heard of")
        tick()

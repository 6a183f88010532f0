"""A full run lists everything at Stripe in stretches, compares it page by page, and writes only what differs."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from django.utils.dateparse import parse_datetime

from billing import catalogue
from billing.models import Customer, Subscription, SyncRun, in_pages
from billing.stripe_client import readers

from . import invoices, report, tax_ids, unknown_customers
from .healing import compare_customers
from .list_pages import CustomerPages, FullRun, SubscriptionPages
from .listing import Reader, Stretch

LISTS: dict[str, tuple[str, dict[str, Any]]] = {
    "subscriptions": ("/v1/subscriptions", {"status": "all", "expand": ["data.default_payment_method"]}),
    "customers": ("/v1/customers", {}),
}
GOES_ON_WITHIN = timedelta(hours=6)
SAVE_EVERY_SECONDS = 2.0
FEW = 100
ROWS_AT_ONCE = 2000


def compare_all(run: SyncRun, tick: Callable[[], None], *, is_dry: bool) -> None:
    """Compare 1. subscriptions, with open invoices, for grace, 2. customers, 3. open invoices, for what is owed,
    4. alone, each customer who differs or is gone.

    A run that was broken off is gone on with: only what it had not read is read. What is gone is then not looked for.
    """
    left = {} if is_dry else _left_behind(run)
    began = (parse_datetime(left.get("began", "")) if left else None) or run.started_at
    work = FullRun(run, began, is_dry=is_dry, invoices=open_invoices())
    progress: dict[str, Any] = {"began": began.isoformat(), "left": left.get("left", {})}
    with catalogue.prices_remembered(is_dry=is_dry):
        for name, pages in (("subscriptions", SubscriptionPages(work)), ("customers", CustomerPages(work))):
            _read(name, pages, run, progress, tick, is_dry=is_dry)
    if not left:
        _find_gone(work)
    owing = dict.fromkeys(invoices.doubtful(chain.from_iterable(work.invoices.values())))
    compared = run.compared
    compare_customers(run, list(work.doubtful | owing), tick, is_dry=is_dry, owing=owing)
    run.compared, run.progress = compared, {}


def _read(
    name: str,
    take: Callable[[list[dict[str, Any]]], None],
    run: SyncRun,
    progress: dict[str, Any],
    tick: Callable[[], None],
    *,
    is_dry: bool,
) -> None:
    path, params = LISTS[name]
    params = {**params, **(tax_ids.expanded() if name == "customers" else {})}
    stretches = progress["left"].get(name, [[0, None]])
    reader = Reader([Stretch(path, params, gte, lte) for gte, lte in stretches])
    saved_at = time.monotonic()
    for page in reader:
        take(page)
        tick()
        if not is_dry and time.monotonic() - saved_at > SAVE_EVERY_SECONDS:
            run.progress = {**progress, "left": {**progress["left"], name: reader.left()}}
            run.save(update_fields=["progress", "compared", "imported"])
            saved_at = time.monotonic()
    progress["left"] = {**progress["left"], name: []}


def _left_behind(run: SyncRun) -> dict[str, Any]:
    """Return the parts that a broken-off full run of today left unread; nothing if a later one ended well."""
    fulls = SyncRun.objects.filter(mode=SyncRun.Mode.FULL, started_at__gt=run.started_at - GOES_ON_WITHIN)
    last = fulls.exclude(pk=run.pk).order_by("-started_at").first()
    if last is None or last.status == SyncRun.Status.DONE or not last.progress:
        return {}
    report.note(run, "This run continued where an earlier one was broken off.")
    return dict(last.progress)


def open_invoices() -> dict[str, list[dict[str, Any]]]:
    """Return the open invoices of each subscription ("": without one), with the fields that are read: there are few."""
    found: dict[str, list[dict[str, Any]]] = {}
    for page in Reader([Stretch("/v1/invoices", {"status": "open"})]):
        for invoice in page:
            kept = {name: invoice[name] for name in (*invoices.KEPT, "created", "due_date", "status_transitions")}
            found.setdefault(readers.subscription_of(invoice), []).append(kept)
    return found


def _find_gone(work: FullRun) -> None:
    """Add the rows of ours that Stripe did not list: deleted there, or altered here. Raises `WrongAccount` if they are
    many, and Stripe does not know them even as deleted.
    """
    gone = _unseen(work, Customer, "pk", "pk", work.began) + _unseen(
        work, Subscription, "customer_id", "stripe_id", work.began
    )
    if len(gone) > max(FEW, work.run.compared // 5):
        unknown_customers.refuse_if_unknown(gone[: unknown_customers.SAMPLE])
    work.doubtful.update(dict.fromkeys(gone))


def _unseen(work: FullRun, model: Any, customer: str, name: str, began: datetime) -> list[str]:
    if model is Customer:
        rows = model.objects.filter(deleted_at=None, created_at__lt=began)
    else:
        rows = model.objects.filter(customer__deleted_at=None, customer__created_at__lt=began).exclude(stripe_id="")
    some = in_pages(rows.only("pk", customer, name), ROWS_AT_ONCE)
    return [getattr(row, customer) for row in some if hash(getattr(row, name)) not in work.seen]

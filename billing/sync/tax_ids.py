"""A full run compares the tax ids of the customers that it lists with our rows: those from before us have none yet."""

from contextlib import suppress
from typing import Any

from billing import lanes
from billing.conf import conf
from billing.lanes import LaneBusy
from billing.models import Customer, SyncRun, TaxId
from billing.stripe_client import StripeRefused
from billing.subscriptions import tax_ids

from . import report, trouble

WAIT_SECONDS = 5.0
Pairs = list[tuple[Customer, dict[str, Any]]]


def expanded() -> dict[str, Any]:
    """Return the parameter of the list of customers that has their tax ids come along, where any are of interest."""
    return {"expand": ["data.tax_ids"]} if conf.tax or TaxId.objects.exists() else {}


def compare(run: SyncRun, pairs: Pairs, *, is_dry: bool) -> None:
    """Compare a page's customers, and refresh under their lanes those whose tax ids differ."""
    listed = {row.pk: found["tax_ids"]["data"] for row, found in pairs if found.get("tax_ids")}
    ours: dict[str, dict[str, str]] = {pk: {} for pk in listed}
    for row in TaxId.objects.filter(customer__in=listed).order_by("pk"):
        ours[row.customer_id][row.pk] = row.status
    for pk, found in listed.items():
        theirs = {each["id"]: tax_ids.status_of(each) for each in found}
        if theirs == ours[pk]:
            continue
        names = sorted(theirs.keys() | ours[pk].keys())
        differing = [name for name in names if theirs.get(name) != ours[pk].get(name)]
        with suppress(LaneBusy), trouble.of_one(run, pk):
            _heal(run, pk, {name: (ours[pk].get(name), theirs.get(name)) for name in differing}, is_dry=is_dry)


def _heal(run: SyncRun, customer: str, differing: dict[str, tuple[str | None, str | None]], *, is_dry: bool) -> None:
    differences = {f"{name} verification": values for name, values in differing.items()}
    if not is_dry:
        try:
            with lanes.exclusive(customer, WAIT_SECONDS) as commit:
                commit(lambda: tax_ids.refresh_tax_ids(Customer.objects.get(pk=customer), is_news=False))
        except StripeRefused as error:
            report.note(run, f"{customer}: {error.user_message or error.code or type(error).__name__}")
            return
        run.healed += len(differences)
    report.drift(run, customer, differences, report.likely_cause(customer))

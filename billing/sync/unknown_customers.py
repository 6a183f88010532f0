"""The sync notes customers whom Stripe does not know by our key, and alerts staff; only staff end them."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial

from django.db.models import QuerySet

from billing import lanes, stripe_account, subscriptions
from billing.models import Customer, SyncRun
from billing.monitoring import alerts
from billing.stripe_account import WrongAccount
from billing.stripe_client import NoSuchCustomer, fetch

from . import report
from .report import count

SAMPLE = 3
WAIT_SECONDS = 5.0
IN_ADMIN = "If they are gone for good, end each of them on their page in the admin."


def check_account() -> None:
    """Ask whose our key is. Raises `WrongAccount` while customers of ours live in another account or mode.

    A key that may not read its account is tried with the newest customers: it must know one of them.
    """
    account = stripe_account.ask_again()
    stripe_account.refuse_if_any_elsewhere()
    if not account:
        refuse_if_unknown(list(_here().order_by("-created_at").values_list("pk", flat=True)[:SAMPLE]))


def refuse_if_unknown(customers: list[str]) -> None:
    """Raise `WrongAccount` if Stripe knows none of these customers, not even as deleted ones."""
    for customer in customers:
        with suppress(NoSuchCustomer):
            fetch.customer(customer)
            return
    if customers:
        raise WrongAccount(
            f"Stripe knows none of our customers {', '.join(customers)}. STRIPE_SECRET_KEY is of another Stripe "
            f"account or mode, or this Stripe account's data were deleted. Check the key. {IN_ADMIN}"
        )


def note(run: SyncRun, customer: str, *, is_dry: bool) -> None:
    """Note a customer whom Stripe does not know. Access stays as it was."""
    report.note(run, f"{customer}: Stripe knows no such customer.")
    if not is_dry:
        stripe_account.note_missing(customer)


def refuse_if_most() -> None:
    """Alert staff to the customers whom Stripe does not know. Raises `WrongAccount` if they are most of ours."""
    missing = _here().exclude(missing_since=None).count()
    if not missing:
        return
    first = _here().exclude(missing_since=None).order_by("missing_since").values_list("pk", flat=True)[:SAMPLE]
    text = f"Stripe knows no such customer for {missing:,} of our customers, for example {', '.join(first)}."
    alerts.remind_staff(
        "customers_missing",
        f"{count(missing, 'customer')} unknown at Stripe",
        f"{text}\nThey keep the access they had, and nobody bills them. Check STRIPE_SECRET_KEY with "
        f"manage.py billing_doctor. {IN_ADMIN}",
    )
    if missing * 2 > _here().count():
        raise WrongAccount(f"{text} STRIPE_SECRET_KEY seems to be of another Stripe account or mode. {IN_ADMIN}")


def leave(account: str, tick: Callable[[], None]) -> int:
    """End the customers of an account or mode that was left for good, and return how many.

    Only rows that our key does not reach are ended. A customer whose lane is busy is left to the next call.
    """
    is_mode = account in ("live", "test")
    rows = stripe_account.elsewhere()
    rows = rows.filter(livemode=account == "live") if is_mode else rows.filter(account=account)
    ended = 0
    for customer in list(rows.values_list("pk", flat=True)):
        with suppress(lanes.LaneBusy), lanes.exclusive(customer, WAIT_SECONDS) as commit:
            commit(partial(_end, customer))
            ended += 1
        tick()
    return ended


def _end(customer: str) -> None:
    subscriptions.end_for_deleted_customer(Customer.objects.get(pk=customer))


def _here() -> QuerySet[Customer]:
    return Customer.objects.filter(deleted_at=None)

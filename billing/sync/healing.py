"""This module compares one customer with Stripe and, where they differ, refreshes them as a webhook would."""

import threading
from collections.abc import Callable, Container, Iterable

from billing import catalogue, lanes, stripe_account, stripe_client, subscriptions
from billing.models import Customer, SyncRun
from billing.stripe_client import NoSuchCustomer, StripeRefused, fetch

from . import comparing, invoices, report, trouble, unknown_customers
from .comparing import Differences
from .parallel import each

WAIT_SECONDS = 5.0
_counting = threading.Lock()


def compare_customers(
    run: SyncRun,
    customers: Iterable[str],
    tick: Callable[[], None],
    *,
    is_dry: bool,
    owing: Container[str] = (),
    cause: str = "",
) -> None:
    """Compare each customer with Stripe; unless dry, heal what differs. `owing`: those whose open invoices are
    doubtful. `cause`: why they would differ, if the caller knows. Raises `StripeUnavailable`.
    """

    def one(customer: str) -> None:
        is_owing = customer in owing
        try:
            differences = _differences(customer, is_owing) if is_dry else _heal(customer, is_owing)
        except lanes.LaneBusy:
            return  # whoever holds the lane is refreshing it
        except NoSuchCustomer:
            with _counting:
                unknown_customers.note(run, customer, is_dry=is_dry)
            return
        except StripeRefused as error:
            with _counting:
                report.note(run, f"{customer}: {error.user_message or error.code or type(error).__name__}")
            return
        _count(run, customer, differences, cause, is_dry=is_dry)

    def guarded(customer: str) -> None:
        with trouble.of_one(run, customer):
            one(customer)

    each(guarded, customers, tick)


def _count(run: SyncRun, customer: str, differences: Differences, cause: str, *, is_dry: bool) -> None:
    if differences and not cause:
        cause = report.likely_cause(customer)
    with _counting:
        run.compared += 1
        if is_dry:
            differences = report.not_noted_yet(run, customer, differences)
        report.drift(run, customer, differences, cause)
        run.healed += 0 if is_dry else len(differences)


def _differences(pk: str, is_owing: bool) -> Differences:
    with stripe_client.drain_reads(), catalogue.prices_remembered(is_dry=True):
        customer = Customer.objects.get(pk=pk)
        wrong = invoices.wrong_of(customer, is_doubtful=is_owing)
        return {**comparing.differences_from_stripe(customer), **invoices.differences(wrong)}


def _heal(customer: str, is_owing: bool) -> Differences:
    """Compare under the lane lock, and project the very answers that were compared."""
    with lanes.exclusive(customer, WAIT_SECONDS) as commit:
        return commit(lambda: _compare_and_refresh(Customer.objects.get(pk=customer), is_owing))


def _compare_and_refresh(customer: Customer, is_owing: bool) -> Differences:
    differences = comparing.differences_from_stripe(customer)
    stripe_account.note_seen(customer)
    if "deleted_at" in differences:
        subscriptions.end_for_deleted_customer(customer)
        return differences
    wrong = invoices.wrong_of(customer, is_doubtful=is_owing)
    if differences:
        subscriptions.refresh(customer)
    for _, found in wrong:
        subscriptions.invoices.project(customer, fetch.current_invoice(found["id"], customer.pk))
    return {**differences, **invoices.differences(wrong)}

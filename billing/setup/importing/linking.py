"""The plan of an import is carried out in portions, each in a transaction, without signals. It is safe to interrupt
and repeat."""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import transaction

from billing import stripe_account, stripe_client
from billing.lifecycle import METADATA_KEY
from billing.models import Customer, StripeEvent, SyncRun
from billing.subscriptions import paying_twice
from billing.sync import FullRun, compare_customers, list_pages, trouble

from .planning import Plan

AT_ONCE = 100


def carry_out(plan: Plan, run: SyncRun, work: FullRun, tick: Callable[[str], None]) -> None:
    """Link the customers and take over their subscriptions. Then ask Stripe again about those for whom an event came
    meanwhile."""
    everyone = iter(plan.ordered().items())
    done = 0
    while some := dict(islice(everyone, AT_ONCE)):
        if not _is_taken_over(plan, work, some):
            for customer, subscriber in some.items():
                if not _is_taken_over(plan, work, {customer: subscriber}):
                    plan.problems.append((customer, "failed", str(subscriber)))
                    plan.links.pop(customer, None)
        done += len(some)
        tick(f"{done:,} linked")
    compare_customers(run, _heard_of(plan, work.began), lambda: None, is_dry=False)


def _is_taken_over(plan: Plan, work: FullRun, some: dict[str, Any]) -> bool:
    """Take over some customers together, or none of them."""
    problems, links = list(plan.problems), dict(plan.links)
    if trouble.is_done(lambda: _take_over(plan, work, some)):
        return True
    plan.problems[:], plan.links = problems, links
    return False


def _take_over(plan: Plan, work: FullRun, some: dict[str, Any]) -> None:
    with transaction.atomic():
        _link(plan, some)
        list_pages.take_over([pair for customer in some for pair in _rows(plan, work, customer)])


def write_metadata(plan: Plan, tick: Callable[[str], None]) -> None:
    """Write the subscriber into the metadata of Stripe's customer. The key names both, so a repetition is the same
    write."""
    for customer, subscriber in (plan.linked_already | plan.links).items():
        if plan.listed[customer].metadata.get(METADATA_KEY) == str(subscriber):
            continue
        stripe_client.post(
            f"/v1/customers/{customer}",
            idempotency_key=f"import:{customer}:{subscriber}",
            metadata={METADATA_KEY: str(subscriber)},
        )
        plan.written += 1
        tick(f"{plan.written:,} marked at Stripe")


def _link(plan: Plan, some: dict[str, Any]) -> None:
    """Link one portion. If a Checkout of that moment has given the subscriber a current customer, that one stays it."""
    here = stripe_account.columns()
    new = [
        Customer(pk=pk, email=plan.listed[pk].email, preferred_locale=plan.listed[pk].preferred_locale[:20], **here)
        for pk in some
    ]
    Customer.objects.bulk_create(new, ignore_conflicts=True)
    stripe_account.note_all_seen(Customer.objects.in_bulk(list(some)))
    linked = [pk for pk in some if pk in plan.links and Customer.objects.link(pk, some[pk])]
    paying_twice.alert_linked(linked)


def _rows(plan: Plan, work: FullRun, customer: str) -> list_pages.Pairs:
    """Return the rows of a customer's subscriptions. A customer without one has no row, like anyone who never
    bought."""
    return list_pages.new_rows(work, customer, plan.subscriptions.get(customer, []))


def _heard_of(plan: Plan, began: datetime) -> Iterable[str]:
    """Return customers for whom an event came between the list and the link; it found no customer of ours."""
    lanes = StripeEvent.objects.filter(received_at__gte=began).values_list("lane", flat=True)
    return sorted(set(lanes) & (plan.links.keys() | plan.linked_already.keys()))

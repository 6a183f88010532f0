"""A page of Stripe's list is compared with our rows: a customer may be unchanged, doubtful, or new to us."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from billing import access, catalogue, clock, stripe_account, subscriptions
from billing.conf import conf
from billing.lifecycle import METADATA_KEY
from billing.models import Customer, Subscription, SyncRun
from billing.stripe_client import readers
from billing.subscriptions import customer_details, mrr

from . import comparing, report
from .unknown_prices import Prices

Page = list[dict[str, Any]]


@dataclass
class FullRun:
    """A full run keeps here what it has learnt. `seen` holds hashes of the ids that were listed, a few bytes each."""

    run: SyncRun
    began: datetime
    is_dry: bool
    invoices: dict[str, Page]
    doubtful: dict[str, None] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def open_invoices(self, subscription: str) -> Page:
        return self.invoices.get(subscription, [])


class SubscriptionPages:
    def __init__(self, work: FullRun) -> None:
        self.work, self.prices = work, Prices(work.run, is_dry=work.is_dry)

    def __call__(self, page: Page) -> None:
        self.work.run.compared += len(page)
        self.work.seen.update(hash(found["id"]) for found in page)
        self.prices.take_over_unknown(page)
        known = comparing.with_subscription().in_bulk({found["customer"] for found in page})
        strangers: dict[str, Page] = {}
        for found in page:
            customer = known.get(found["customer"])
            if customer is None or self._is_import(customer):
                strangers.setdefault(found["customer"], []).append(found)
            elif self._is_doubtful(customer, found):
                self.work.doubtful[customer.pk] = None
        self._import(strangers, known)

    def _is_import(self, customer: Customer) -> bool:
        """Return whether this run imported the customer, perhaps by another subscription: that is announced to
        nobody."""
        return customer.created_at >= self.work.began and customer.subscriber_id is None

    def _is_doubtful(self, customer: Customer, found: dict[str, Any]) -> bool:
        """Return whether to ask Stripe about this customer: their row differs, or another subscription may count."""
        row = comparing.row_of(customer)
        if customer.deleted_at:
            return False
        if row.stripe_id == found["id"]:
            return bool(comparing.differences_of(row, found, self.work.open_invoices))
        if not row.stripe_id:
            return True
        if row.plan_id and not catalogue.is_plan(found["items"]["data"]):
            return False
        if subscriptions.is_live_status(found["status"]):
            return True
        is_later = row.ended_at is not None and (found["ended_at"] or 0) > row.ended_at.timestamp()
        return not _is_live(row) and is_later

    def _import(self, strangers: dict[str, Page], known: dict[str, Customer]) -> None:
        """Import the subscriptions in bulk, and announce nothing: they began before we knew of them. A row that a
        webhook made stays."""
        made, better = [], []
        for customer, page in strangers.items():
            counts = subscriptions.current_subscription(page)
            if counts is None or not catalogue.is_plan(counts["items"]["data"]):
                continue
            before = comparing.row_of(known[customer]) if customer in known else None
            if before is None or not before.stripe_id:
                made.append(new_row(self.work, customer, counts))
            elif subscriptions.is_live_status(counts["status"]) and not _is_live(before):
                better.append(new_row(self.work, customer, counts))
        self.work.run.imported += len(made)
        if self.work.is_dry or not (made or better):
            return
        with transaction.atomic():
            Customer.objects.bulk_create([row.customer for row in made], ignore_conflicts=True)
            Subscription.objects.bulk_create(made, ignore_conflicts=True)
            _write_over(better, fetched_at=self.work.began)
            _count_as_announced([row.customer_id for row in (*made, *better)])


def _is_live(row: Subscription) -> bool:
    return row.status != Subscription.Status.NONE and subscriptions.is_live_status(row.status)


def new_row(work: FullRun, customer: str, found: dict[str, Any]) -> Subscription:
    row = Subscription(customer=Customer(pk=customer, **stripe_account.columns()), fetched_at=work.began)
    for name, value in subscriptions.columns_of(found, row, work.open_invoices).items():
        setattr(row, name, value)
    return row


def take_over(rows: list[Subscription]) -> None:
    """Fill the empty rows of customers with the subscriptions they have had all along, without signals, inside a
    transaction. A row that is not empty stays."""
    had = Subscription.objects.filter(customer__in=[row.customer_id for row in rows]).exclude(stripe_id="")
    known = set(had.values_list("customer_id", flat=True))
    new = [row for row in rows if row.customer_id not in known]
    _write_over(new, stripe_id="")
    Subscription.objects.bulk_create(new, ignore_conflicts=True)
    _count_as_announced([row.customer_id for row in new])


def _write_over(rows: list[Subscription], **condition: Any) -> None:
    held = Subscription.objects.filter(customer__in=[row.customer_id for row in rows], **condition)
    customers = set(held.values_list("customer_id", flat=True))
    for row in rows:
        if row.customer_id in customers:
            columns = {name: getattr(row, name) for name in comparing.FIELDS}
            Subscription.objects.filter(customer=row.customer_id, **condition).update(**columns)


def _count_as_announced(customers: list[str]) -> None:
    _note_access(customers)
    mrr.record_first_movements(customers)


def _note_access(customers: list[str]) -> None:
    """Note the access that they have already, so that it is not announced."""
    now = clock.now()
    rows = access.with_access_facts().filter(customer__in=customers)
    granted = [row.pk for row in rows if access.decide(access.facts_of(row), now).has_access]
    Subscription.objects.filter(pk__in=granted).update(has_announced_access=True)


class CustomerPages:
    def __init__(self, work: FullRun) -> None:
        self.work = work

    def __call__(self, page: Page) -> None:
        self.work.run.compared += len(page)
        self.work.seen.update(hash(found["id"]) for found in page)
        known = Customer.objects.filter(deleted_at=None).in_bulk([found["id"] for found in page])
        pairs = [(known[found["id"]], found) for found in page if found["id"] in known]
        if not self.work.is_dry:
            stripe_account.note_all_seen(known)
        self._fill_in([(row, found) for row, found in pairs if self._is_import(row)])
        for row, found in pairs:
            email = found.get("email") or ""
            if row.email and email and row.email != email:
                self._correct(row, email)
        self._link([(row, found) for row, found in pairs if row.subscriber_id is None])

    def _is_import(self, row: Customer) -> bool:
        return row.created_at >= self.work.began and not row.email

    def _fill_in(self, pairs: list[tuple[Customer, dict[str, Any]]]) -> None:
        """Write the addresses of customers imported a moment ago: their subscription does not name it."""
        rows = [Customer(pk=row.pk, email=found["email"]) for row, found in pairs if found.get("email")]
        if rows and not self.work.is_dry:
            Customer.objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=["email"])

    def _correct(self, row: Customer, email: str) -> None:
        """Correct the address, unless a webhook has corrected it meanwhile."""
        report.drift(self.work.run, row.pk, {"email": (row.email, email)}, report.likely_cause(row.pk))
        if not self.work.is_dry:
            self.work.run.healed += Customer.objects.filter(pk=row.pk, email=row.email).update(email=email)

    def _link(self, pairs: list[tuple[Customer, dict[str, Any]]]) -> None:
        """Link each customer to the subscriber that our own metadata names, if the address is theirs as well: since a
        backup was restored, another subscriber may have got the same primary key."""
        model = apps.get_model(conf.subscriber_model)
        named = {key: (row, found) for row, found in pairs if (key := _key(model, found)) is not None}
        if not named or self.work.is_dry:
            return
        for subscriber in model._default_manager.filter(pk__in=named):
            row, found = named[subscriber.pk]
            email = customer_details.email_of(subscriber)
            if email and email.lower() == (found.get("email") or "").lower():
                _link_one(row, subscriber)


def _key(model: Any, found: dict[str, Any]) -> Any:
    """Return the primary key that a customer's metadata name; None if they name none, or one that this model cannot
    have."""
    named = readers.metadata_of(found).get(METADATA_KEY)
    try:
        return model._meta.pk.to_python(named) if named else None
    except ValidationError:
        return None


def _link_one(row: Customer, subscriber: Any) -> None:
    """Link the customer, unless a Checkout of the same moment has given the subscriber another one."""
    with suppress(IntegrityError), transaction.atomic():
        Customer.objects.filter(pk=row.pk, subscriber=None).update(subscriber=subscriber)

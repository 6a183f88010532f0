"""A page of Stripe's list is compared with our rows: a customer may be unchanged, doubtful, or new to us."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import transaction

from billing import access, clock, stripe_account, subscriptions
from billing.conf import conf
from billing.lifecycle import METADATA_KEY
from billing.models import AnnouncedAccess, Customer, Subscription, SyncRun, listed_subscribers
from billing.stripe_client import readers
from billing.subscriptions import customer_details, mrr, next_charges, paying_twice

from . import comparing, report, tax_ids, trouble
from .unknown_prices import Prices

Page = list[dict[str, Any]]
Pairs = list[tuple[Subscription, dict[str, Any]]]  # a row, and the object that it is of


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
        known = Customer.objects.in_bulk({found["customer"] for found in page})
        rows = comparing.rows_of(known)
        strangers: dict[str, Page] = {}
        for found in page:
            customer = known.get(found["customer"])
            if customer is None or self._is_import(customer, rows.get(customer.pk, [])):
                strangers.setdefault(found["customer"], []).append(found)
            elif self._is_doubtful(customer, rows.get(customer.pk, []), found):
                self.work.doubtful[customer.pk] = None
        self._import(strangers, rows)

    def _is_import(self, customer: Customer, rows: list[Subscription]) -> bool:
        """Return whether this run imported the customer, perhaps by another subscription: that is announced to
        nobody. Once a webhook has refreshed their rows, they are asked about like others."""
        is_new = customer.created_at >= self.work.began and customer.subscriber_id is None
        return is_new and all(row.fetched_at == self.work.began for row in rows)

    def _is_doubtful(self, customer: Customer, rows: list[Subscription], found: dict[str, Any]) -> bool:
        """Return whether to ask Stripe about this customer: their row differs or is missing, or another counts."""
        if customer.deleted_at:
            return False
        row = next((row for row in rows if row.stripe_id == found["id"]), None)
        if row is None:
            return True
        becomes: dict[str, Any] = {}
        if not trouble.is_done(lambda: becomes.update(subscriptions.columns_of(found, row, self.work.open_invoices))):
            return True
        differs = any(getattr(row, name) != value for name, value in becomes.items())
        return differs or subscriptions.discounts.is_behind(row, found) or comparing.counts_otherwise(rows)

    def _import(self, strangers: dict[str, Page], known: dict[str, list[Subscription]]) -> None:
        """Import the subscriptions in bulk, and announce nothing: they began before we knew of them. A row that a
        webhook made stays."""
        new: Pairs = []
        for customer, page in strangers.items():
            with trouble.of_one(self.work.run, customer):
                before = known.get(customer, [])
                pairs = new_rows(self.work, customer, page, before)
                if before or any(row.is_ours for row, _ in pairs):
                    new += pairs
        had = {row.customer_id for rows in known.values() for row in rows}
        self.work.run.imported += len({row.customer_id for row, _ in new} - had)
        if self.work.is_dry or not new:
            return
        if not trouble.is_done(lambda: _import_together(new, had)):
            for customer in dict.fromkeys(row.customer_id for row, _ in new):
                with trouble.of_one(self.work.run, customer):
                    _import_together([pair for pair in new if pair[0].customer_id == customer], had)


def _import_together(pairs: Pairs, had: set[str]) -> None:
    customers = {row.customer_id: row.customer for row, _ in pairs if row.customer_id not in had}
    with transaction.atomic():
        Customer.objects.bulk_create(customers.values(), ignore_conflicts=True)
        take_over(pairs)


def new_rows(work: FullRun, customer: str, page: Page, known: Iterable[Subscription] = ()) -> Pairs:
    """Return unsaved rows for those of a customer's subscriptions that we have no row of."""
    here = {row.stripe_id for row in known}
    made: Pairs = []
    for found in page:
        if found["id"] not in here:
            row = Subscription(
                customer=Customer(pk=customer, **stripe_account.columns()),
                stripe_id=found["id"],
                counts=False,
                fetched_at=work.began,
            )
            for name, value in subscriptions.columns_of(found, row, work.open_invoices).items():
                setattr(row, name, value)
            made.append((row, found))
    return made


def take_over(pairs: Pairs) -> None:
    """Save the rows of subscriptions that customers have had all along, with their items, without signals, inside a
    transaction. A row that is there already stays, unless a plan has only come to know its price."""
    rows = [row for row, _ in pairs]
    for row in rows:
        row.mrr = mrr.of_row(row)
    Subscription.objects.bulk_create(rows, ignore_conflicts=True)
    saved = {row.stripe_id: row for row in Subscription.objects.filter(stripe_id__in=[row.stripe_id for row in rows])}
    subscriptions.write_items([(saved[row.stripe_id], found) for row, found in pairs])
    _fill_in_plans({row.stripe_id: row for row in rows if row.is_ours})
    customers = sorted({row.customer_id for row in rows})
    for of_customer in comparing.rows_of(customers).values():
        _mark_counting(of_customer)
    _count_as_announced(customers)


def _fill_in_plans(ours: dict[str, Subscription]) -> None:
    without = Subscription.objects.filter(stripe_id__in=ours, plan=None).exclude(whose=Subscription.Whose.OURS)
    names = [name for name in (*comparing.FIELDS, "mrr") if name != "counts"]
    for stripe_id in without.values_list("stripe_id", flat=True):
        columns = {name: getattr(ours[stripe_id], name) for name in names}
        Subscription.objects.filter(stripe_id=stripe_id).update(**columns)


def _mark_counting(rows: list[Subscription]) -> None:
    """Save which rows count, first those that no longer do, and note started subscriptions as announced."""
    before = {row.pk: (row.counts, row.has_announced_start) for row in rows}
    subscriptions.mark_counting(rows)
    for row in rows:
        row.has_announced_start |= subscriptions.is_started(row)
    changed = [row for row in rows if before[row.pk] != (row.counts, row.has_announced_start)]
    for counts in (False, True):
        some = [row for row in changed if row.counts is counts]
        Subscription.objects.bulk_update(some, ["counts", "has_announced_start"])


def _count_as_announced(customers: list[str]) -> None:
    _note_access(customers)
    mrr.record_first_movements(customers)
    next_charges.await_first(customers)


def _note_access(customers: list[str]) -> None:
    """Note the access that they have already, so that it is not announced."""
    now = clock.now()
    rows = access.with_access_facts().filter(customer__in=customers, counts=True)
    granted = [row for row in rows if access.decide(access.facts_of(row), now).has_access]
    of_nobody = [row for row in granted if row.customer.subscriber is None]
    _note("customer", {(row.customer_id, row.line) for row in of_nobody})
    _note("subscriber", {(row.customer.subscriber_id, row.line) for row in granted if row not in of_nobody})


def _note(whose: str, granted: set[tuple[Any, str]]) -> None:
    AnnouncedAccess.objects.bulk_create(
        [AnnouncedAccess(**{f"{whose}_id": pk}, line=line, is_granted=True) for pk, line in sorted(granted)],
        update_conflicts=True,
        unique_fields=[whose, "line"],
        update_fields=["is_granted"],
    )


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
            if row.email != email and not self._is_import(row):
                self._correct(row, email)
        self._link([(row, found) for row, found in pairs if row.subscriber_id is None])
        tax_ids.compare(self.work.run, pairs, is_dry=self.work.is_dry)

    def _is_import(self, row: Customer) -> bool:
        return row.created_at >= self.work.began and not row.email

    def _fill_in(self, pairs: list[tuple[Customer, dict[str, Any]]]) -> None:
        """Write the addresses of customers imported a moment ago: their subscription does not name it."""
        rows = [Customer(pk=row.pk, email=found["email"]) for row, found in pairs if found.get("email")]
        if rows and not self.work.is_dry:
            Customer.objects.bulk_create(rows, update_conflicts=True, unique_fields=["id"], update_fields=["email"])
            paying_twice.alert_address([row.pk for row in rows])

    def _correct(self, row: Customer, email: str) -> None:
        """Correct the address, unless a webhook has corrected it meanwhile."""
        report.drift(self.work.run, row.pk, {"email": (row.email, email)}, report.likely_cause(row.pk))
        if not self.work.is_dry:
            self.work.run.healed += Customer.objects.filter(pk=row.pk, email=row.email).update(email=email)
            paying_twice.alert_address([row.pk])

    def _link(self, pairs: list[tuple[Customer, dict[str, Any]]]) -> None:
        """Link each customer to the subscriber that our own metadata names, if the address is theirs as well: since a
        backup was restored, another subscriber may have got the same primary key."""
        model = apps.get_model(conf.subscriber_model)
        named: dict[Any, list[tuple[Customer, dict[str, Any]]]] = {}
        for row, found in pairs:
            if (key := _key(model, found)) is not None:
                named.setdefault(key, []).append((row, found))
        if not named or self.work.is_dry:
            return
        linked = []
        for subscriber in listed_subscribers().filter(pk__in=named):
            email = customer_details.email_of(subscriber)
            for row, found in named[subscriber.pk]:
                if email and email.lower() == (found.get("email") or "").lower():
                    linked += [row.pk] if Customer.objects.link(row.pk, subscriber.pk) else []
        paying_twice.alert_linked(linked)


def _key(model: Any, found: dict[str, Any]) -> Any:
    """Return the primary key that a customer's metadata name; None if they name none, or one that this model cannot
    have."""
    named = readers.metadata_of(found).get(METADATA_KEY)
    try:
        return model._meta.pk.to_python(named) if named else None
    except ValidationError:
        return None

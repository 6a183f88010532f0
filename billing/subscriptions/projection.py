"""The projection asks Stripe what a customer has, writes a row for each subscription, marks which counts in each line,
and announces what really changed.

There is no second way to write a `Subscription`: webhooks, the return page and the sync all come through `refresh`,
holding the customer's lane.
"""

from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

from django.utils import timezone

from billing import catalogue, cause, clock, stripe_account
from billing.models import Customer, Hold, Subscription
from billing.stripe_client import StripeRefused, fetch, is_first_time

from . import awaited, discounts, doubts, duplicates, invoices, mirror, mrr, next_charges, overage, paying_twice, trials
from .announcing import announce_changes, is_started
from .choosing import LIVE, mark_counting
from .columns import columns_of
from .items import write_items

Status = Subscription.Status
Found = dict[str, Any]
OpenInvoices = Callable[[str], list[Found]]


def refresh(customer: Customer) -> Subscription:
    """Ask Stripe what `customer` has now and project it; return the subscription that counts in the line `main`, or a
    placeholder.
    """
    refresh_rows(customer)
    return customer.subscription


def refresh_rows(customer: Customer) -> None:
    """Ask Stripe what `customer` has now and project it. Later calls in the same drain find the work done."""
    if is_first_time(f"refresh:{customer.pk}"):
        with catalogue.prices_remembered():
            _refresh(customer)


def _refresh(customer: Customer) -> None:
    asked_at = timezone.now()
    found = _found_of(customer)
    mirror.write_subscriptions(found)
    pairs = _project_and_save(customer, found)
    rows = [row for _, row in pairs]
    Subscription.objects.filter(customer=customer).update(fetched_at=asked_at)
    by_id = {row.stripe_id: row for row in rows}
    write_items([(by_id[item["id"]], item) for item in found])
    changed = discounts.write_discounts([(by_id[item["id"]], item) for item in found])
    _update_customer(customer, found[0]["customer"] if found else None)
    _release_settled_holds(customer, rows)
    invoices.project_latest(customer, [(by_id[item["id"]], item) for item in found])
    told = {item["id"]: item for item in found}
    for earlier, row in pairs:
        if row.is_foreign:
            continue
        if row.stripe_id in told:
            awaited.conclude(told[row.stripe_id], earlier, row)
        next_charges.note_change(row, told.get(row.stripe_id))
        if row.price_id != earlier.price_id or overage.has_metered(told.get(row.stripe_id)):
            overage.owe_items(row)
    trials.note(pairs, told)
    has_changed = mrr.record_changes(pairs)
    announce_changes(customer, pairs, found, has_changed=has_changed)
    for earlier, row in pairs:
        discounts.announce_discounts(earlier, row, told.get(row.stripe_id), changed[row.pk])
    duplicates.owe_cancellations(customer, found)
    doubts.alert_new(pairs, _ids(duplicates.duplicates_among(found)))


def _project_and_save(customer: Customer, found: list[Found]) -> list[tuple[Subscription, Subscription]]:
    """Save what differs by Stripe's answer. Returns each row as it was, or a placeholder, and as it is."""
    known = rows_of(customer)
    rows = project(customer, found, known)
    before = {row.stripe_id: row for row in known}
    _save([row for row in rows if _differs(row, before.get(row.stripe_id))])
    return [(before.get(row.stripe_id) or Subscription(customer=customer), row) for row in rows]


def date_grace(row: Subscription) -> Subscription:
    """Count grace anew, once the failure that began it is recorded: another row of the line may count since. Returns
    the row as it is then.
    """
    if row.is_foreign or row.status != Status.PAST_DUE:
        return row
    found = fetch.subscriptions(row.customer_id)
    pairs = _project_and_save(row.customer, found)
    announce_changes(row.customer, pairs, found, has_changed=mrr.record_changes(pairs))
    return next((after for _, after in pairs if after.stripe_id == row.stripe_id), row)


def rows_of(customer: Customer) -> list[Subscription]:
    """Return our rows of a customer's subscriptions."""
    found: Any = Subscription.objects.filter(customer=customer).annotate(**discounts.KNOWN)
    rows: list[Subscription] = list(found.select_related("plan", "price", "pending_price__plan"))
    for row in rows:
        row.customer = customer
    return rows


def _found_of(customer: Customer) -> list[dict[str, Any]]:
    """Return the customer's subscriptions at Stripe; none for a deleted customer, whom Stripe may no longer know."""
    try:
        return fetch.subscriptions(customer.pk)
    except StripeRefused:
        if customer.deleted_at is None:
            raise
        return []


def row_for(customer: Customer, subscription_id: str) -> Subscription:
    """Return our row of a subscription that a payment is for; the one that counts in `main` for a one-off payment."""
    rows = Subscription.objects.select_related("plan", "price").filter(customer=customer)
    row = rows.filter(stripe_id=subscription_id).first() if subscription_id else None
    if row is None:
        return customer.subscription
    row.customer = customer
    return row


def projected_now(customer: Customer) -> list[tuple[Subscription, Found]]:
    """Return what our rows become by what Stripe answers now, unsaved, each with Stripe's object. Makes one call.

    Since when a payment is overdue is read from our row, not asked for.
    """
    found = fetch.subscriptions(customer.pk)
    with catalogue.prices_remembered():
        rows = project(customer, found, rows_of(customer), open_invoices=lambda subscription: [])
    by_id = {row.stripe_id: row for row in rows}
    return [(by_id[item["id"]], item) for item in found]


def project(
    customer: Customer,
    found: list[Found],
    known: Iterable[Subscription],
    open_invoices: OpenInvoices | None = None,
) -> list[Subscription]:
    """Return what our rows become by Stripe's answer, unsaved: those of `known` as copies, and new ones."""
    rows = {row.stripe_id: copy(row) for row in known}
    for item in found:
        row = rows.setdefault(item["id"], Subscription(customer=customer, stripe_id=item["id"], counts=False))
        for name, value in columns_of(item, row, open_invoices).items():
            setattr(row, name, value)
    if not found and any(row.status in LIVE for row in rows.values()) and _is_gone(customer):
        for row in rows.values():
            row.status = row.status if row.status in Subscription.TERMINAL else Status.CANCELED
    too_many = _ids(duplicates.duplicates_among(found))
    mark_counting(rows.values(), too_many)
    for row in rows.values():
        row.mrr = 0 if row.stripe_id in too_many else mrr.of_row(row)
        row.has_announced_start |= is_started(row)
    return list(rows.values())


def _is_gone(customer: Customer) -> bool:
    return customer.deleted_at is not None or fetch.is_deleted(customer.pk)


def _ids(found: list[Found]) -> frozenset[str]:
    return frozenset(item["id"] for item in found)


def _differs(row: Subscription, before: Subscription | None) -> bool:
    names = (field.attname for field in Subscription._meta.concrete_fields)
    return before is None or any(getattr(row, name) != getattr(before, name) for name in names)


def _save(rows: list[Subscription]) -> None:
    """Save the rows, those that do not count first: in each line only one may."""
    for row in sorted(rows, key=lambda row: row.counts):
        row.save()


def is_live(customer: Customer, subscription_id: str) -> bool:
    """Return whether Stripe would still bill this subscription, be it the one that counts or not."""
    found = fetch.subscriptions(customer.pk)
    return any(item["id"] == subscription_id and is_live_status(item["status"]) for item in found)


def is_live_status(status: str) -> bool:
    """Return whether a subscription of this status may still be billed; one that we do not know may."""
    return status not in Subscription.TERMINAL


def _update_customer(customer: Customer, found: Any) -> None:
    """Copy address, language and balance from Stripe, emptied ones too, except for a deleted customer."""
    if customer.deleted_at:
        return
    stripe_account.note_seen(customer)
    found = found if isinstance(found, dict) else {}
    known = {"email": found["email"] or ""} if "email" in found else {}
    if "preferred_locales" in found:
        known["preferred_locale"] = (found["preferred_locales"] or [""])[0]
    changed: dict[str, Any] = {name: value for name, value in known.items() if value != getattr(customer, name)}
    if found and customer.balance != (found.get("balance") or 0):
        changed["balance"] = found.get("balance") or 0
    if found.get("currency") and customer.currency != found["currency"]:
        changed["currency"] = found["currency"]
    if "email" in changed:
        paying_twice.alert_address([customer.pk])
    if changed:
        for name, value in changed.items():
            setattr(customer, name, value)
        customer.save(update_fields=list(changed))


def _release_settled_holds(customer: Customer, rows: list[Subscription]) -> None:
    """Release the holds of refunds and disputes of subscriptions that have ended: a new one starts without them."""
    ended = [row.stripe_id for row in rows if row.status in Subscription.TERMINAL]
    settled = (Hold.Kind.REFUND, Hold.Kind.DISPUTE)
    of_ended = customer.holds.active().filter(kind__in=settled, subscription_id__in=ended)
    if ended:
        of_ended.update(released_at=clock.now(), released_by=cause.current())

"""An event's page shows its effects: the state before and after, records of its object, mails it caused, and its
history.

Each takes a few queries by an index, and shows only what the reader may view.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from billing import access
from billing.conf import conf
from billing.models import Customer, InvoicePayment, StripeEvent, SubscriptionChange

from . import display, event_words, mail_rows, payment_words

SHOWN = 20
JUST_BEFORE = timedelta(microseconds=1)
NAMES = {"stripe_id": "subscription", "plan_id": "plan", "price_id": "price", "unmapped_price": "price without a plan"}
NAMES_OF_OBJECT = ("id", "invoice", "charge", "payment_intent")
NO_CHANGE = "No change to the subscription: it was already up to date, or another event of the same batch updated it."
NOT_YET = "No effects: the event was not applied."
BY_HOLD = "No change to the subscription itself. See the hold below."

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Effects:
    """This is one table of effects; `nothing` is shown if it has no rows."""

    title: str
    columns: tuple[str, ...]
    rows: list[Row]
    nothing: str


def effects_of(request: HttpRequest, event: StripeEvent) -> list[Effects]:
    """Return the tables of effects that the reader may view."""
    customer = Customer.objects.filter(pk=event.lane).first()
    history = Effects("History", ("when", "what", "details"), _history(event), "")
    return [*(_on_customer(request, customer, event) if customer else []), history]


def _on_customer(request: HttpRequest, customer: Customer, event: StripeEvent) -> Iterator[Effects]:
    if request.user.has_perm(f"{conf.app_label}.view_subscription"):
        changes = list(_changes(customer, event))
        yield Effects("Changes", ("", "before", "after"), changes, _why_nothing(customer, event))
    facts = list(_facts(request, customer, event))
    yield Effects("Records of its object", ("what", "amount", "status", "when"), facts, "Nothing.")
    mails = mail_rows.newest_mails(mail_rows.Asked(request, customer.pk, event.pk))
    cells: list[Row] = [(mail.what, mail.recipient, mail.state, display.moment(mail.at)) for mail in reversed(mails)]
    yield Effects("Mails", ("mail", "to", "status", "decided"), cells, "None.")


def _why_nothing(customer: Customer, event: StripeEvent) -> str:
    if event.status != StripeEvent.Status.PROCESSED:
        return NOT_YET
    return BY_HOLD if customer.holds.filter(reference=event.object_id).exists() else NO_CHANGE


# Changes


def _changes(customer: Customer, event: StripeEvent) -> Iterator[Row]:
    rows = customer.subscription_changes.select_related("plan", "price").order_by("pk")
    for after in rows.filter(cause=event.pk)[:SHOWN]:
        before = rows.filter(pk__lt=after.pk, stripe_id=after.stripe_id).last()
        for name in SubscriptionChange.STATE:
            values = (_shown(before, name), _shown(after, name))
            if values[0] != values[1]:
                yield (NAMES.get(name, name).replace("_", " ").capitalize(), *values)
        yield from _access(customer, after.recorded_at)


def _shown(change: SubscriptionChange | None, name: str) -> Any:
    value = getattr(change, name.removesuffix("_id") if name in {"plan_id", "price_id"} else name) if change else None
    if value is None or value == "":
        return display.NOTHING
    if isinstance(value, datetime):
        return display.moment(value)
    return str(value)


def _access(customer: Customer, at: datetime) -> Iterator[Row]:
    """Return the access that the rules gave, from what was known just before and at that time, holds included."""
    told = [access.explain_customer(customer, moment) for moment in (at - JUST_BEFORE, at)]
    if told[0].reason != told[1].reason:
        badges = [display.badge(one.reason.replace("_", " "), "good" if one.has_access else "bad") for one in told]
        yield ("Access", *badges)


# Records


def _facts(request: HttpRequest, customer: Customer, event: StripeEvent) -> Iterator[Row]:
    """Find rows by the ids that the event's object has or names; a pruned event has only one."""
    ids = _ids(event)
    known = InvoicePayment.objects.filter(Q(pk__in=ids) | Q(charge__in=ids) | Q(payment_intent__in=ids))
    ids |= set(known.filter(customer=customer).values_list("invoice_id", flat=True)) if ids else set()
    for kind in KINDS:
        if ids and request.user.has_perm(f"{conf.app_label}.view_{kind.model}"):
            yield from map(kind.cells, kind.about(customer, ids)[:SHOWN])


def _ids(event: StripeEvent) -> set[str]:
    obj = event.payload.get("data", {}).get("object", {}) if isinstance(event.payload, dict) else {}
    named = [obj.get(name) for name in NAMES_OF_OBJECT]
    return {name for name in (event.object_id, *named) if isinstance(name, str) and name}


@dataclass(frozen=True)
class Kind:
    """A kind of fact has its model in lower case, a query for its rows, and a function that turns a row into cells."""

    model: str
    about: Callable[[Customer, set[str]], QuerySet[Any]]
    cells: Callable[[Any], Row]


def _fact(model: str, word: str, state: Callable[[Any], Any], at: str) -> Callable[[Any], Row]:
    def cells(row: Any) -> Row:
        amount = display.amount(row.amount, row.currency) if hasattr(row, "amount") else None
        what = display.lines(display.row_link(model, row.pk, word), display.plain_id(str(row)))
        return (what, amount or display.NOTHING, state(row), display.moment(getattr(row, at)))

    return cells


def _in_force(hold: Any) -> Any:
    return display.badge("released", "quiet") if hold.released_at else display.badge("in force", "bad")


KINDS = (
    Kind(
        "payment",
        lambda customer, ids: customer.payments.filter(invoice_id__in=ids),
        _fact("payment", "Payment", lambda row: display.badge("paid", "good"), "paid_at"),
    ),
    Kind(
        "paymentfailure",
        lambda customer, ids: customer.payment_failures.filter(invoice_id__in=ids).order_by("attempt"),
        _fact("paymentfailure", "Failed payment", payment_words.what_failed, "failed_at"),
    ),
    Kind(
        "refund",
        lambda customer, ids: customer.refunds.filter(Q(pk__in=ids) | Q(charge__in=ids)).order_by("created_at"),
        _fact("refund", "Refund", payment_words.refund_status, "created_at"),
    ),
    Kind(
        "dispute",
        lambda customer, ids: customer.disputes.filter(Q(pk__in=ids) | Q(charge__in=ids)).order_by("opened_at"),
        _fact("dispute", "Dispute", payment_words.dispute_status, "opened_at"),
    ),
    Kind(
        "hold",
        lambda customer, ids: customer.holds.filter(reference__in=ids).order_by("placed_at"),
        _fact("hold", "Hold", _in_force, "placed_at"),
    ),
    Kind(
        "checkoutattempt",
        lambda customer, ids: customer.checkout_attempts.filter(session_id__in=ids),
        _fact("checkoutattempt", "Checkout", payment_words.checkout_status, "created_at"),
    ),
)


# Its own history


def _history(event: StripeEvent) -> list[Row]:
    """Return when the event was received, each failed attempt, the actions of staff, and the end."""
    said = sorted([*_failures(event), *_staff(event), *_ends(event)], key=lambda row: row[0])
    return [(display.exact(at), what, details) for at, what, details in said]


def _failures(event: StripeEvent) -> Iterator[Row]:
    for failure in event.failures or []:
        yield parse_datetime(failure["at"]), display.badge("failed", "bad"), display.preformatted(failure["error"])


def _staff(event: StripeEvent) -> Iterator[Row]:
    entries = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(StripeEvent), object_id=event.pk
    ).select_related("user")
    for entry in entries.order_by("-action_time")[:SHOWN]:
        yield entry.action_time, display.badge("staff", "quiet"), f"{entry.get_change_message()}: {entry.user}"


def _ends(event: StripeEvent) -> Iterator[Row]:
    by = {"sync": "Found by the sync", "replay": "Received, and queued again since"}
    yield event.received_at, display.badge("received", "quiet"), by.get(event.source, "Sent by Stripe")
    if event.status == StripeEvent.Status.PROCESSED and event.processed_at:
        after = f"At attempt {event.attempts}" if event.attempts > 1 else ""
        yield event.processed_at, event_words.state_badge(event), after

"""A subscription's page has these tables: payments, failures, refunds, disputes, holds, checkouts and events.

Each is one query for the newest rows, and is shown only to staff who may view its model.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from billing.conf import conf
from billing.models import Customer, StripeEvent

from . import display, event_words, payment_words

SHOWN = 20

Cell = Any


@dataclass(frozen=True)
class Panel:
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    all_rows: SafeString


@dataclass(frozen=True)
class Kind:
    """A kind of panel has a model, a query for the newest rows of a customer, and a function that turns a row into
    cells."""

    title: str
    model: str
    columns: tuple[str, ...]
    newest: Callable[[Customer], QuerySet[Any]]
    cells: Callable[[Any], tuple[Cell, ...]]

    def of(self, customer: Customer) -> Panel:
        rows = [self.cells(row) for row in self.newest(customer)[:SHOWN]]
        return Panel(self.title, self.columns, rows, display.list_link(self.model, "All", q=customer.pk))


def panels_of(request: HttpRequest, customer: Customer) -> list[Panel]:
    """Return the panels of a customer that the reader may view."""
    return [kind.of(customer) for kind in KINDS if request.user.has_perm(f"{conf.app_label}.view_{kind.model}")]


def _events_of(customer: Customer) -> QuerySet[StripeEvent]:
    return StripeEvent.objects.filter(lane=customer.pk).defer("payload").order_by("-created", "-pk")


KINDS = (
    Kind(
        "Holds",
        "hold",
        ("kind", "for", "placed", "released"),
        lambda customer: customer.holds.order_by("-placed_at"),
        lambda hold: (
            display.row_link("hold", hold.pk, hold.get_kind_display()),
            display.at_stripe(hold.reference),
            display.moment(hold.placed_at),
            display.moment(hold.released_at) or display.badge("in force", "bad"),
        ),
    ),
    Kind(
        "Payments",
        "payment",
        ("amount", "reason", "invoice", "paid", "receipt"),
        lambda customer: customer.payments.order_by("-paid_at"),
        lambda payment: (
            display.row_link("payment", payment.pk, display.amount(payment.amount, payment.currency)),
            payment_words.reason(payment),
            display.at_stripe(payment.invoice_id),
            display.moment(payment.paid_at),
            payment_words.receipt(payment),
        ),
    ),
    Kind(
        "Failed payments",
        "paymentfailure",
        ("due", "error", "invoice", "failed", "next attempt"),
        lambda customer: customer.payment_failures.order_by("-failed_at"),
        lambda failure: (
            display.row_link("paymentfailure", failure.pk, display.amount(failure.amount, failure.currency)),
            payment_words.what_failed(failure),
            display.at_stripe(failure.invoice_id),
            display.moment(failure.failed_at),
            display.moment(failure.next_attempt_at) or "none scheduled",
        ),
    ),
    Kind(
        "Refunds",
        "refund",
        ("amount", "status", "refund", "created"),
        lambda customer: customer.refunds.order_by("-created_at"),
        lambda refund: (
            display.row_link("refund", refund.pk, display.amount(refund.amount, refund.currency)),
            payment_words.refund_status(refund),
            display.at_stripe(refund.pk),
            display.moment(refund.created_at),
        ),
    ),
    Kind(
        "Disputes",
        "dispute",
        ("amount", "status", "reason", "dispute", "opened"),
        lambda customer: customer.disputes.order_by("-opened_at"),
        lambda dispute: (
            display.row_link("dispute", dispute.pk, display.amount(dispute.amount, dispute.currency)),
            payment_words.dispute_status(dispute),
            dispute.reason.replace("_", " "),
            display.at_stripe(dispute.pk),
            display.moment(dispute.opened_at),
        ),
    ),
    Kind(
        "Checkouts",
        "checkoutattempt",
        ("price", "status", "session", "started"),
        lambda customer: customer.checkout_attempts.select_related("price").order_by("-created_at"),
        lambda attempt: (
            display.row_link("checkoutattempt", attempt.pk, attempt.price),
            payment_words.checkout_status(attempt),
            display.at_stripe(attempt.session_id),
            display.moment(attempt.created_at),
        ),
    ),
    Kind(
        "Newest events",
        "stripeevent",
        ("type", "status", "object", "received"),
        _events_of,
        lambda event: (
            display.row_link("stripeevent", event.pk, event.type),
            display.lines(event_words.state_badge(event), event_words.error_in_short(event)),
            display.at_stripe(event.object_id, event.livemode),
            display.moment(event.received_at),
        ),
    ),
)

"""This module names what needs a person today, and filters the lists by it."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from billing import clock
from billing.lifecycle import guests
from billing.models import (
    AccountDeletion,
    Agreement,
    Alert,
    Dispute,
    Invoice,
    MirrorFailure,
    Payment,
    PriceMoveRow,
    Purchase,
    StripeEvent,
    StripeWrite,
    Subscription,
    SyncRun,
    TaxId,
    Trial,
    UsageReport,
)
from billing.monitoring.needs import PARAMETER, Need, add, of_model
from billing.payments import nothing
from billing.subscriptions import doubts, paying_twice, trials

STUCK_AFTER = timedelta(hours=3)
# `billing.monitoring.watch` reminds staff of these once an hour while they last.
CONDITIONS = ("queue_stuck", "stripe_away", "endpoint_silent")
LASTS = timedelta(minutes=70)
LATELY = timedelta(days=1)


def _disputes() -> QuerySet[Dispute]:
    answers = ("needs_response", "appeal_needs_response", "warning_needs_response")
    return Dispute.objects.filter(status__in=answers, customer__deleted_at=None)


def _overdue() -> QuerySet[Invoice]:
    now = clock.now()
    return Invoice.objects.filter(status=Invoice.Status.OPEN, collection_method="send_invoice", due_at__lte=now)


def _stuck_deletions() -> QuerySet[AccountDeletion]:
    return AccountDeletion.objects.filter(done_at=None, requested_at__lt=clock.now() - STUCK_AFTER)


def _syncs() -> QuerySet[SyncRun]:
    """Return runs of the last day that failed, met trouble, or found what they did not put right."""
    lately = SyncRun.objects.filter(started_at__gt=timezone.now() - LATELY).exclude(status=SyncRun.Status.RUNNING)
    return lately.filter(Q(status=SyncRun.Status.FAILED) | Q(drifted__gt=0) | Q(troubled__gt=0))


def _conditions() -> QuerySet[Alert]:
    return Alert.objects.filter(cause__in=CONDITIONS, raised_at__gt=timezone.now() - LASTS)


def _guests() -> QuerySet[Purchase]:
    """Return purchases of guests for which nobody has signed up for days."""
    return Purchase.objects.unmatched().filter(created_at__lt=clock.now() - guests.ABANDONED_AFTER)


add(
    Need("condition", Alert, "problem continues", "problems continue", _conditions),
    Need("dispute", Dispute, "dispute waits for an answer", "disputes wait for an answer", _disputes),
    Need("dead", StripeEvent, "event failed for good", "events failed for good", StripeEvent.objects.dead),
    Need(
        "failed",
        StripeEvent,
        "event failed and will be retried",
        "events failed and will be retried",
        lambda: StripeEvent.objects.filter(status=StripeEvent.Status.FAILED),
    ),
    Need(
        "refused",
        StripeWrite,
        "request to Stripe was refused",
        "requests to Stripe were refused",
        lambda: StripeWrite.objects.filter(refused_at__isnull=False),
    ),
    Need(
        "unknown_price",
        Subscription,
        "subscription has a price without a plan",
        "subscriptions have prices without a plan",
        doubts.unknown,
    ),
    Need(
        "billed_twice",
        Subscription,
        "subscription duplicates another",
        "subscriptions duplicate others",
        paying_twice.rows_beside_another,
    ),
    Need("nothing", Payment, "payment bought nothing", "payments bought nothing", nothing.waiting),
    Need("overdue", Invoice, "invoice with terms is overdue", "invoices with terms are overdue", _overdue),
    Need(
        "address",
        Invoice,
        "invoice waits for an address",
        "invoices wait for an address",
        Invoice.objects.awaiting_address,
    ),
    Need(
        "agreement",
        Agreement,
        "agreement could not start",
        "agreements could not start",
        lambda: Agreement.objects.filter(status=Agreement.Status.REFUSED),
    ),
    Need("trial", Trial, "trial may be a person's second", "trials may be a person's second", trials.unsettled),
    Need(
        "move",
        PriceMoveRow,
        "price move needs a decision",
        "price moves need a decision",
        PriceMoveRow.objects.of_a_person,
    ),
    Need(
        "tax_id",
        TaxId,
        "tax ID is not known to its registry",
        "tax IDs are not known to their registry",
        TaxId.objects.doubtful,
    ),
    Need(
        "use",
        UsageReport,
        "usage report needs a decision",
        "usage reports need a decision",
        lambda: UsageReport.objects.filter(state__in=UsageReport.NEEDS_PERSON),
    ),
    Need(
        "guest",
        Purchase,
        "purchase of a guest waits for its owner",
        "purchases of guests wait for their owners",
        _guests,
    ),
    Need("deletion", AccountDeletion, "deletion is stuck", "deletions are stuck", _stuck_deletions),
    Need("sync", SyncRun, "sync found differences or failed", "syncs found differences or failed", _syncs),
    Need(
        "mirror",
        MirrorFailure,
        "object could not be mirrored",
        "objects could not be mirrored",
        MirrorFailure.objects.all,
    ),
)


class NeedFilter(admin.SimpleListFilter):
    """A list is filtered by what waits for a person; lists of rows that never wait do not offer it."""

    title = "what needs a person"
    parameter_name = PARAMETER

    def __init__(self, request: HttpRequest, params: Any, model: type[Model], model_admin: Any) -> None:
        self.needs = of_model(model)
        self.is_beside_others = bool(model_admin.list_filter)
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(need.name, need.many.capitalize()) for need in self.needs.values()]

    def has_output(self) -> bool:
        """A list without other filters has no room beside it, until the first page leads here."""
        return super().has_output() and (self.is_beside_others or self.value() is not None)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        need = self.needs.get(self.value() or "")
        return queryset.filter(pk__in=need.rows().order_by().values("pk")) if need else queryset

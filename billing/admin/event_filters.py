"""Filters and a search find events by an index, however large the table is."""

from typing import Any

from django.contrib import admin
from django.db import connections
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from billing.models import Customer, StripeEvent

from . import people

Status = StripeEvent.Status

# The query jumps from one type to the next along the index on `type`; SELECT DISTINCT would read every row.
TABLE = StripeEvent._meta.db_table
DISTINCT_TYPES = f"""
WITH RECURSIVE found(type) AS (
    SELECT MIN(type) FROM {TABLE}
    UNION ALL
    SELECT (SELECT MIN(type) FROM {TABLE} WHERE type > found.type) FROM found WHERE found.type IS NOT NULL
)
SELECT type FROM found WHERE type IS NOT NULL
"""  # noqa: S608


def types_seen(using: str) -> list[str]:
    """Return every event type that has a row, in order."""
    with connections[using].cursor() as cursor:
        cursor.execute(DISTINCT_TYPES)
        return [name for (name,) in cursor.fetchall()]


class StateFilter(admin.SimpleListFilter):
    """Filter by status; a dead event that staff marked as handled is listed under "handled", no longer under "dead"."""

    title = "status"
    parameter_name = "status__exact"
    TROUBLE, HANDLED = "trouble", "handled"
    WENT_WRONG = (Status.FAILED, Status.DEAD)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.TROUBLE, "Failed or dead"), *Status.choices, (self.HANDLED, "Handled")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
        match self.value():
            case None:
                return queryset
            case self.TROUBLE:
                return queryset.filter(status__in=self.WENT_WRONG, handled_at=None)
            case self.HANDLED:
                return queryset.filter(status=Status.DEAD, handled_at__isnull=False)
            case Status.DEAD:
                return queryset.filter(status=Status.DEAD, handled_at=None)
            case status:
                return queryset.filter(status=status)


class TypeFilter(admin.SimpleListFilter):
    title = "type"
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in types_seen(model_admin.get_queryset(request).db)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
        return queryset.filter(type=self.value()) if self.value() else queryset


class ModeFilter(admin.SimpleListFilter):
    """Filter by `livemode`, in Stripe's words."""

    title = "mode"
    parameter_name = "livemode__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Live"), ("0", "Test")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
        return queryset.filter(livemode=self.value() == "1") if self.value() else queryset


def search(events: QuerySet[StripeEvent], text: str) -> QuerySet[StripeEvent]:
    """Find events by ids or addresses: each word is looked up by its index, so a pasted list finds all of them."""
    words = text.replace(",", " ").split()
    if not words:
        return events
    lanes = [*words, *_customers_with_email([word for word in words if "@" in word])]
    return events.filter(Q(pk__in=words) | Q(object_id__in=words) | Q(lane__in=lanes))


def _customers_with_email(addresses: list[str]) -> set[str]:
    """Find customers by Stripe's address and by the subscriber's own, in two queries, since no index answers both."""
    if not addresses:
        return set()
    spellings = {*addresses, *(address.lower() for address in addresses)}
    paths = ["email", *people.email_paths()]
    return {
        pk
        for path in paths
        for pk in Customer.objects.filter(**{f"{path}__in": spellings}).values_list("pk", flat=True)
    }

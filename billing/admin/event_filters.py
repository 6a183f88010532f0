"""Finding events: filters and a search that go by an index, however large the table."""

from typing import Any

from django.contrib import admin
from django.db import connections
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from billing.models import Customer, StripeEvent

from . import people

Status = StripeEvent.Status

# Hops from one type to the next along the index on `type`; SELECT DISTINCT would read every row.
DISTINCT_TYPES = """
WITH RECURSIVE found(type) AS (
    SELECT MIN(type) FROM stripe_events
    UNION ALL
    SELECT (SELECT MIN(type) FROM stripe_events WHERE type > found.type) FROM found WHERE found.type IS NOT NULL
)
SELECT type FROM found WHERE type IS NOT NULL
"""


def types_seen(using: str) -> list[str]:
    """Every event type there is a row of, in order."""
    with connections[using].cursor() as cursor:
        cursor.execute(DISTINCT_TYPES)
        return [name for (name,) in cursor.fetchall()]


class StateFilter(admin.SimpleListFilter):
    """By status; a dead event that staff called handled is found under that, and no more under dead."""

    title = "state"
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
    """In Stripe's words for `livemode`."""

    title = "mode"
    parameter_name = "livemode__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Live"), ("0", "Test")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StripeEvent]) -> QuerySet[StripeEvent]:
        return queryset.filter(livemode=self.value() == "1") if self.value() else queryset


def search(events: QuerySet[StripeEvent], text: str) -> QuerySet[StripeEvent]:
    """Every word is an id or address to be found, so that a pasted list finds them all; each by its index."""
    words = text.replace(",", " ").split()
    if not words:
        return events
    lanes = [*words, *_customers_with_email([word for word in words if "@" in word])]
    return events.filter(Q(pk__in=words) | Q(object_id__in=words) | Q(lane__in=lanes))


def _customers_with_email(addresses: list[str]) -> set[str]:
    """By Stripe's address for them and by their own: two questions, for no index answers both at once."""
    if not addresses:
        return set()
    spellings = {*addresses, *(address.lower() for address in addresses)}
    paths = ["email", *people.email_paths()]
    return {
        pk
        for path in paths
        for pk in Customer.objects.filter(**{f"{path}__in": spellings}).values_list("pk", flat=True)
    }

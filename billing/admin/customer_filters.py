"""Staff filter customers by the plan, the status and the worth of the subscriptions that count."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from billing.models import Customer, Plan, Subscription
from billing.money import THREE_DECIMAL, ZERO_DECIMAL

# Main units a month, from the first up to and without the second.
WORTH = {"none": (None, 0), "20": (0, 20), "100": (20, 100), "500": (100, 500), "more": (500, None)}
WORDS = {"none": "Nothing", "20": "Under 20 a month", "100": "20 to 100", "500": "100 to 500", "more": "500 and more"}


def _counting(**which: Any) -> QuerySet[Subscription]:
    return Subscription.objects.filter(customer=OuterRef("pk"), counts=True, **which)


class PlanFilter(admin.SimpleListFilter):
    title, parameter_name = "plan", "plan"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*Plan.objects.order_by("line", "rank", "slug").values_list("slug", "name"), ("-", "No plan")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        if self.value() is None:
            return queryset
        if self.value() == "-":
            return queryset.filter(~Exists(_counting(plan__isnull=False)))
        return queryset.filter(Exists(_counting(plan__slug=self.value())))


class StatusFilter(admin.SimpleListFilter):
    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        shown = [status for status in Subscription.Status if status != Subscription.Status.NONE]
        return [
            *((status.value, status.value.replace("_", " ").capitalize()) for status in shown),
            ("-", "Never bought"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        if self.value() is None:
            return queryset
        if self.value() == "-":
            return queryset.filter(~Exists(Subscription.objects.filter(customer=OuterRef("pk"))))
        return queryset.filter(Exists(_counting(status=self.value())))


class WorthFilter(admin.SimpleListFilter):
    """A customer is worth the MRR of a subscription that counts, in its own currency."""

    title, parameter_name = "value", "worth"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        if self.value() not in WORTH:
            return queryset
        paying = _counting(mrr__gt=0)
        first, until = WORTH[str(self.value())]
        if first is None:
            return queryset.filter(~Exists(paying))
        within = paying.filter(_at_least(first)) if first else paying
        return queryset.filter(Exists(within if until is None else within.exclude(_at_least(until))))


def _at_least(main: int) -> Q:
    """Return whether the MRR is so many main units, whatever the decimals of its currency."""
    whole, fine = Q(currency__in=ZERO_DECIMAL), Q(currency__in=THREE_DECIMAL)
    cents = ~whole & ~fine & Q(mrr__gte=main * 100)
    return (whole & Q(mrr__gte=main)) | (fine & Q(mrr__gte=main * 1000)) | cents

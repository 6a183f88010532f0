"""The dashboard links to failed payments through this filter, by what became of the invoice."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.models import PaymentFailure
from billing.monitoring.dashboard import recovery


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        first = [(outcome, f"{name}, by first attempt") for outcome, name in recovery.OUTCOMES.items()]
        return [("any", "Any, by first attempt"), *first, ("due_now", "Outstanding now, by last attempt")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[PaymentFailure]) -> QuerySet[PaymentFailure]:
        wanted = self.value()
        if wanted == "due_now":
            return queryset.filter(pk__in=recovery.unpaid().values("pk"))
        if wanted:
            found = recovery.first_failures()
            return queryset.filter(pk__in=(found if wanted == "any" else found.filter(outcome=wanted)).values("pk"))
        return queryset

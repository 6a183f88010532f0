"""Staff see how much of each feature was used in which period."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.models import Usage

from . import display, people
from .readonly import ReadOnlyAdmin


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    list_display = ["feature", "subscriber_link", "counted", "since"]
    list_filter = [("feature", admin.AllValuesFieldListFilter), "period_start"]
    list_select_related = ["subscriber"]
    ordering = ["-period_start"]
    search_help_text = "Customer id, or the beginning of an e-mail address"
    fields = ["feature", "subscriber_link", "counted", "since"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("subscriber__billing_customers")

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        emails = [f"{path}__istartswith" for path in people.email_paths()]
        return ["subscriber__billing_customers__id__exact", *emails]

    @display.column("subscriber")
    def subscriber_link(self, usage: Usage) -> Any:
        return people.subscriber_or_customer_link(usage.subscriber)

    @display.column("used", ordering="used")
    def counted(self, usage: Usage) -> Any:
        over = (
            display.badge("above the limit", "bad", "The subscriber was told") if usage.has_announced_overflow else ""
        )
        return display.lines(f"{usage.used:,}", over)

    @display.column("period began", ordering="period_start")
    def since(self, usage: Usage) -> Any:
        return display.moment(usage.period_start)

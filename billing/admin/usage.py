"""What was used of each feature in which period."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from billing.models import Usage

from . import display, people
from .readonly import ReadOnlyAdmin


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    list_display = ["subscriber", "feature", "used", "since"]
    list_filter = [("feature", admin.AllValuesFieldListFilter), "period_start"]
    list_select_related = ["subscriber"]
    ordering = ["-period_start"]
    search_help_text = "Customer id, or the beginning of an e-mail address"
    fields = ["subscriber", "feature", "used", "since"]
    readonly_fields = fields

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        emails = [f"{path}__istartswith" for path in people.email_paths()]
        return ["subscriber__billing_customer__id__exact", *emails]

    @display.column("period began", ordering="period_start")
    def since(self, usage: Usage) -> Any:
        return display.moment(usage.period_start)

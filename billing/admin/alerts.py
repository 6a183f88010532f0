"""Staff see which alerts were mailed, and which wait to be mailed."""

from typing import Any

from django.contrib import admin

from billing.models import Alert

from . import display
from .readonly import ReadOnlyAdmin


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ["subject", "cause", "raised", "told", "waiting"]
    ordering = ["-raised_at"]
    search_fields = ["cause__exact", "text"]
    fields = ["subject", "text", "cause", "raised", "told", "waiting"]
    readonly_fields = fields

    @display.column("last raised", ordering="raised_at")
    def raised(self, alert: Alert) -> Any:
        return display.age(alert.raised_at)

    @display.column("last mailed", ordering="told_at")
    def told(self, alert: Alert) -> Any:
        return display.moment(alert.told_at)

"""Staff see what could not be written into dj-stripe's tables, and whether it has been since."""

from typing import Any

from django.contrib import admin

from billing.models import MirrorFailure
from billing.subscriptions import mirror_failures

from . import display
from .readonly import ReadOnlyAdmin


@admin.register(MirrorFailure)
class MirrorFailureAdmin(ReadOnlyAdmin):
    list_display = ["object_link", "kind", "state", "error", "times", "failed"]
    list_display_links = ["kind"]  # the object links to Stripe
    list_filter = ["kind", "failed_at"]
    ordering = ["-failed_at"]
    search_fields = ["object_id__exact"]
    search_help_text = "Whole id of the object at Stripe"
    fields = list_display
    readonly_fields = fields

    @display.column("object", ordering="object_id")
    def object_link(self, failure: MirrorFailure) -> Any:
        return display.at_stripe(failure.pk)

    @display.column("status")
    def state(self, failure: MirrorFailure) -> Any:
        if mirror_failures.missing([failure]):
            return display.badge("missing", "bad", mirror_failures.TODO)
        return display.badge("mirrored since", "good")

    @display.column("last failed", ordering="failed_at")
    def failed(self, failure: MirrorFailure) -> Any:
        return display.moment(failure.failed_at)

"""The machinery as staff reads it: which lanes are awake or held, and what we still owe Stripe."""

from typing import Any

from django.contrib import admin
from django.utils import timezone

from billing.models import Lane, StripeWrite

from . import display
from .readonly import ReadOnlyAdmin


@admin.register(Lane)
class LaneAdmin(ReadOnlyAdmin):
    list_display = ["lane", "state", "woken", "lease", "arrived", "drained"]
    ordering = ["-woken_at"]
    search_fields = ["key__exact"]
    search_help_text = "The lane's whole key: a customer's id for nearly all"
    fields = ["lane", "state", "woken", "lease", "arrived", "drained", "events"]
    readonly_fields = fields

    @admin.display(description="lane", ordering="key")
    def lane(self, lane: Lane) -> Any:
        return display.plain_id(lane.key)

    @admin.display(description="state")
    def state(self, lane: Lane) -> Any:
        if lane.token and lane.leased_until and lane.leased_until > timezone.now():
            return display.badge("at work", "good", "A worker holds it")
        if lane.arrived == lane.drained:
            return display.badge("asleep", "quiet", "Nothing waits")
        return display.badge("awake", "waiting", "Something waits to be processed")

    @admin.display(description="woken", ordering="woken_at")
    def woken(self, lane: Lane) -> Any:
        return display.exact(lane.woken_at)

    @admin.display(description="held until")
    def lease(self, lane: Lane) -> Any:
        return display.exact(lane.leased_until) if lane.token else None

    @admin.display(description="events")
    def events(self, lane: Lane) -> Any:
        return display.list_link("stripeevent", "All events of this lane", q=lane.key)


@admin.register(StripeWrite)
class StripeWriteAdmin(ReadOnlyAdmin):
    list_display = ["action", "object_link", "state", "cause", "requested", "done", "attempts"]
    list_filter = ["action", ("done_at", admin.EmptyFieldListFilter), "requested_at"]
    ordering = ["-requested_at"]
    search_fields = ["lane__exact", "object_id__exact", "reference__exact"]
    search_help_text = "Customer, object or cause, by its whole id"
    fields = ["action", "object_link", "state", "cause", "lane", "requested", "done", "attempts", "next_try", "error"]
    readonly_fields = fields

    @admin.display(description="object", ordering="object_id")
    def object_link(self, write: StripeWrite) -> Any:
        return display.at_stripe(write.object_id)

    @admin.display(description="because of")
    def cause(self, write: StripeWrite) -> Any:
        return display.at_stripe(write.reference)

    @admin.display(description="state")
    def state(self, write: StripeWrite) -> Any:
        if write.done_at:
            return display.badge("done", "good")
        if write.withdrawn_at:
            return display.badge("withdrawn", "quiet", "What asked for it was undone before it was made")
        if write.error_message:
            return display.badge("failing", "bad", write.error_message)
        return display.badge("owed", "waiting")

    @admin.display(description="requested", ordering="requested_at")
    def requested(self, write: StripeWrite) -> Any:
        return display.moment(write.requested_at)

    @admin.display(description="done", ordering="done_at")
    def done(self, write: StripeWrite) -> Any:
        return display.moment(write.done_at)

    @admin.display(description="next try")
    def next_try(self, write: StripeWrite) -> Any:
        return display.exact(write.next_attempt_at)

    @admin.display(description="error")
    def error(self, write: StripeWrite) -> Any:
        return display.preformatted(write.error_message) if write.error_message else None

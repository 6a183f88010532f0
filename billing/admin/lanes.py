"""Staff see which lanes have waiting work or a worker, and which writes we still owe Stripe."""

from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import ngettext

from billing.lanes import standing_writes
from billing.models import Lane, StripeWrite

from . import cause_words, display, replay
from .open_filter import open_filter
from .readonly import ReadOnlyAdmin


@admin.register(Lane)
class LaneAdmin(ReadOnlyAdmin):
    list_display = ["lane", "state", "woken", "lease", "arrived", "drained"]
    ordering = ["-woken_at"]
    search_fields = ["key__exact"]
    search_help_text = "The whole key of a lane, usually a customer id"
    fields = ["lane", "state", "woken", "lease", "arrived", "drained", "events"]
    readonly_fields = fields

    @display.column("lane", ordering="key")
    def lane(self, lane: Lane) -> Any:
        return display.plain_id(lane.key)

    @display.column("status")
    def state(self, lane: Lane) -> Any:
        if lane.token and lane.leased_until and lane.leased_until > timezone.now():
            return display.badge("working", "good", "A worker is processing it")
        if lane.arrived == lane.drained:
            return display.badge("asleep", "quiet", "Nothing to process")
        return display.badge("awake", "waiting", "Events wait to be processed")

    @display.column("woken", ordering="woken_at")
    def woken(self, lane: Lane) -> Any:
        return display.exact(lane.woken_at)

    @display.column("locked until")
    def lease(self, lane: Lane) -> Any:
        return display.exact(lane.leased_until) if lane.token else None

    @display.column("events")
    def events(self, lane: Lane) -> Any:
        return display.list_link("stripeevent", "All events of this lane", q=lane.key)


@admin.register(StripeWrite)
class StripeWriteAdmin(ReadOnlyAdmin):
    list_display = ["action", "object_link", "state", "cause", "requested"]
    list_filter = ["action", ("done_at", open_filter("status", "Owed", "Done")), "requested_at"]
    ordering = ["-requested_at"]
    search_fields = ["lane__exact", "object_id__exact", "reference__exact"]
    search_help_text = "Whole id of the customer, object or cause"
    fields = ["action", "object_link", "state", "cause", "lane", "requested", "next_try", "error"]
    readonly_fields = fields
    actions = ["try_now"]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return replay.is_allowed(request)

    @admin.action(description="Try again now", permissions=["replay"])
    def try_now(self, request: HttpRequest, queryset: QuerySet[StripeWrite]) -> None:
        again = [write for write in queryset[: replay.MOST_AT_ONCE] if standing_writes.try_again(write)]
        asked_by = cast("int", request.user.pk)
        LogEntry.objects.log_actions(asked_by, again, CHANGE, change_message="Tried again")
        one, many = "%(count)d request will be made again now.", "%(count)d requests will be made again now."
        messages.success(request, ngettext(one, many, len(again)) % {"count": len(again)})

    @display.column("object", ordering="object_id")
    def object_link(self, write: StripeWrite) -> Any:
        return display.at_stripe(write.object_id)

    @display.column("cause")
    def cause(self, write: StripeWrite) -> Any:
        is_word = write.action in StripeWrite.STANDING and "_" not in write.reference
        return cause_words.words_for(write.reference) if is_word else display.at_stripe(write.reference)

    @display.column("status")
    def state(self, write: StripeWrite) -> Any:
        attempts = f"{write.attempts} attempts" if write.attempts > 1 else ""
        return display.lines(self._badge(write), display.day(write.done_at), attempts)

    def _badge(self, write: StripeWrite) -> Any:
        if write.done_at:
            return display.badge("done", "good")
        if write.refused_at:
            return display.badge("refused", "dead", "Stripe refuses it for good, so it was given up")
        if write.withdrawn_at:
            return display.badge("withdrawn", "quiet", "Withdrawn before it was made")
        if write.error_message:
            return display.badge("failing", "bad", write.error_message)
        return display.badge("owed", "waiting")

    @display.column("requested", ordering="requested_at")
    def requested(self, write: StripeWrite) -> Any:
        return display.moment(write.requested_at)

    @display.column("next attempt")
    def next_try(self, write: StripeWrite) -> Any:
        return display.exact(write.next_attempt_at)

    @display.column("error")
    def error(self, write: StripeWrite) -> Any:
        return display.preformatted(write.error_message) if write.error_message else None

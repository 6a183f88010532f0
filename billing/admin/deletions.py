"""Who is leaving, how far it is, and what it waits for."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from billing.lifecycle import deletion
from billing.models import AccountDeletion

from . import display, replay
from .readonly import ReadOnlyAdmin


@admin.register(AccountDeletion)
class AccountDeletionAdmin(ReadOnlyAdmin):
    list_display = ["who", "state", "next_step", "requested", "done", "attempts", "next_try", "error"]
    list_filter = [("done_at", admin.EmptyFieldListFilter), "requested_at"]
    list_select_related = ["customer", "subscriber"]
    ordering = ["-requested_at"]
    search_fields = ["customer__id__exact"]
    search_help_text = "Customer, by the whole id"
    fields = ["who", "state", "next_step", "requested", *AccountDeletion.STEPS, "attempts", "next_try", "error"]
    readonly_fields = fields
    actions = ["try_now"]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return replay.is_allowed(request)

    @admin.action(description="Try again now", permissions=["replay"])
    def try_now(self, request: HttpRequest, queryset: QuerySet[AccountDeletion]) -> None:
        waiting = list(queryset.filter(done_at=None))
        for leaving in waiting:
            deletion.try_now(leaving)
        messages.success(request, f"{len(waiting)} of the chosen deletions are tried again now.")

    @display.column("who", ordering="customer_id")
    def who(self, leaving: AccountDeletion) -> Any:
        name = display.breakable(str(leaving.subscriber)) if leaving.subscriber else "somebody deleted"
        return display.lines(name, display.plain_id(leaving.customer_id or ""))

    @display.column("state")
    def state(self, leaving: AccountDeletion) -> Any:
        if leaving.is_done:
            return display.badge("done", "good")
        if leaving.error_message:
            return display.badge("failing", "bad", leaving.error_message)
        return display.badge("closing", "waiting")

    @display.column("next")
    def next_step(self, leaving: AccountDeletion) -> str:
        return leaving.next_step

    @display.column("requested", ordering="requested_at")
    def requested(self, leaving: AccountDeletion) -> Any:
        return display.moment(leaving.requested_at)

    @display.column("done", ordering="done_at")
    def done(self, leaving: AccountDeletion) -> Any:
        return display.moment(leaving.done_at)

    @display.column("next try")
    def next_try(self, leaving: AccountDeletion) -> Any:
        return display.exact(leaving.next_attempt_at)

    @display.column("last error")
    def error(self, leaving: AccountDeletion) -> Any:
        return display.preformatted(leaving.error_message) if leaving.error_message else None
